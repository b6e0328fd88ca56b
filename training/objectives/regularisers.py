"""Terms beside Query-CTC that ask something of the slots' posteriors: options of a run, measured in
RESULTS.md."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from training.data.tokenizer import BLANK


def repetition(logits: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
    """Scalar: how many tokens a text of the slots' `logits` [B, N, V] is expected to say too often,
    the mean over images. A token may be said once, or as often as in one of the references
    `labels` [B, R, S], of which the first `lengths` [B, R] count.

    Slots are independent, so that the expected number of times that the collapse writes token v is
    a sum over them: sum_t p_t(v) (1 - p_{t-1}(v)), as v merges with itself. Expected counts are
    those of the bag-of-n-grams difference (Shao et al. 2020); only what exceeds is minimised here.
    """
    p = logits.softmax(-1)
    expected = p[:, 0] + (p[:, 1:] * (1 - p[:, :-1])).sum(1)
    inside = torch.arange(labels.shape[2], device=labels.device) < lengths.unsqueeze(-1)
    said = torch.zeros(*labels.shape[:2], logits.shape[2], device=logits.device)
    said.scatter_add_(2, labels, inside.to(said.dtype))
    excess = (expected - said.amax(1).clamp(min=1)).relu()
    excess = excess.index_fill(1, torch.tensor([BLANK], device=logits.device), 0.0)
    return excess.sum(1).mean()


def apart(of: Tensor, given: Tensor) -> Tensor:
    """Scalar: how far slots with logits `of` [B, N, V] are from those with the logits `given`,
    which learn nothing: the Kullback-Leibler divergence, summed over slots, the mean over
    images."""
    log_p, target = of.log_softmax(-1), given.detach().log_softmax(-1)
    return F.kl_div(log_p, target, log_target=True, reduction="sum") / len(of)


def disagreement(first: Tensor, second: Tensor) -> Tensor:
    """Scalar: how far two passes' slots [B, N, V] are apart, both ways, each from the other taken
    as given (R-Drop, Liang et al. 2021; summed over time as CTC's in CR-CTC, Yao et al. 2025)."""
    return (apart(first, second) + apart(second, first)) / 2
