"""Boxes and labels: what is read of a folder, and what counts as right."""

import json
from pathlib import Path

import pytest

from training.scoring.grounded import Phrase, Statement, around, judged, overlap, pointed, read


def _write(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_read_of_both_kinds_and_of_none(tmp_path: Path) -> None:
    box = [0, 0.5, 1, 1]
    things = [{"phrase": "a dog", "type": "animals", "boxes": [box, box]}]
    _write(tmp_path / "val.jsonl", [{"image": "a/b.webp", "phrases": things}])
    _write(tmp_path / "test.jsonl", [{"image": "c", "hypothesis": "A dog.", "label": "neutral"}])
    _write(tmp_path / "train.jsonl", [{"image": "c", "question": "What?", "answer": "it"}])
    phrase = Phrase("a/b.webp", "a dog", "animals", ((0, 0.5, 1, 1), (0, 0.5, 1, 1)))
    assert read(tmp_path, "val") == ([phrase], [])
    assert phrase.job() == {"file": "a/b.webp", "locate": "a dog"}
    statement = Statement("c", "A dog.", "neutral")
    assert read(tmp_path, "test") == ([], [statement])
    assert statement.job() == {"file": "c", "entails": "A dog."}
    assert read(tmp_path, "train") == ([], [])
    assert read(tmp_path / "none", "val") == ([], [])


def test_photos_are_read_one_after_another(tmp_path: Path) -> None:
    rows = [{"image": i, "hypothesis": i, "label": "neutral"} for i in "abac"]
    _write(tmp_path / "val.jsonl", rows)
    assert [s.image for s in read(tmp_path, "val")[1]] == ["a", "a", "b", "c"]
    assert [s.image for s in read(tmp_path, "val", 2)[1]] == ["a", "a", "b"]


def test_overlap_is_intersection_over_union() -> None:
    assert overlap((0, 0, 1, 1), (0, 0, 1, 1)) == 1
    assert overlap((0, 0, 0.5, 1), (0.25, 0, 0.75, 1)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 0.5, 0.5), (0.5, 0.5, 1, 1)) == 0
    assert overlap((0.2, 0.2, 0.2, 0.2), (0.2, 0.2, 0.2, 0.2)) == 0


def test_a_box_is_right_beside_any_of_peoples() -> None:
    left, right = (0.0, 0.0, 0.25, 1.0), (0.75, 0.0, 1.0, 1.0)
    assert around([left, right]) == (0, 0, 1, 1)
    phrases = [
        Phrase("a", "two men", "people", (left, right)),
        Phrase("a", "a man", "people", (left,)),
        Phrase("a", "the sky", "scene", ((0.0, 0.0, 1.0, 0.6),)),
    ]
    figures = pointed([right, right, (0.0, 0.0, 1.0, 0.5)], phrases)
    assert figures["IoU ≥ 0.5 %"] == pytest.approx(200 / 3)
    assert figures["people %"] == 50
    assert figures["scene %"] == 100
    # The box around both men is the whole photo, of which one man is a quarter.
    assert figures["around all %"] == pytest.approx(100 / 3)
    assert figures["whole photo %"] == pytest.approx(100 / 3)
    assert figures["whole photo, around all %"] == pytest.approx(200 / 3)


def test_labels_are_counted_beside_the_commonest() -> None:
    wanted = ["neutral", "neutral", "neutral", "entailment"]
    statements = [Statement("a", "A dog.", label) for label in wanted]
    figures = judged(["neutral", "neutral", "contradiction", "neutral"], statements)
    assert figures["right %"] == 50
    assert figures["commonest label %"] == 75
    assert figures["neutral %"] == pytest.approx(200 / 3)
    assert figures["entailment %"] == 0
    assert "contradiction %" not in figures
