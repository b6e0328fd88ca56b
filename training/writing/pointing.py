"""From a network to a box: the likeliest four location tokens.

For Narvl by Query-CTC, exact over all alignments: every slot's probabilities of the bins, the blank
and EOS, searched by a beam that keeps to the grammar, and the best boxes scored by the loss itself.
The twin writes token by token under the same grammar.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.data.boxes import BINS, FIRST_BIN
from training.data.tokenizer import BLANK, BOS, EOS
from training.network.model import AutoregressiveCaptioner, Narvl, memory_mask
from training.objectives.likelihood import pad_references
from training.objectives.query_ctc import query_ctc

WIDTH = 24
"""Prefixes that the search keeps."""
BRANCHES = 24
"""Bins of a slot, the likeliest, that a prefix is continued with."""
SCORED = 16
"""Boxes that are scored exactly."""
_LENGTH = 4


def _allowed(prefix: tuple[int, ...], bin: int) -> bool:
    """Whether a bin may be next: the third is above the first, the fourth above the second."""
    if len(prefix) < 2:
        return bin < BINS - 1
    return len(prefix) < _LENGTH and bin > prefix[len(prefix) - 2]


def prefixes(log_p: Tensor) -> list[tuple[int, ...]]:
    """Boxes as bins, likeliest first, by a prefix beam (Graves 2006, Hannun 2014) over the
    log-probabilities [slots, BINS + 2] of bins, blank and EOS, in this order. A finished box stays
    as it is."""
    blank, end = BINS, BINS + 1
    likeliest = log_p[:, :BINS].topk(BRANCHES).indices.tolist()
    # Of each prefix: the log-probability of its paths that end in a blank, and in its last token.
    alive: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
    for slot, bins in zip(log_p.tolist(), likeliest, strict=True):
        step: dict[tuple[int, ...], list[float]] = {}

        def add(prefix: tuple[int, ...], in_blank: bool, value: float, step=step) -> None:
            row = step.setdefault(prefix, [-math.inf, -math.inf])
            at = 0 if in_blank else 1
            high, low = max(row[at], value), min(row[at], value)
            row[at] = high if low == -math.inf else high + math.log1p(math.exp(low - high))

        for prefix, (in_blank, in_last) in alive.items():
            whole = _log_add(in_blank, in_last)
            add(prefix, True, whole + slot[blank])
            if prefix:
                add(prefix, False, in_last + slot[prefix[-1]])
            if len(prefix) == _LENGTH:
                add((*prefix, end), False, whole + slot[end])
                continue
            if len(prefix) > _LENGTH:
                continue
            for bin in bins:
                if _allowed(prefix, bin):
                    # Equal neighbours need a blank between them.
                    before = in_blank if prefix and prefix[-1] == bin else whole
                    add((*prefix, bin), False, before + slot[bin])
        best = sorted(step.items(), key=lambda item: -_log_add(*item[1]))[:WIDTH]
        alive = {prefix: (a, b) for prefix, (a, b) in best}
    done = [(p, _log_add(*v)) for p, v in alive.items() if len(p) == _LENGTH + 1]
    return [prefix[:_LENGTH] for prefix, _ in sorted(done, key=lambda item: -item[1])]


def _log_add(a: float, b: float) -> float:
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


@torch.inference_mode()
def point(model: Narvl, features: Tensor, prompt: Tensor) -> list[tuple[list[int], float]]:
    """Each image's likeliest box as tokens, with its exact log-probability. No box that the grammar
    allows can be so unlikely that there is none: the middle of the photo then, at -inf."""
    logits = model(features, prompt, "locate").float()
    log_p = logits.log_softmax(-1)
    bins = torch.arange(FIRST_BIN, FIRST_BIN + BINS)
    wanted = torch.cat([bins, torch.tensor([BLANK, EOS])]).to(log_p.device)
    found = [prefixes(slots)[:SCORED] for slots in log_p[..., wanted]]
    texts = [[[FIRST_BIN + n for n in box] for box in boxes] for boxes in found]
    texts = [boxes or [[FIRST_BIN + n for n in (16, 16, 48, 48)]] for boxes in texts]
    labels, lengths = pad_references([[[*box, EOS] for box in boxes] for boxes in texts])
    result = query_ctc(logits, labels.to(logits.device), lengths.to(logits.device), BLANK)
    scores = -result.negative_log_likelihood.masked_fill(lengths.to(logits.device) == 0, math.inf)
    best = scores.max(1)
    return [
        (boxes[i], score)
        for boxes, i, score in zip(texts, best.indices.tolist(), best.values.tolist(), strict=True)
    ]


@torch.inference_mode()
def point_by_token(
    model: AutoregressiveCaptioner, features: Tensor, prompt: Tensor, beams: int
) -> list[tuple[list[int], float]]:
    """The same of the twin: a beam of `beams` over the bins that the grammar allows."""
    memory = model.fusion(features, prompt)
    kvs = [kv.repeat_interleave(beams, 0) for kv in model.decoder.keys_and_values(memory)]
    mask = memory_mask(prompt, memory.shape[1]).repeat_interleave(beams, 0)
    batch, device = len(features), features.device
    tokens = torch.full((batch * beams, 1), BOS, device=device)
    scores = torch.full((batch, beams), -math.inf, device=device)
    scores[:, 0] = 0
    bins = torch.arange(BINS, device=device)
    for position in range(_LENGTH):
        rows, _ = model.decoder(model.embed(tokens), kvs, mask, causal=True)
        log_p = model.project(rows[:, -1]).float().log_softmax(-1)
        log_p = log_p[:, FIRST_BIN : FIRST_BIN + BINS]
        least = tokens[:, position - 1] - FIRST_BIN if position >= 2 else None
        if least is None:
            log_p = log_p.masked_fill(bins == BINS - 1, -math.inf)
        else:
            log_p = log_p.masked_fill(bins <= least.unsqueeze(1), -math.inf)
        total = (scores.flatten().unsqueeze(1) + log_p).view(batch, -1)
        scores, index = total.topk(beams, dim=1)
        parents = index // BINS + torch.arange(batch, device=device).unsqueeze(1) * beams
        words = (index % BINS + FIRST_BIN).flatten().unsqueeze(1)
        tokens = torch.cat([tokens[parents.flatten()], words], 1)
    first = tokens.view(batch, beams, -1)[:, 0, 1:].tolist()
    return list(zip(first, scores[:, 0].tolist(), strict=True))
