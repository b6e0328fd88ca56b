"""The field's files of captions and questions, each read to examples of one form.

`flickr8k`, `visual7w`, `daquar` and `described` are the JSON Lines of the shared data folder;
`karpathy`, `coco`, `vqa2`, `refcoco` and `snli-ve` are the public files as their authors publish
them.
"""

from __future__ import annotations

import json
import pickle
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path, PurePosixPath

from training.paths import WORK
from training.runs.recipe import Source

_SPACE_BEFORE = re.compile(r"\s+([.,!?;:'])")
_QUOTES = re.compile(r'["`]|\'\'')
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Example:
    """One photo, what it is asked, and the texts that answer; `image` is a path below DATA, or a
    whole one."""

    image: str
    prompt: str
    texts: tuple[str, ...]
    kind: str
    """A caption's style, or what sort of question it is: what tables are split by."""
    distractors: tuple[str, ...] = ()
    """The wrong answers that stand beside the right one, where the source has them."""


def normalise(text: str) -> str:
    """Lower case; no quotation marks, underscores, spaces before punctuation or final full stop."""
    text = _QUOTES.sub(" ", text.lower()).replace("’", "'").replace("_", " ")
    text = _SPACE_BEFORE.sub(r"\1", text)
    return _SPACES.sub(" ", text).strip(" .,;:!?-'")


@dataclass(frozen=True)
class Box:
    """What a phrase means in a photo: x0, y0, x1, y1 in fractions of width and height."""

    phrase: str
    box: tuple[float, float, float, float]
    kind: str
    """The sort of thing that it is."""
    others: tuple[tuple[float, float, float, float], ...] = ()
    """Further boxes of the same phrase."""


def _path(source: Source, image: str) -> str:
    path = PurePosixPath(source.images) / image
    return str(WORK / path if source.root == "work" else path)


def _files(source: Source, split: str, data: Path) -> list[Path]:
    root = WORK if source.root == "work" else data
    files = [root / f for f in source.files.get(split, [])]
    if source.root == "work" and not all(f.exists() for f in files):
        _say_missing(root / source.name)
        return []
    return files


@cache
def _say_missing(folder: Path) -> None:
    """Who scores a model needs no made pictures; who trains one should know that they lack."""
    print(f"{folder} is not there: `python -m training pictures` makes it", file=sys.stderr)


def read_captions(source: Source, split: str, data: Path, prompt: str) -> list[Example]:
    """A source's captioned photos of one split; none where the source has no such split."""
    files = _files(source, split, data)
    rows = {
        "flickr8k": _flickr8k,
        "described": _described_captions,
        "karpathy": _karpathy,
        "coco": partial(_coco, data / source.images),
    }[source.format](files, split)
    return [
        Example(
            _path(source, image),
            prompt,
            tuple(map(normalise, captions)),
            source.style,
        )
        for image, captions in rows
    ]


def read_questions(source: Source, split: str, data: Path) -> list[Example]:
    """A source's questions of one split; none where the source has no such split."""
    files = _files(source, split, data)
    rows = {
        "described": _described_questions,
        "visual7w": _visual7w,
        "daquar": _daquar,
        "lines": _question_lines,
        "vqa2": partial(_vqa2, data / source.images),
    }[source.format](files)
    return [
        Example(
            _path(source, image),
            normalise(question),
            tuple(map(normalise, answers)),
            f"{source.name} {kind}".strip(),
            tuple(map(normalise, distractors)),
        )
        for image, question, answers, kind, distractors in rows
    ]


ENTAILMENT = {"entailment": "yes", "neutral": "maybe", "contradiction": "no"}
"""What the model says for each of a statement's labels."""


def read_statements(source: Source, split: str, data: Path, prompt: str) -> list[Example]:
    """Statements about photos, with what they are worth as the answer; `prompt` has a `{}`."""
    rows = {"entailment": _entailment, "snli-ve": _snli_ve}[source.format]
    return [
        Example(
            _path(source, image),
            prompt.format(normalise(statement)),
            (ENTAILMENT[label],),
            label,
        )
        for image, statement, label in rows(_files(source, split, data))
    ]


def read_boxes(source: Source, split: str, data: Path) -> dict[str, list[Box]]:
    """People's boxes by photo; none where the source has no such split."""
    rows = {"entities": _entities, "refcoco": partial(_refcoco, data / source.images)}
    found: dict[str, list[Box]] = {}
    for image, box in rows[source.format](_files(source, split, data), split):
        found.setdefault(_path(source, image), []).append(box)
    return found


@dataclass(frozen=True)
class Found:
    """A source that lies in a folder, and what it holds."""

    source: Source
    captions: bool
    questions: bool


def detect(folder: Path) -> list[Found]:
    """The sources in a folder, by the names and the first lines of its files; their paths are
    relative to the folder's parent."""
    name = folder.name
    images = f"{name}/images" if (folder / "images").is_dir() else name

    def source(format: str, files: dict[str, list[Path]], at: str = images) -> Source:
        return Source.model_validate(
            {
                "name": name,
                "format": format,
                "images": at,
                "files": {s: [f"{name}/{p.name}" for p in paths] for s, paths in files.items()},
                "style": "plain" if format == "described" else "human",
            }
        )

    def by_split(pattern: str) -> dict[str, list[Path]]:
        found = {s: sorted(folder.glob(pattern.format(s))) for s in ("train", "val", "test")}
        return {s: paths for s, paths in found.items() if paths}

    found = []
    for path in (*folder.glob("captions.jsonl"), *folder.glob("dataset*.json")):
        format = "flickr8k" if path.suffix == ".jsonl" else "karpathy"
        every = {split: [path] for split in ("train", "val", "test")}
        found.append(Found(source(format, every), True, False))
    if coco := by_split("captions_{}*.json"):
        found.append(Found(source("coco", coco), True, False))
    asked, answered = map(by_split, ("*OpenEnded*_{}*_questions.json", "*_{}*_annotations.json"))
    # VQA's test questions are published without their answers.
    if pairs := {s: [*asked[s], *answered[s]] for s in asked if s in answered}:
        found.append(Found(source("vqa2", pairs), False, True))
    if lines := by_split("{}.jsonl"):
        row = next(_lines(next(iter(lines.values()))))
        if "qa" in row:  # its photos are named from the folder above
            found.append(Found(source("described", lines, ""), True, True))
        elif "question" in row:
            format = "visual7w" if "distractors" in row else "daquar"
            found.append(Found(source(format, lines), False, True))
    return found


Captions = Iterator[tuple[str, list[str]]]
Questions = Iterator[tuple[str, str, list[str], str, list[str]]]
Statements = Iterator[tuple[str, str, str]]
Boxes = Iterator[tuple[str, Box]]


def _lines(files: list[Path]) -> Iterator[dict]:
    for path in files:
        with path.open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def _flickr8k(files: list[Path], split: str) -> Captions:
    for row in _lines(files):
        if row["split"] == split:
            yield row["image"], row["captions"]


def _described_captions(files: list[Path], split: str) -> Captions:
    for row in _lines(files):
        yield row["image"], [row["caption"]]


def _karpathy(files: list[Path], split: str) -> Captions:
    """Karpathy's `dataset_*.json`; COCO's `restval` is training data, as everywhere."""
    for path in files:
        for row in json.loads(path.read_text(encoding="utf-8"))["images"]:
            if {"restval": "train"}.get(row["split"], row["split"]) == split:
                image = PurePosixPath(row.get("filepath", "")) / row["filename"]
                yield str(image), [s["raw"] for s in row["sentences"]]


def _in_subset(images: Path, subset: str, name: str) -> str:
    """COCO's photos lie in a folder for each subset (`train2014`), as they are published, or all
    in one."""
    return f"{subset}/{name}" if (images / subset).is_dir() else name


def _coco(images: Path, files: list[Path], split: str) -> Captions:
    """COCO's `captions_<subset>.json`."""
    for path in files:
        subset = path.stem.removeprefix("captions_")
        content = json.loads(path.read_text(encoding="utf-8"))
        captions: dict[int, list[str]] = {}
        for row in content["annotations"]:
            captions.setdefault(row["image_id"], []).append(row["caption"])
        for row in content["images"]:
            if row["id"] in captions:
                yield _in_subset(images, subset, row["file_name"]), captions[row["id"]]


def _described_questions(files: list[Path]) -> Questions:
    for row in _lines(files):
        for pair in row["qa"]:
            yield row["image"], pair["question"], [pair["answer"]], pair["type"], []


def _visual7w(files: list[Path]) -> Questions:
    for row in _lines(files):
        yield row["image"], row["question"], [row["answer"]], "", row["distractors"]


def _daquar(files: list[Path]) -> Questions:
    for row in _lines(files):
        yield row["image"], row["question"], [row["answer"]], "", []


def _question_lines(files: list[Path]) -> Questions:
    for row in _lines(files):
        yield row["image"], row["question"], [row["answer"]], "", []


def listed_things(source: Source, split: str, data: Path) -> Questions:
    """Things that are or are not in a photo, each in a question's place."""
    for row in _lines([data / f for f in source.files.get(split, [])]):
        for answer, things in (("yes", row["present"]), ("no", row["absent"])):
            for thing in things:
                yield _path(source, row["image"]), thing, [answer], "", []


def _vqa2(images: Path, files: list[Path]) -> Questions:
    """VQA v2's pairs of `*_questions.json` and `*_annotations.json`. The answer is the one that
    most of the ten people gave; photos are named as COCO names them."""
    for asked, answered in zip(files[::2], files[1::2], strict=True):
        answers = {
            row["question_id"]: row
            for row in json.loads(answered.read_text(encoding="utf-8"))["annotations"]
        }
        content = json.loads(asked.read_text(encoding="utf-8"))
        subset = content["data_subtype"]
        for row in content["questions"]:
            found = answers[row["question_id"]]
            given = Counter(a["answer"] for a in found.get("answers", []))
            answer = found.get("multiple_choice_answer") or given.most_common(1)[0][0]
            name = f"COCO_{subset}_{row['image_id']:012d}.jpg"
            image = _in_subset(images, subset, name)
            yield image, row["question"], [answer], found["answer_type"], []


def _entailment(files: list[Path]) -> Statements:
    for row in _lines(files):
        yield row["image"], row["hypothesis"], row["label"]


def _snli_ve(files: list[Path]) -> Statements:
    """SNLI-VE's `snli_ve_*.jsonl` (Xie et al. 2019), about Flickr30k's photos. What its writers did
    not agree on has the label `-`, and is left out as everywhere."""
    for row in _lines(files):
        if row["gold_label"] != "-":
            yield f"{row['Flickr30K_ID']}.jpg", row["sentence2"], row["gold_label"]


def _entities(files: list[Path], split: str) -> Boxes:
    for row in _lines(files):
        for phrase in row["phrases"]:
            first, *others = (tuple(box) for box in phrase["boxes"])
            yield (
                row["image"],
                Box(normalise(phrase["phrase"]), first, phrase["type"], tuple(others)),
            )


class _PlainData(pickle.Unpickler):
    """Reads lists, dicts, texts and numbers: a pickle of anything else may run what it likes."""

    def find_class(self, module: str, name: str) -> type:
        raise pickle.UnpicklingError(f"expected plain data, got {module}.{name}")


def _refcoco(images: Path, files: list[Path], split: str) -> Boxes:
    """RefCOCO's, RefCOCO+'s or RefCOCOg's pairs of `refs(unc).p` (or `refs(umd).p`) and
    `instances.json` (Yu et al. 2016): every way that someone told a thing in a COCO photo from the
    others. The kind is the split's own name, as tables keep testA apart from testB."""
    for refs, instances in zip(files[::2], files[1::2], strict=True):
        with refs.open("rb") as file:
            rows = _PlainData(file, encoding="latin1").load()
        content = json.loads(instances.read_text(encoding="utf-8"))
        photos = {photo["id"]: photo for photo in content["images"]}
        corners = {thing["id"]: thing["bbox"] for thing in content["annotations"]}
        for row in rows:
            if row["split"] != split and not (split == "test" and row["split"].startswith("test")):
                continue
            photo = photos[row["image_id"]]
            width, height = photo["width"], photo["height"]
            x, y, w, h = corners[row["ann_id"]]
            box = (x / width, y / height, (x + w) / width, (y + h) / height)
            subset = photo["file_name"].split("_")[1]
            image = _in_subset(images, subset, photo["file_name"])
            for sentence in row["sentences"]:
                yield image, Box(normalise(sentence["sent"]), box, row["split"])
