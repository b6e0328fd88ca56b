"""The loss against every alignment written out, and its gradient against finite differences."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from training.objectives.query_ctc import best_alignment, query_ctc, slots_needed, smoothed

BLANK = 0


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(token for token, _ in itertools.groupby(path) if token != BLANK)


def brute_force(logits: torch.Tensor, labels: tuple[int, ...]) -> float:
    """-log of the sum of the probabilities of all paths that collapse to `labels`."""
    log_p = logits.log_softmax(-1)
    slots, vocabulary = log_p.shape
    paths = [p for p in itertools.product(range(vocabulary), repeat=slots) if collapse(p) == labels]
    if not paths:
        return math.inf
    scores = [sum(log_p[t, token] for t, token in enumerate(path)) for path in paths]
    return -torch.stack(scores).logsumexp(0).item()


def padded(texts: list[list[tuple[int, ...]]]) -> tuple[torch.Tensor, torch.Tensor]:
    references = max(len(image) for image in texts)
    longest = max(1, max(len(text) for image in texts for text in image))
    labels = torch.ones(len(texts), references, longest, dtype=torch.long)
    lengths = torch.zeros(len(texts), references, dtype=torch.long)
    for b, image in enumerate(texts):
        for r, text in enumerate(image):
            labels[b, r, : len(text)] = torch.tensor(text, dtype=torch.long)
            lengths[b, r] = len(text)
    return labels, lengths


@pytest.mark.parametrize("slots", [1, 2, 3, 5])
def test_equals_the_sum_over_all_alignments(slots: int) -> None:
    torch.manual_seed(slots)
    texts = [[(1,), (1, 2), (1, 1)], [(2, 1, 2), (3,)], [(3, 3, 1), (2, 2, 2)]]
    logits = torch.randn(3, slots, 4, dtype=torch.float64) * 2
    result = query_ctc(logits, *padded(texts), blank=BLANK)
    for b, image in enumerate(texts):
        for r, text in enumerate(image):
            expected = brute_force(logits[b], text)
            assert result.negative_log_likelihood[b, r].item() == pytest.approx(expected)
            assert result.infeasible[b, r].item() == math.isinf(expected)
            assert math.isinf(expected) == (slots_needed(list(text)) > slots)


def test_gradient_equals_finite_differences() -> None:
    torch.manual_seed(0)
    # Repeats, a text as long as the slots, one that does not fit and an absent reference.
    labels, lengths = padded([[(1, 1), (2, 3, 1)], [(3,), (1, 1, 1)], [(2, 1, 2, 3)]])
    logits = torch.randn(3, 4, 5, dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([[0.5, -2.0], [1.0, 1.0], [0.3, 0.0]], dtype=torch.float64)
    for loss in (
        lambda x: smoothed(query_ctc(x, labels, lengths, BLANK).each(), x, 0.1),
        lambda x: query_ctc(x, labels, lengths, BLANK).any(),
        lambda x: query_ctc(x, labels, lengths, BLANK).weighted(weights),
    ):
        assert torch.autograd.gradcheck(loss, (logits,))


def test_any_reference_is_the_probability_of_all_of_them() -> None:
    torch.manual_seed(3)
    texts = [(1, 2), (3,), (1, 1, 1)]  # the last needs five slots of four
    labels, lengths = padded([texts])
    logits = torch.randn(1, 4, 4, dtype=torch.float64)
    result = query_ctc(logits, labels, lengths, BLANK)
    likelihood = sum(math.exp(-brute_force(logits[0], text)) for text in texts)
    assert result.any().item() == pytest.approx(-math.log(likelihood))


def test_best_alignment_is_the_likeliest_path_that_spells_the_text() -> None:
    torch.manual_seed(4)
    logits = torch.randn(5, 5, 4, dtype=torch.float64) * 2
    texts = [(1,), (1, 1), (2, 3, 1), (1, 1, 1), (2, 2, 1, 1)]  # the last does not fit
    labels, lengths = padded([[t] for t in texts])
    paths = best_alignment(logits, labels[:, 0], lengths[:, 0], BLANK).tolist()
    for b, text in enumerate(texts[:-1]):
        spelling = [p for p in itertools.product(range(4), repeat=5) if collapse(p) == text]
        best = max(spelling, key=lambda p: sum(logits[b, t, k].item() for t, k in enumerate(p)))
        assert tuple(paths[b]) == best
    assert paths[-1] == [BLANK] * 5


def test_agrees_with_torch_on_long_texts() -> None:
    torch.manual_seed(1)
    logits = torch.randn(6, 32, 50, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(1, 50, (6, 1, 14))
    lengths = torch.tensor([14, 3, 9, 1, 12, 14]).view(6, 1)
    ours = query_ctc(logits, labels, lengths, BLANK)
    (gradient,) = torch.autograd.grad(ours.each(), logits)
    theirs = torch.nn.functional.ctc_loss(
        logits.log_softmax(-1).transpose(0, 1),
        labels[:, 0],
        torch.full((6,), 32),
        lengths[:, 0],
        blank=BLANK,
        reduction="none",
    )
    torch.testing.assert_close(ours.negative_log_likelihood[:, 0], theirs)
    (expected,) = torch.autograd.grad(theirs.mean(), logits)
    torch.testing.assert_close(gradient, expected)


def test_a_target_that_does_not_fit_is_reported_and_has_no_gradient() -> None:
    labels, lengths = padded([[(1, 1)]])
    logits = torch.randn(1, 2, 3, requires_grad=True)
    result = query_ctc(logits, labels, lengths, BLANK)
    assert result.infeasible.tolist() == [[True]]
    assert result.negative_log_likelihood.item() == math.inf
    result.each().backward()
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_smoothing_is_the_mean_log_probability() -> None:
    torch.manual_seed(2)
    logits = torch.randn(2, 4, 6, dtype=torch.float64)
    expected = 0.9 * 7 - 0.1 * logits.log_softmax(-1).mean()
    assert smoothed(torch.tensor(7.0), logits, 0.1).item() == pytest.approx(expected.item())
