"""Boxes as tokens, what a mirror makes of them, and the search for the likeliest."""

from __future__ import annotations

import itertools

import pytest
import torch

from training.data.boxes import (
    BINS,
    FIRST_BIN,
    corners,
    encode_box,
    is_box,
    mirrored,
    overlap,
    spell,
)
from training.data.tokenizer import BLANK, EOS
from training.writing.ctc_beam import text_log_p
from training.writing.pointing import best_box, near


@pytest.mark.parametrize(
    "box", [(0.0, 0.0, 1.0, 1.0), (0.2, 0.3, 0.21, 0.31), (0.999, 0.999, 1.0, 1.0)]
)
def test_a_box_has_an_extent_both_ways_and_is_found_again(
    box: tuple[float, float, float, float],
) -> None:
    tokens = encode_box(spell(box))
    assert is_box(tokens)
    for there, here in zip(box, corners(tokens), strict=True):
        assert abs(there - here) <= 2 / BINS


def test_a_mirror_mirrors() -> None:
    tokens = encode_box(spell((0.1, 0.2, 0.4, 0.9)))
    x0, y0, x1, y1 = corners(tokens)
    assert corners(mirrored(tokens)) == pytest.approx((1 - x1, y0, 1 - x0, y1))
    assert mirrored(mirrored(tokens)) == tokens


def test_words_are_no_box() -> None:
    with pytest.raises(ValueError, match="got 'a dog'"):
        encode_box("a dog")
    assert not is_box([FIRST_BIN + 9, FIRST_BIN, FIRST_BIN + 3, FIRST_BIN + 4])


def test_overlap_is_of_intersection_and_union() -> None:
    assert overlap((0, 0, 0.5, 1), (0, 0, 1, 1)) == 0.5
    assert overlap((0, 0, 0.5, 1), (0.5, 0, 1, 1)) == 0


@pytest.mark.parametrize("seed", range(10))
def test_the_box_is_the_likeliest_over_all_alignments(seed: int) -> None:
    """Against every box of a few bins, each scored by the forward algorithm."""
    bins = 4
    words = [7, 8, 9]
    tokens = [BLANK, EOS, *range(FIRST_BIN, FIRST_BIN + bins), *words]
    logits = torch.randn(9, len(tokens), generator=torch.manual_seed(seed)) * 3
    log_p = logits.double().log_softmax(-1)
    slots = [list(zip(tokens, row, strict=True)) for row in log_p.tolist()]
    every = {
        box: text_log_p(slots, [FIRST_BIN + n for n in box])
        for box in itertools.product(range(bins), repeat=4)
        if box[0] < box[2] and box[1] < box[3]
    }
    p = log_p.exp()
    box, score = best_box(p[:, 0], p[:, 1], p[:, 2 : 2 + bins])
    assert tuple(box) == max(every, key=lambda box: every[box])
    assert score == pytest.approx(max(every.values()))


def test_what_a_bin_has_is_shared_with_those_near_it() -> None:
    p = torch.zeros(2, BINS)
    p[0, 20], p[1, 0] = 0.5, 1.0
    shared = near(p, 2.0)
    assert torch.allclose(shared.sum(1), p.sum(1))
    assert shared[0].argmax() == 20 and shared[0, 19] == pytest.approx(float(shared[0, 21]))
    assert shared[0, 19] > shared[0, 17] > shared[0, 10]
    assert shared[1, 0] > shared[1, 1]
    assert torch.equal(near(p, 0), p)


def test_a_box_is_where_edges_are_likely_rather_than_where_one_bin_is_likeliest() -> None:
    # Three bins side by side have more than a fourth far off, which alone has most.
    p = torch.full((BINS,), 1e-6)
    p[[30, 31, 32]], p[5] = 0.2, 0.3
    assert p.argmax() == 5 and near(p, 3.0).argmax() == 31
