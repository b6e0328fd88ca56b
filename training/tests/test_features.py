"""Kept features: what is added later, and what is mirrored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.eyes import features
from training.eyes.eyes import Eyes
from training.eyes.features import Features


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(features, "DATA", tmp_path)
    monkeypatch.setattr(features, "WORK", tmp_path)
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        Image.fromarray(rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(tmp_path / name)
    return tmp_path


def test_a_photo_that_becomes_a_training_photo_is_mirrored(folder: Path, monkeypatch) -> None:
    eyes = Eyes(32, detector=False)
    monkeypatch.setattr(features, "photos", lambda: ["a.png"])
    monkeypatch.setattr(features, "training_photos", set)
    features.keep(eyes)
    first = Features.load(eyes)
    assert first.index == {"a.png": 0}
    assert first.plain.any()
    assert not first.mirrored.any()
    before = first.plain[0].copy()

    monkeypatch.setattr(features, "photos", lambda: ["a.png", "b.png"])
    monkeypatch.setattr(features, "training_photos", lambda: {"a.png"})
    features.keep(eyes)
    then = Features.load(eyes)
    assert then.index == {"a.png": 0, "b.png": 1}
    np.testing.assert_array_equal(then.plain[0], before)
    assert then.plain[1].any()
    assert not then.mirrored[1].any()
    # Of a photo of one cell: the features of its mirror image, and of nothing else.
    with Image.open(folder / "a.png") as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "c.png")
    mirrored = Features.look(eyes, ["c.png"], "f16").plain[0]
    np.testing.assert_allclose(then.mirrored[0], mirrored, atol=0.02)
    assert np.abs(then.mirrored[0] - before).max() > 0.1
