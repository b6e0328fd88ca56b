"""From a network to a box: the likeliest four location tokens, or what a phrase map bears out.

For Narvl by Query-CTC, exact over all alignments and all boxes: `src/decode/box.ts` is its twin
and says how. The autoregressive twin writes token by token under the same grammar. Both share what
a bin has with the bins near it first.

A network with a phrase map points where the expected overlap with it is greatest (soft intersection
over union: Rahman & Wang 2016), and the likelihood of the four tokens counts a little beside that;
the autoregressive one chooses so among the boxes of its beam.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from training.data.boxes import BINS, FIRST_BIN, corners, cover
from training.data.tokenizer import BLANK, BOS, EOS
from training.network.model import AutoregressiveCaptioner, Narvl, memory_mask

SPREAD = 8.0
"""Bins that an edge may be off and be as good as right: the standard deviation of `near`'s kernel,
found on the phrases of the validation split."""
STRIDE = 4
"""Bins from one edge that is tried to the next, where there is a phrase map."""
WEIGHT = 0.05
"""What a nat of log-likelihood counts beside one of overlap: found on validation phrases too."""
_LEAST = 1e-300
"""Probability that a box counts with at least, so that a map can always be followed."""
_MIDDLE = [16, 16, 48, 48]
_EDGES = 4
"""Tokens of a box."""
_PAIRS = 64
"""First corners that are tried at once, those first that can be of the likeliest boxes."""


def near(p: Tensor, spread: float = SPREAD) -> Tensor:
    """Probabilities [..., BINS] shared with the bins near each, by a Gaussian that sums to 1.

    To Query-CTC a box whose edge is one bin off is another text, so that the likeliest of all is a
    narrow peak; what overlaps the truth is the middle of where edges are likely.
    """
    if spread == 0:
        return p
    at = torch.arange(p.shape[-1], device=p.device, dtype=p.dtype)
    kernel = torch.exp(-0.5 * ((at[:, None] - at) / spread) ** 2)
    kernel = kernel / kernel.sum(1, keepdim=True)
    return (p.unsqueeze(-1) * kernel).sum(-2)  # no product of matrices: those autocast rounds


def _before(blank: Tensor, bins: Tensor) -> tuple[Tensor, Tensor]:
    """p of the paths through the slots before each that spell each pair [slots, x0, y0], and of
    those of them that end in a blank, of probabilities `blank` [slots] and `bins` [slots, n]."""
    count = bins.shape[1]
    same = torch.eye(count, dtype=torch.bool)
    start, first, between = bins.new_ones(()), bins.new_zeros(count), bins.new_zeros(count)
    second, end = bins.new_zeros(count, count), bins.new_zeros(count, count)
    whole, blanks = [], []
    for none, bin in zip(blank, bins, strict=True):
        whole.append(second + end)
        blanks.append(end)
        end = (end + second) * none
        came = between[:, None] + first[:, None].masked_fill(same, 0)
        second = (second + came) * bin
        between = (between + first) * none
        first = (first + start) * bin
        start = start * none
    return torch.stack(whole), torch.stack(blanks)


def _from(blank: Tensor, bins: Tensor, end: Tensor) -> Tensor:
    """p of the paths from each slot on that spell each pair, its first token in that slot
    [slots, x1, y1]."""
    slots, count = bins.shape
    same = torch.eye(count, dtype=torch.bool)
    first = bins.new_zeros(count, count)
    between, second, rest = bins.new_zeros(count), bins.new_zeros(count), bins.new_ones(count)
    blanks, ended = bins.new_zeros(()), bins.new_zeros(())
    found = []
    for slot in reversed(range(slots)):
        none, bin = blank[slot], bins[slot]
        came = between + second.expand(count, count).masked_fill(same, 0)
        first = (first + came) * bin[:, None]
        between = (between + second) * none
        second = rest * bin
        # Behind the last slot there is no more to come; behind the end, nothing is read.
        blanks = none if slot == slots - 1 else (blanks + ended) * none
        ended = end[slot]
        rest = second + blanks + ended
        found.append(first)
    return torch.stack(found[::-1])


def _most_behind(after: Tensor) -> Tensor:
    """In each slot, the most that any pair has that may follow a pair: of greater x and y."""
    most = after.flip(1, 2).cummax(1).values.cummax(2).values.flip(1, 2)
    return F.pad(most[:, 1:, 1:], (0, 1, 0, 1))


@torch.autocast("cpu", enabled=False)
def best_box(blank: Tensor, end: Tensor, bins: Tensor) -> tuple[list[int], float]:
    """Of the probabilities of the blank and EOS [slots] and of the bins [slots, n], the likeliest
    of all boxes with x0 < x1 and y0 < y1, as bins, and its log-probability."""
    count = bins.shape[1]
    whole, blanks = (half.flatten(1) for half in _before(blank, bins))
    from_there = _from(blank, bins, end)
    bounds = (whole * _most_behind(from_there).flatten(1)).sum(0)
    after = from_there.flatten(1)
    every = torch.arange(count)
    x1, y1 = every.repeat_interleave(count), every.repeat(count)
    best, box = 0.0, _MIDDLE
    for pairs in bounds.argsort(descending=True).split(_PAIRS):
        if float(bounds[pairs[0]]) <= best:  # nor can any pair behind it be better
            break
        x0, y0 = (pairs // count)[:, None], (pairs % count)[:, None]
        # Two neighbours that are equal stay two with a blank between them.
        p = torch.where(x1 == y0, blanks[:, pairs].T @ after, whole[:, pairs].T @ after)
        p = p * ((x1 > x0) & (y1 > y0))
        score, at = p.flatten().max(0)
        if float(score) > best:
            best, pair, behind = float(score), int(pairs[at // count**2]), int(at % count**2)
            box = [pair // count, pair % count, behind // count, behind % count]
    return box, math.log(best) if best > 0 else -math.inf


class Pointed(NamedTuple):
    """A box as tokens, and what says how sure it is: the mean log-probability of a token, or the
    score of `best_overlap`."""

    tokens: list[int]
    sure: float


class _Candidates(NamedTuple):
    """The boxes whose edges are among some bins, a STRIDE apart and the last: those bins, each box
    as indices of them [M, 4], and how much of each cell of a grid it covers [M, cells]."""

    edges: Tensor
    boxes: Tensor
    cover: Tensor


@cache
def _candidates(side: int) -> _Candidates:
    edges = torch.tensor(sorted({*range(0, BINS, STRIDE), BINS - 1}))
    ends = [(low, high) for low in range(len(edges)) for high in range(low + 1, len(edges))]
    # In rising order of x0, y0, x1, y1: of boxes that are equally good the first is taken.
    boxes = torch.tensor(sorted((x0, y0, x1, y1) for x0, x1 in ends for y0, y1 in ends))
    return _Candidates(edges, boxes, cover((edges[boxes].double() + 0.5) / BINS, side))


def overlaps(places: Tensor, covered: Tensor) -> Tensor:
    """The expected overlap [M] of boxes that cover cells so much [M, cells] with what lies in each
    cell by the log odds `places` [cells]: expected intersection over expected union."""
    inside = places.double().sigmoid()
    shared = covered @ inside
    return shared / (inside.sum() + covered.sum(1) - shared)


@torch.autocast("cpu", enabled=False)
def best_overlap(
    blank: Tensor, end: Tensor, bins: Tensor, places: Tensor
) -> tuple[list[int], float]:
    """Of boxes whose edges are STRIDE apart the one with the greatest log overlap + WEIGHT ·
    log-probability, by the same posteriors as `best_box`, as bins, and that sum."""
    edges, boxes, covered = _candidates(_side(places))
    blank, end, bins = blank.double(), end.double(), bins[:, edges].double()
    whole, blanks = (half.flatten(1) for half in _before(blank, bins))
    after = _from(blank, bins, end).flatten(1)
    count = bins.shape[1]
    pair, behind = boxes[:, 0] * count + boxes[:, 1], boxes[:, 2] * count + boxes[:, 3]
    # Two neighbours that are equal stay two with a blank between them.
    spelt = torch.where(boxes[:, 2] == boxes[:, 1], blanks[:, pair], whole[:, pair])
    p = (spelt * after[:, behind]).sum(0).clamp(min=_LEAST)
    scores = overlaps(places, covered).log() + WEIGHT * p.log()
    best = int(scores.numpy().argmax())  # the first of equals, as torch's need not be
    return edges[boxes[best]].tolist(), float(scores[best])


@torch.inference_mode()
def point(model: Narvl, features: Tensor, prompt: Tensor) -> list[Pointed]:
    """Each image's box. If all that the grammar allows are so unlikely that there is none, and
    there is no phrase map: the middle of the photo, at -inf."""
    p = model(features, prompt, "locate").float().softmax(-1).cpu()
    bins = near(p[..., FIRST_BIN : FIRST_BIN + BINS])
    slots = list(zip(p[..., BLANK], p[..., EOS], bins, strict=True))
    places = model.fusion.places(features, prompt)
    if places is None:
        boxes = [best_box(*one) for one in slots]
        return [Pointed([FIRST_BIN + n for n in box], score / _EDGES) for box, score in boxes]
    placed = zip(slots, places.float().cpu(), strict=True)
    boxes = [best_overlap(*one, where) for one, where in placed]
    return [Pointed([FIRST_BIN + n for n in box], score) for box, score in boxes]


@torch.inference_mode()
def point_by_token(
    model: AutoregressiveCaptioner, features: Tensor, prompt: Tensor, beams: int
) -> list[Pointed]:
    """The same of the twin: a beam of `beams` over the bins that the grammar allows."""
    evidence = model.evidence(features)
    memory = model.fusion(features, prompt, evidence=evidence)
    seen = None if evidence is None else evidence.repeat_interleave(beams, 0)
    kvs = [kv.repeat_interleave(beams, 0) for kv in model.decoder.keys_and_values(memory)]
    mask = memory_mask(prompt, memory.shape[1]).repeat_interleave(beams, 0)
    batch, device = len(features), features.device
    tokens = torch.full((batch * beams, 1), BOS, device=device)
    scores = torch.full((batch, beams), -math.inf, device=device)
    scores[:, 0] = 0
    bins = torch.arange(BINS, device=device)
    for position in range(_EDGES):
        rows, _ = model.decoder(model.embed(tokens), kvs, mask, causal=True)
        p = model.project(rows[:, -1:], seen, model.tilt)[:, 0].float().softmax(-1)
        log_p = near(p[:, FIRST_BIN : FIRST_BIN + BINS]).log()
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
    found = tokens.view(batch, beams, -1)[:, :, 1:]
    places = model.fusion.places(features, prompt)
    if places is None:
        likeliest = zip(found[:, 0].tolist(), scores[:, 0].tolist(), strict=True)
        return [Pointed(box, score / _EDGES) for box, score in likeliest]
    chosen = []
    for boxes, log_p, where in zip(found.tolist(), scores.double(), places, strict=True):
        covered = cover(torch.tensor([corners(box) for box in boxes]).double(), _side(where))
        score = overlaps(where, covered).log() + WEIGHT * log_p
        best = int(score.argmax())
        chosen.append(Pointed(boxes[best], float(score[best])))
    return chosen


def _side(places: Tensor) -> int:
    """Cells of a grid's side."""
    return math.isqrt(len(places))
