"""Query-CTC: the loss that marginalises over all monotone alignments of a text to the N queries.

Ordinary CTC (Graves et al. 2006, eqs. 6-15) in which the query slots take the place of time
steps, with the label smoothing of NARVL (Shi et al. 2024). Several references of one image share
one decoder pass: the recursion runs over the log-probabilities of their labels only, gathered
from one set of logits, and its gradient is the closed form, -gamma.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

INFINITY = float("inf")


@dataclass(frozen=True)
class QueryCtc:
    """What the loss says about a batch of B images with up to R references each."""

    negative_log_likelihood: Tensor
    """[B, R], differentiable; infinite where no alignment exists, zero in unused places."""
    counted: Tensor
    """[B, R] bool: references that are there and that the slots can spell."""
    infeasible: Tensor
    """[B, R] bool: references that need more slots than there are. They add nothing to a loss,
    so a caller must count and report them."""

    def each(self) -> Tensor:
        """Scalar: the mean over images of the mean over their references. Every reference is
        learnt, however unlike the others it is."""
        per_image = self._masked(0.0).sum(1) / self.counted.sum(1).clamp(min=1)
        return per_image.mean()

    def any(self) -> Tensor:
        """Scalar: the mean over images of -log of the probability of all their references
        together. A reference counts by its posterior, so that the model may settle on the one
        that it can say (as reference selection does, Shao et al. 2022)."""
        something = self.counted.any(1, keepdim=True)
        nll = self._masked(INFINITY).masked_fill(~something, 0.0)
        return (-(-nll).logsumexp(1) * something.squeeze(1)).mean()

    def weighted(self, weights: Tensor) -> Tensor:
        """Scalar: the mean over images of the sum of their references, each times its own weight
        [B, R]."""
        return (self._masked(0.0) * weights).sum(1).mean()

    def _masked(self, value: float) -> Tensor:
        return self.negative_log_likelihood.masked_fill(~self.counted, value)


def slots_needed(labels: list[int]) -> int:
    """The fewest slots that can spell `labels`: adjacent repeats need a blank between them."""
    return len(labels) + sum(a == b for a, b in itertools.pairwise(labels))


def query_ctc(logits: Tensor, labels: Tensor, lengths: Tensor, blank: int) -> QueryCtc:
    """Query-CTC of `logits` [B, N, V] against `labels` [B, R, S], of which the first `lengths`
    [B, R] of each reference count (0: no reference there)."""
    batch, slots, _vocabulary = logits.shape
    references, longest = labels.shape[1:]
    log_z = logits.logsumexp(dim=-1, keepdim=True)

    flat = labels.reshape(batch, 1, references * longest).expand(-1, slots, -1)
    label_scores = logits.gather(2, flat) - log_z
    label_scores = label_scores.view(batch, slots, references, longest)
    blank_scores = (logits[..., blank : blank + 1] - log_z).unsqueeze(-1)
    blank_scores = blank_scores.expand(-1, -1, references, longest + 1)

    # The extended text: a blank before, between and after the labels.
    states = 2 * longest + 1
    emissions = torch.stack([blank_scores[..., :longest], label_scores], dim=-1)
    emissions = emissions.reshape(batch, slots, references, 2 * longest)
    emissions = torch.cat([emissions, blank_scores[..., longest:]], dim=-1)
    emissions = emissions.permute(0, 2, 1, 3).reshape(batch * references, slots, states)

    previous = torch.nn.functional.pad(labels[..., :-1], (1, 0), value=-1)
    may_skip = torch.zeros(batch, references, states, dtype=torch.bool, device=logits.device)
    may_skip[..., 1::2] = labels != previous
    may_skip[..., 1] = False  # there is no label before the first

    flat_lengths = lengths.reshape(-1)
    nll = _Alignments.apply(emissions, may_skip.view(-1, states), flat_lengths)
    nll = nll.view(batch, references)

    present = lengths > 0
    counted = present & torch.isfinite(nll)
    return QueryCtc(nll.masked_fill(~present, 0.0), counted, present & ~counted)


def smoothed(loss: Tensor, logits: Tensor, smoothing: float) -> Tensor:
    """Label smoothing as NARVL has it: (1 - smoothing) * loss - smoothing * mean(log p), with the
    mean over images, slots and words of `logits` [B, N, V]."""
    mean_log_p = (logits.mean(-1) - logits.logsumexp(-1)).mean()
    return (1 - smoothing) * loss - smoothing * mean_log_p


class _Alignments(torch.autograd.Function):
    """-log of the sum over all alignments, [M], from emissions [M, N, S'] (log space)."""

    @staticmethod
    def forward(ctx, emissions: Tensor, may_skip: Tensor, lengths: Tensor) -> Tensor:
        forward = _recursion(emissions, may_skip, _first_states(emissions, lengths))
        final = 2 * lengths.unsqueeze(1)
        last_blank = forward[:, -1].gather(1, final)
        last_label = forward[:, -1].gather(1, (final - 1).clamp(min=0))
        last_label = last_label.masked_fill(final == 0, -INFINITY)
        log_likelihood = torch.logaddexp(last_blank, last_label).squeeze(1)
        ctx.save_for_backward(emissions, may_skip, lengths, forward, log_likelihood)
        return -log_likelihood

    @staticmethod
    def backward(ctx, upstream: Tensor):
        emissions, may_skip, lengths, forward, log_likelihood = ctx.saved_tensors
        # Backward variables are the forward ones of the reversed text over the reversed slots.
        # Reversing each row around its own length keeps its states at the front.
        states = emissions.shape[-1]
        position = torch.arange(states, device=emissions.device)
        mirror = 2 * lengths.unsqueeze(1) - position
        inside = mirror >= 0
        mirror = mirror.clamp(min=0)
        index = mirror.unsqueeze(1).expand_as(emissions)
        flipped = emissions.flip(1).gather(2, index)
        # A skip from state s - 2 into s becomes one from s into s - 2.
        skip_source = (mirror + 2).clamp(max=states - 1)
        flipped_skip = may_skip.gather(1, skip_source) & (mirror + 2 < states) & inside
        backward = _recursion(flipped, flipped_skip, _first_states(flipped, lengths))
        backward = backward.flip(1).gather(2, index)
        exponent = forward + backward - emissions - log_likelihood.view(-1, 1, 1)
        feasible = torch.isfinite(log_likelihood).view(-1, 1, 1)
        valid = inside.unsqueeze(1) & feasible
        gamma = torch.where(valid, exponent, torch.full_like(exponent, -INFINITY)).exp()
        return -gamma * upstream.view(-1, 1, 1), None, None


def _first_states(emissions: Tensor, lengths: Tensor) -> Tensor:
    """Log-probabilities of the states that an alignment may start in: first blank, first label."""
    start = torch.full_like(emissions[:, 0], -INFINITY)
    start[:, 0] = emissions[:, 0, 0]
    has_label = lengths > 0
    start[:, 1] = torch.where(has_label, emissions[:, 0, 1], start[:, 1])
    return start


def best_alignment(logits: Tensor, labels: Tensor, lengths: Tensor, blank: int) -> Tensor:
    """The likeliest path [B, N] that spells each image's one text: labels [B, S], lengths [B].

    Viterbi over the same states. Where no alignment exists the path is all blank.
    """
    batch, slots, _vocabulary = logits.shape
    longest = labels.shape[1]
    extended = torch.full((batch, 2 * longest + 1), blank, device=labels.device)
    extended[:, 1::2] = labels
    emissions = logits.gather(2, extended.unsqueeze(1).expand(-1, slots, -1))
    may_skip = torch.zeros_like(extended, dtype=torch.bool)
    may_skip[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    score = _first_states(emissions, lengths)
    moves = []
    for t in range(1, slots):
        step = torch.nn.functional.pad(score[:, :-1], (1, 0), value=-INFINITY)
        skip = torch.nn.functional.pad(score[:, :-2], (2, 0), value=-INFINITY)
        skip = skip.masked_fill(~may_skip, -INFINITY)
        score, move = torch.stack([score, step, skip]).max(0)
        score = score + emissions[:, t]
        moves.append(move)
    final = 2 * lengths.unsqueeze(1)
    ends = torch.cat([score.gather(1, final), score.gather(1, (final - 1).clamp(min=0))], 1)
    state = final - ends.argmax(1, keepdim=True)
    states = [state]
    for move in reversed(moves):
        state = state - move.gather(1, state)
        states.append(state)
    path = extended.gather(1, torch.cat(states[::-1], 1).clamp(min=0))
    feasible = torch.isfinite(ends.amax(1, keepdim=True))
    return torch.where(feasible, path, torch.full_like(path, blank))


def _recursion(emissions: Tensor, may_skip: Tensor, start: Tensor) -> Tensor:
    """Forward variables [M, N, S']: stay, step, or skip a blank between different labels."""
    alphas = [start]
    for t in range(1, emissions.shape[1]):
        stay = alphas[-1]
        step = torch.nn.functional.pad(stay[:, :-1], (1, 0), value=-INFINITY)
        skip = torch.nn.functional.pad(stay[:, :-2], (2, 0), value=-INFINITY)
        skip = skip.masked_fill(~may_skip, -INFINITY)
        alphas.append(torch.logaddexp(torch.logaddexp(stay, step), skip) + emissions[:, t])
    return torch.stack(alphas, dim=1)
