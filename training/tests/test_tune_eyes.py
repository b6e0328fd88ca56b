"""What the eyes are tuned with: windows, boxes in them, and a backbone that learns unfolded."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.eyes.backbone import Backbone, FoldedConvolution, folded
from training.eyes.terms import Terms, terms_in
from training.eyes.tuning import View, seen, under


def test_a_backbone_that_learns_sees_what_the_folded_one_sees() -> None:
    plain, learns = Backbone(64), Backbone(64, layer=FoldedConvolution)
    pixels = torch.rand(2, 3, 64, 64)
    for one in (learns, folded(learns)):
        torch.testing.assert_close(one(pixels), plain(pixels), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(
        plain.behind(plain.before(pixels, 5), 5), plain(pixels), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("turned", [False, True])
def test_a_box_stays_on_its_pixels(turned: bool) -> None:
    photo = torch.zeros(1, 3, 64, 64)
    photo[:, :, 16:32, 32:48] = 1
    view = View(0.25, 0.125, 0.75, 0.5, turned)
    box = view.box((0.5, 0.25, 0.75, 0.5))
    assert box is not None
    pixels = seen(photo, [view], 96)[0, 0]
    x0, y0, x1, y1 = (round(96 * edge) for edge in box)
    inside = pixels[y0:y1, x0:x1].sum()
    assert inside / pixels.sum() > 0.95
    assert inside / ((x1 - x0) * (y1 - y0)) > 0.9


def test_a_box_that_is_mostly_outside_is_none() -> None:
    assert View(0.5, 0.5, 0.5, 0.5, False).box((0.0, 0.0, 0.6, 0.6)) is None


def test_cells_under_a_box_share_one() -> None:
    cells = under(torch.tensor([[0.0, 0.0, 0.5, 0.25], [0.1, 0.1, 0.2, 0.2]]), 4)
    torch.testing.assert_close(cells.sum(1), torch.ones(2))
    assert np.flatnonzero(cells[0]).tolist() == [0, 1]


def test_terms_are_content_words_and_their_pairs() -> None:
    assert terms_in("a red shirt on the man") == {"red", "shirt", "man", "red shirt"}
    terms = Terms([["a red shirt"]] * 12 + [["a blue hat"]], 10)
    assert terms.of(["the shirt is red"]) == sorted(terms.index[t] for t in ("red", "shirt"))
    assert "hat" not in terms.index
