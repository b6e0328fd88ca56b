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
from training.objectives.likelihood import pad_references
from training.objectives.query_ctc import query_ctc
from training.writing import pointing


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


def test_the_search_finds_the_box_that_is_likeliest_over_all_alignments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Against every box of a few bins, each scored by the loss."""
    bins = 4
    monkeypatch.setattr(pointing, "BINS", bins)
    monkeypatch.setattr(pointing, "BRANCHES", bins)
    monkeypatch.setattr(pointing, "WIDTH", 10_000)
    for seed in range(10):
        logits = torch.randn(1, 9, FIRST_BIN + BINS, generator=torch.manual_seed(seed)) * 3
        wanted = [*range(FIRST_BIN, FIRST_BIN + bins), BLANK, EOS]
        log_p = logits.log_softmax(-1)[0][:, wanted]
        every = [
            [FIRST_BIN + n for n in box]
            for box in itertools.product(range(bins), repeat=4)
            if box[0] < box[2] and box[1] < box[3]
        ]
        labels, lengths = pad_references([[[*box, EOS] for box in every]])
        nll = query_ctc(logits, labels, lengths, BLANK).negative_log_likelihood[0]
        best = [FIRST_BIN + n for n in pointing.prefixes(log_p)[0]]
        assert best == every[int(nll.argmin())]
