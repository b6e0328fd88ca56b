"""Flips: two classes change places in the classifier's eyes, and in the text."""

import numpy as np
import pytest

from training.data.flips import Flips, plural
from training.eyes.backbone import FEATURES, HEAD_CHANNELS


@pytest.fixture(scope="module")
def flips() -> Flips:
    return Flips()


def test_features_change_the_places_of_two_classes_in_every_cell(flips: Flips) -> None:
    features = np.random.default_rng(0).random((4, FEATURES)).astype(np.float16)
    one, other = flips.index["goldfish"], flips.index["tench"]
    flipped = flips.features(features, one, other)

    def margin(of: np.ndarray) -> np.ndarray:
        logits = of[:, :HEAD_CHANNELS].astype(np.float32) @ flips.weight.T + flips.bias
        return logits[:, one] - logits[:, other]

    assert np.allclose(margin(flipped), -margin(features), atol=1e-3)
    assert np.array_equal(
        flipped[:, HEAD_CHANNELS:], features[:, HEAD_CHANNELS:].astype(np.float32)
    )
    again = flips.features(flipped, one, other)
    assert np.allclose(again, features, atol=1e-3)


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("a goldfish swims past a castle", "an ostrich swims past a castle"),
        ("two goldfishes and a goldfish", "two ostriches and an ostrich"),
        ("a woman holds up the goldfish", "a woman holds up the ostrich"),
    ],
)
def test_a_name_takes_anothers_place(flips: Flips, text: str, renamed: str) -> None:
    assert flips.rename(text, flips.index["goldfish"], flips.index["ostrich"]) == renamed


def test_the_longest_name_at_a_place_is_meant(flips: Flips) -> None:
    names = {flips.names[i] for i in flips.named("two tiger sharks near a tiger and some hens")}
    assert names == {"tiger shark", "tiger", "hen"}


def test_texts_that_do_not_name_the_class_are_left_out(flips: Flips) -> None:
    one, other = flips.index["hen"], flips.index["ostrich"]
    assert flips.texts(["a hen sits", "a bird sits"], one, other) == ["an ostrich sits"]


def test_a_class_that_many_texts_name_is_a_word_like_others(flips: Flips) -> None:
    beach, hen = flips.index["beach"], flips.index["hen"]
    rare = flips.rare([["a beach"]] * 50 + [["a hen on a beach"]])
    assert rare[0] == set() and rare[-1] == {hen}
    assert beach not in rare[-1]


def test_classes_near_one_are_of_its_kind(flips: Flips) -> None:
    near = {flips.names[i] for i in flips.near[flips.index["siberian husky"]]}
    assert "siberian husky" not in near
    assert "alaskan malamute" in near


def test_plural() -> None:
    assert [plural(name) for name in ("hen", "ostrich", "fox")] == ["hens", "ostriches", "foxes"]
