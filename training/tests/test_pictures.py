"""Pictures that are no photos: the same each time, said plainly, and others for the test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.formats import read_captions, read_questions
from training.data.pictures import make as pictures
from training.data.pictures.picture import Hand, Picture, grammatical
from training.data.pictures.render import SIDE, rendered
from training.runs.recipe import Source

FEW = {"blank", "notice", "code", "bar chart", "map", "qr code", "logo", "cartoon"}


@pytest.mark.parametrize("kind", pictures.KINDS)
def test_a_caption_names_the_kind_in_a_few_words(kind: str) -> None:
    for number in range(2):
        hand = Hand(0, "train", kind, number)
        picture = pictures.KINDS[kind].draw(hand)
        words = picture.caption.split()
        assert 6 <= len(words) <= 15, picture.caption
        assert picture.caption == picture.caption.lower()
        assert any(name in picture.caption for name in pictures.KINDS[kind].names)
        *_, last = pictures.questions(hand, kind, picture)
        assert (last.type, last.answer) == ("yesno", "yes" if number else "no")


def test_what_is_drawn_is_the_seed_s() -> None:
    def shown(seed: int, split: str) -> str:
        picture = pictures.KINDS["web page"].draw(Hand(seed, split, "web page", 0))
        assert isinstance(picture.shown, str)
        return picture.shown

    assert shown(0, "train") == shown(0, "train")
    assert len({shown(0, "train"), shown(1, "train"), shown(0, "val"), shown(0, "test")}) == 4


def test_articles() -> None:
    assert grammatical("a orange icon of a grapes and a apple") == (
        "an orange icon of grapes and an apple"
    )


def test_pages_and_images_keep_their_order() -> None:
    red = Picture("", "<body style='margin: 0; background: #f00'>", 640, 400)
    blue = Picture("", "<body style='margin: 0; background: #00f'>", 300, 900)
    green = Picture("", Image.new("RGB", (50, 70), "#0f0"))
    images = rendered([red, green, blue], "test")
    for image, color in zip(images, ((255, 0, 0), (0, 255, 0), (0, 0, 255)), strict=True):
        assert image.size == (SIDE, SIDE)
        np.testing.assert_array_equal(np.unique(np.array(image).reshape(-1, 3), axis=0), [color])


def test_what_is_made_is_read_as_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pictures, "FOLDER", tmp_path / "pictures")
    monkeypatch.setattr(pictures, "KINDS", {k: pictures.KINDS[k] for k in FEW})
    monkeypatch.setattr("training.data.formats.WORK", tmp_path)
    source = Source.model_validate(
        {
            "name": "pictures",
            "format": "described",
            "root": "work",
            "style": "plain",
            "images": "",
            "files": {"val": ["pictures/val.jsonl"]},
        }
    )
    assert read_captions(source, "val", Path("/nowhere"), "what?") == []
    assert "python -m training pictures" in capsys.readouterr().err
    pictures.make("val", 0, 1)
    captions = read_captions(source, "val", Path("/nowhere"), "what?")
    assert len(captions) == len(FEW)
    assert {e.kind for e in captions} == {"plain"}
    for example in captions:
        with Image.open(example.image) as image:
            assert image.size == (SIDE, SIDE)
    questions = read_questions(source, "val", Path("/nowhere"))
    assert {e.texts for e in questions if e.kind == "pictures yesno"} == {("no",)}
    rows = (tmp_path / "pictures" / "val.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(row)["kind"] for row in rows} == FEW
