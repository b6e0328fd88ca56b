"""Captions of made pictures, judged by what they call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.scoring.made_pictures import (
    MadePicture,
    named,
    names_kind,
    read,
    sure_of_nothing,
)

CHART = MadePicture("pictures/images/0.webp", "bar chart", ("bar chart", "graph"))
BLANK = MadePicture("pictures/images/1.webp", "blank", ("blank", "empty"))


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("a bar chart of rainfall", True),
        ("two Bar Charts side by side", True),
        ("a graph with blue bars", True),
        ("a photograph of a bar", False),
        ("a barchart", False),
        ("", False),
    ],
)
def test_names_are_whole_words_in_either_number(text: str, hit: bool) -> None:
    assert names_kind(text, CHART) is hit


def test_the_least_named_kind_stands_beside_all() -> None:
    texts = ["a bar chart", "a graph", "a white wall", "an empty page"]
    assert named(texts, [CHART, CHART, BLANK, BLANK]) == {
        "kind named %": 75,
        "of the least named kind %": 50,
    }


def test_only_what_shows_nothing_should_leave_one_unsure() -> None:
    figures = sure_of_nothing([0.9, 0.2, 0.4], [CHART, BLANK, BLANK])
    assert figures == pytest.approx({"confidence of blank": 0.3, "largest of blank": 0.4})


def test_only_made_pictures_have_names(tmp_path: Path) -> None:
    assert read(tmp_path, "test") == []
    rows = [
        {"image": "pictures/images/0.webp", "caption": "a bar chart", "kind": "bar chart",
         "names": ["bar chart", "graph"]},
        {"image": "photo.webp", "caption": "a dog"},
    ]  # fmt: skip
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert read(tmp_path, "test") == [CHART]
