"""Questions that the words alone do not answer."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from training.data import presence
from training.data.formats import Box


def test_a_question_suits_its_thing() -> None:
    assert presence.is_there("apple") == "is there an apple?"
    assert presence.is_there("grass") == "is there any grass?"
    assert presence.is_there("sunglasses") == "are there any sunglasses?"


@pytest.mark.parametrize("thing", ["apple", "grass", "dogs", "sunglasses", "fire hydrant"])
def test_a_question_tells_the_thing_that_it_is_about(thing: str) -> None:
    rng = np.random.default_rng(0)
    asked = {presence.is_there(thing, rng) for _ in range(20)}
    assert len(asked) == 3
    assert {presence.asked_thing(question) for question in asked} == {thing}
    assert presence.asked_thing("is the dog running?") is None


def test_a_phrase_is_about_its_last_noun() -> None:
    assert presence.head("two brown dogs") == "dog"
    assert presence.head("a man with a hat") == "man"
    assert presence.head("the background") is None


def test_each_thing_is_there_as_often_as_not_and_never_said_to_be_absent_where_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence, "_FEWEST", 2)
    box = (0.0, 0.0, 1.0, 1.0)
    things = {"a": "dog", "b": "dog", "c": "ball", "d": "ball", "e": "hat", "f": "hat"}
    boxes = {image: [Box(f"a red {thing}", box, "other")] for image, thing in things.items()}
    texts = {"c": ["a poodle chases a ball"]}
    found = presence.absent_and_present(texts, boxes, 0)
    counts = Counter((e.prompt.rstrip("?").split(" in ")[0].split()[-1], e.texts[0]) for e in found)
    for thing in set(things.values()):
        assert counts[thing, "yes"] == counts[thing, "no"] > 0
    for example in found:
        if "dog" in example.prompt and example.texts == ("no",):
            assert example.image in "def"  # a poodle is a dog


def test_two_boxes_of_one_thing_count_once() -> None:
    one, same, other = (0.0, 0.0, 0.5, 0.5), (0.0, 0.0, 0.5, 0.51), (0.6, 0.6, 1.0, 1.0)
    boxes = {
        "a": [
            Box("a dog", one, "animals"),
            Box("the dog", same, "animals"),
            Box("dogs", other, "animals"),
        ]
    }
    (example,) = presence.counted(boxes, 0)
    assert (example.prompt, example.texts) == ("how many dogs are there?", ("2",))
