"""Whether two ways to write texts agree, and over which of them that is said."""

from __future__ import annotations

import math

import pytest

from training.commands.parity import in_turns
from training.shipping.parity import Answer, agreement


def text(ids: list[int], p: float) -> Answer:
    return ids, [{7: math.log(p), 9: math.log(1 - p)}]


def test_all_the_same() -> None:
    found = agreement([text([7], 0.8)] * 3, [text([7], 0.8)] * 3)
    assert (found.texts, found.same, found.largest, found.where_not) == (3, 3, 0.0, None)
    assert found.good


def test_a_near_tie_that_tips_is_told_apart_from_other_differences() -> None:
    one = [text([7], 0.9)] * 199 + [text([7], 0.50001)]
    other = [text([7], 0.9001)] * 199 + [text([9], 0.49999)]
    found = agreement(one, other)
    assert (found.texts, found.same) == (200, 199)
    assert found.where_not == pytest.approx(4e-5, rel=0.01)
    assert found.largest == pytest.approx(1e-3, rel=0.01)
    assert found.where_not < found.largest


def test_too_few_or_too_far() -> None:
    good, bad = [text([7], 0.9)] * 98, [text([7], 0.9)] * 2
    assert not agreement(good + bad, good + [text([9], 0.9)] * 2).good
    assert not agreement(good, [text([7], 0.91)] * 98).good


def test_the_shorter_list_is_of_the_first_texts() -> None:
    found = agreement([text([7], 0.8), text([9], 0.3)], [text([7], 0.8)])
    assert (found.texts, found.same) == (1, 1)
    with pytest.raises(ValueError, match="got none"):
        agreement([], [])


def test_kinds_take_turns() -> None:
    assert in_turns(["a", "b", "c"], ["1"]) == ["a", "1", "b", "c"]
