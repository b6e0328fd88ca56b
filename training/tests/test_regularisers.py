"""The terms beside the loss: against every path written out, and as a run's options."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from training.data.batches import Batch
from training.data.tokenizer import BLANK
from training.network.model import Config, Narvl
from training.objectives.likelihood import NarvlObjective, SlotObjective
from training.objectives.regularisers import disagreement, repetition
from training.runs import loop
from training.runs.recipe import Run
from training.tests.test_query_ctc import collapse, padded

assert BLANK == 0
SMALL = Config(
    width=32, heads=4, encoder_layers=1, decoder_layers=1, ffn=48, vocabulary=50, prompt=5, slots=6
)


def expected_count(logits: torch.Tensor, token: int) -> float:
    """How often the collapse of all paths, each by its probability, says a token."""
    p = logits.softmax(-1)
    slots, vocabulary = p.shape
    total = 0.0
    for path in itertools.product(range(vocabulary), repeat=slots):
        probability = torch.stack([p[t, word] for t, word in enumerate(path)]).prod().item()
        total += probability * collapse(path).count(token)
    return total


def test_repetition_is_what_all_paths_say_too_often() -> None:
    torch.manual_seed(0)
    texts = [[(1, 2), (1, 1, 3)], [(2,)]]
    logits = torch.randn(2, 6, 4, dtype=torch.float64)
    logits[..., 1] += 2
    allowed = [[2, 1, 1], [1, 1, 1]]  # the most that a reference says it, once in any case
    per_image = [
        sum(max(0.0, expected_count(logits[b], v) - allowed[b][v - 1]) for v in (1, 2, 3))
        for b in range(2)
    ]
    assert max(per_image) > 0.5
    found = repetition(logits, *padded(texts))
    assert found.item() == pytest.approx(sum(per_image) / 2)


def test_nothing_that_is_said_once_is_a_repetition() -> None:
    logits = torch.full((1, 6, 4), -50.0)
    for slot, token in enumerate((1, 1, BLANK, 2, 3, 3)):
        logits[0, slot, token] = 50
    labels, lengths = padded([[(1, 2, 3)]])
    assert repetition(logits, labels, lengths).item() == pytest.approx(0)
    # Said again after a blank, it is one too many, unless the reference says it twice too.
    logits[0, 4] = logits[0, 0]
    assert repetition(logits, labels, lengths).item() == pytest.approx(1)
    assert repetition(logits, *padded([[(1, 2, 1, 3)]])).item() == pytest.approx(0)


def test_passes_disagree_by_their_divergence_both_ways() -> None:
    torch.manual_seed(0)
    first, second = torch.randn(2, 3, 5, 7).requires_grad_()
    p, q = first.softmax(-1), second.softmax(-1)
    both_ways = ((p - q) * (p.log() - q.log())).sum() / 2 / 3
    assert disagreement(first, second).item() == pytest.approx(both_ways.item(), rel=1e-5)
    assert disagreement(first, first).item() == pytest.approx(0, abs=1e-6)


def loss(seed: int = 1, **options: float) -> tuple[float, float]:
    """A batch's loss by an objective with `options`, and the norm of its gradient."""
    torch.manual_seed(0)
    model = Narvl(SMALL)
    model.words.data *= 30  # every slot is sure, of one of a few tokens
    run = Run(kind="narvl", smoothing=0.0, **options)
    features = torch.rand(2, SMALL.eyes.cells, SMALL.eyes.channels)
    batch = Batch([], features, torch.full((2, SMALL.prompt), 7), [[[8, 9, 8]], [[10]]])
    torch.manual_seed(seed)
    value = NarvlObjective(model, run, np.random.default_rng(0))(batch, "caption", 0.0)
    value.backward()
    return value.item(), model.queries.grad.norm().item()


def test_a_run_may_ask_for_either_term() -> None:
    plain, gradient = loss()
    assert loss() == (plain, gradient)
    more, steeper = loss(consistency=1.0)
    less, flatter = loss(consistency=1e-6)
    assert more > less + 1e-4
    assert steeper != flatter
    # Without its weight it is the mean of two passes that drop out different units.
    assert less != plain
    assert loss(repetition=1.0)[0] > plain


def test_slots_learn_what_anothers_say_in_place_of_texts() -> None:
    torch.manual_seed(0)
    exemplar, model = Narvl(SMALL).eval(), Narvl(SMALL).eval()
    objective = SlotObjective(model, exemplar)
    features = torch.rand(2, SMALL.eyes.cells, SMALL.eyes.channels)
    batch, other = (
        Batch([], features, torch.full((2, SMALL.prompt), 7), texts)
        for texts in ([[[8, 9]], [[10]]], [[[11]], [[12]]])
    )
    before = objective(batch, "caption", 0.0)
    assert before.item() > 0.1
    assert objective(other, "caption", 0.0).item() == before.item()
    before.backward()
    assert model.queries.grad is not None
    assert exemplar.queries.grad is None
    model.load_state_dict(exemplar.state_dict())
    assert objective(batch, "caption", 0.0).item() == pytest.approx(0, abs=1e-5)


def test_slots_are_held_in_captions_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    exemplar, model = Narvl(SMALL).eval(), Narvl(SMALL).eval()
    monkeypatch.setattr(loop, "load", lambda run: exemplar)
    run = Run(kind="narvl", slots_of="exemplar", slot_weight=0.5, own=2)
    people = NarvlObjective(model, run, np.random.default_rng(0))
    captions, *others = loop.lessons(model, run, people)
    assert isinstance(captions[-1], SlotObjective)
    assert captions[-1].exemplar is exemplar
    assert captions[3] == 0.5
    # Own captions, answers, boxes and statements are still those of people.
    assert [task for _, _, task, *_ in others] == ["caption", "answer", "locate", "entail"]
    assert all(objective is people for *_, objective in others)
    free = run.model_copy(update={"slots_of": None})
    assert all(objective is people for *_, objective in loop.lessons(model, free, people))
