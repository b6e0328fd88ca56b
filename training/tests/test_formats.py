"""The field's own files, as small as they can be, read to the same examples."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from training.data.formats import (
    Box,
    Example,
    detect,
    read_boxes,
    read_captions,
    read_questions,
    read_statements,
)
from training.runs.recipe import Source


def write(folder: Path, name: str, content: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def write_lines(folder: Path, name: str, rows: list[dict]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def found(folder: Path) -> Source:
    (only,) = detect(folder)
    return only.source


def test_karpathy(tmp_path: Path) -> None:
    def image(name: str, split: str) -> dict:
        sentences = [{"raw": "A dog ."}, {"raw": "Dogs!"}]
        row = {"filename": name, "filepath": "val2014", "split": split, "sentences": sentences}
        return row

    images = [image("1.jpg", "restval"), image("2.jpg", "train"), image("3.jpg", "test")]
    write(tmp_path / "coco", "dataset_coco.json", {"images": images})
    source = found(tmp_path / "coco")
    train = read_captions(source, "train", tmp_path, "what?")
    assert [e.image for e in train] == ["coco/val2014/1.jpg", "coco/val2014/2.jpg"]
    assert train[0] == Example("coco/val2014/1.jpg", "what?", ("a dog", "dogs"), "human")
    assert len(read_captions(source, "test", tmp_path, "what?")) == 1
    assert read_captions(source, "val", tmp_path, "what?") == []


def test_coco_captions(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 7, "file_name": "7.jpg"}, {"id": 8, "file_name": "8.jpg"}],
        "annotations": [
            {"image_id": 7, "caption": "A cat."},
            {"image_id": 7, "caption": "Cats."},
        ],
    }
    write(tmp_path / "coco", "captions_val2017.json", content)
    examples = read_captions(found(tmp_path / "coco"), "val", tmp_path, "what?")
    assert examples == [Example("coco/7.jpg", "what?", ("a cat", "cats"), "human")]


def test_vqa2(tmp_path: Path) -> None:
    asked = [{"question_id": 1, "image_id": 42, "question": "What is it?"}]
    answered = [
        {
            "question_id": 1,
            "answer_type": "other",
            "answers": [{"answer": "cat"}, {"answer": "dog"}, {"answer": "dog"}],
        }
    ]
    name = "v2_OpenEnded_mscoco_val2014_questions.json"
    write(tmp_path / "vqa", name, {"questions": asked, "data_subtype": "val2014"})
    write(tmp_path / "vqa", "v2_mscoco_val2014_annotations.json", {"annotations": answered})
    (example,) = read_questions(found(tmp_path / "vqa"), "val", tmp_path)
    assert example.image == "vqa/COCO_val2014_000000000042.jpg"
    assert (example.prompt, example.texts) == ("what is it", ("dog",))
    assert example.kind == "vqa other"


def test_photos_may_lie_in_the_folders_that_coco_publishes(tmp_path: Path) -> None:
    for subset in ("train2014", "val2017"):
        (tmp_path / "coco" / subset).mkdir(parents=True)
    asked = {"questions": [{"question_id": 1, "image_id": 42, "question": "What is it?"}]}
    answered = {"question_id": 1, "answer_type": "other", "multiple_choice_answer": "a dog"}
    folder, name = tmp_path / "coco", "v2_OpenEnded_mscoco_{}_questions.json"
    write(folder, name.format("train2014"), asked | {"data_subtype": "train2014"})
    write(folder, "v2_mscoco_train2014_annotations.json", {"annotations": [answered]})
    # Published without answers.
    write(folder, name.format("test2015"), asked | {"data_subtype": "test2015"})
    captions = {
        "images": [{"id": 7, "file_name": "7.jpg"}],
        "annotations": [{"image_id": 7, "caption": "A cat."}],
    }
    write(folder, "captions_val2017.json", captions)
    captioned, questioned = (one.source for one in detect(folder))
    assert set(questioned.files) == {"train"}
    (example,) = read_questions(questioned, "train", tmp_path)
    assert example.image == "coco/train2014/COCO_train2014_000000000042.jpg"
    (example,) = read_captions(captioned, "val", tmp_path, "what?")
    assert example.image == "coco/val2017/7.jpg"


def test_the_shared_folder(tmp_path: Path) -> None:
    captions = [{"image": "1.webp", "split": s, "captions": ["A man ."]} for s in ("train", "val")]
    write_lines(tmp_path / "flickr8k", "captions.jsonl", captions)
    (tmp_path / "flickr8k" / "images").mkdir()
    assert read_captions(found(tmp_path / "flickr8k"), "val", tmp_path, "?") == [
        Example("flickr8k/images/1.webp", "?", ("a man",), "human")
    ]
    row = {"image": "2.webp", "question": "Who?", "answer": "A man."}
    write_lines(tmp_path / "visual7w", "val.jsonl", [{**row, "distractors": ["No one."]}])
    write_lines(tmp_path / "daquar", "val.jsonl", [row])
    (choice,) = read_questions(found(tmp_path / "visual7w"), "val", tmp_path)
    assert (choice.texts, choice.distractors, choice.kind) == (("a man",), ("no one",), "visual7w")
    (free,) = read_questions(found(tmp_path / "daquar"), "val", tmp_path)
    assert (free.prompt, free.distractors) == ("who", ())
    both = {
        "image": "flickr8k/images/1.webp",
        "caption": "a man walks",
        "qa": [{"type": "yesno", "question": "Is it a dog?", "answer": "no"}],
    }
    write_lines(tmp_path / "described", "val.jsonl", [both])
    source = found(tmp_path / "described")
    (plain,) = read_captions(source, "val", tmp_path, "?")
    (asked,) = read_questions(source, "val", tmp_path)
    assert plain.image == asked.image == "flickr8k/images/1.webp"
    assert (plain.kind, asked.kind) == ("plain", "described yesno")


def test_snli_ve(tmp_path: Path) -> None:
    row = {"Flickr30K_ID": "12", "sentence1": "A man.", "sentence2": "A man sleeps."}
    labels = ("contradiction", "-", "neutral", "entailment")
    write_lines(tmp_path / "snli", "dev.jsonl", [row | {"gold_label": label} for label in labels])
    files = {"val": ["snli/dev.jsonl"]}
    source = Source(name="SNLI-VE", format="snli-ve", images="f30k", files=files)
    found = read_statements(source, "val", tmp_path, "is it true that {}?")
    assert [e.texts for e in found] == [("no",), ("maybe",), ("yes",)]
    assert found[0] == Example(
        "f30k/12.jpg", "is it true that a man sleeps?", ("no",), "contradiction"
    )
    assert read_statements(source, "test", tmp_path, "{}") == []


def refcoco(folder: Path, refs: object) -> Source:
    folder.mkdir(parents=True)
    # As their authors' Python 2 wrote it.
    (folder / "refs(unc).p").write_bytes(pickle.dumps(refs, protocol=2))
    name = "COCO_train2014_000000000042.jpg"
    content = {
        "images": [{"id": 42, "file_name": name, "width": 400, "height": 200}],
        "annotations": [{"id": 7, "image_id": 42, "bbox": [100.0, 50.0, 200.0, 150.0]}],
    }
    write(folder, "instances.json", content)
    files = [f"{folder.name}/refs(unc).p", f"{folder.name}/instances.json"]
    return Source(
        name="RefCOCO", format="refcoco", images="coco", files={"train": files, "test": files}
    )


def test_refcoco(tmp_path: Path) -> None:
    sentences = [{"sent": "man on the left"}, {"sent": "Left man."}]
    row = {"image_id": 42, "ann_id": 7, "sentences": sentences}
    refs = [row | {"split": split} for split in ("train", "val", "testA", "testB")]
    source = refcoco(tmp_path / "refcoco", refs)
    image, box = "coco/COCO_train2014_000000000042.jpg", (0.25, 0.25, 0.75, 1.0)
    assert read_boxes(source, "train", tmp_path) == {
        image: [Box("man on the left", box, "train"), Box("left man", box, "train")]
    }
    (tmp_path / "coco" / "train2014").mkdir(parents=True)
    (found,) = read_boxes(source, "test", tmp_path).items()
    assert found[0] == "coco/train2014/COCO_train2014_000000000042.jpg"
    assert [one.kind for one in found[1]] == ["testA", "testA", "testB", "testB"]


def test_a_pickle_of_more_than_data_is_refused(tmp_path: Path) -> None:
    source = refcoco(tmp_path / "refcoco", [Path("/")])
    with pytest.raises(pickle.UnpicklingError, match="expected plain data"):
        read_boxes(source, "train", tmp_path)


def test_a_folder_without_data_has_no_sources(tmp_path: Path) -> None:
    assert detect(tmp_path) == []


def test_a_misspelt_source_is_refused() -> None:
    with pytest.raises(ValueError, match="imagez"):
        Source.model_validate({"name": "x", "format": "coco", "imagez": "", "files": {}})
