"""METEOR: what it counts as the same word, and what order costs."""

import pytest

from training.scoring.meteor import meteor


def one(caption: str, *references: str) -> float:
    return meteor([caption.split()], [[r.split() for r in references]])


def test_synonyms_and_stems_are_the_same_word() -> None:
    # Two words in one piece: 1 - 0.5 · (1 / 2)³
    assert one("a auto", "a tree", "a car") == pytest.approx(93.75)
    assert one("two dogs", "two dog") == pytest.approx(93.75)
    assert one("a tree", "a car") == pytest.approx(25)


def test_order_costs_and_nothing_in_common_is_nothing() -> None:
    assert one("runs dog a", "a dog runs") == pytest.approx(50)
    assert one("two men", "a dog runs") == 0
