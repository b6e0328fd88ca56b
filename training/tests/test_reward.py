"""The reward against the field's scorer, and what drawing and learning do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pycocoevalcap.cider.cider import Cider

from training.data.tokenizer import BLANK, BOS, EOS, PAD
from training.network.model import AutoregressiveCaptioner, Config, Narvl
from training.objectives.reward import CiderD, draw, mean_log_probability, spell

REFERENCES = [
    ["a brown dog runs on the grass", "the dog is running", "a dog in a field of grass"],
    ["two men ride bikes down a hill", "men on bikes", "bikers ride down the dirt hill"],
    ["a girl in a red dress", "a small girl smiles", "the girl wears a dress"],
]


def test_cider_is_the_scorers_own() -> None:
    captions = ["a dog runs on grass", "two men men ride a bike down the hill", "cats"]
    ours = CiderD(REFERENCES)
    _, theirs = Cider().compute_score(
        dict(enumerate(REFERENCES)), {i: [c] for i, c in enumerate(captions)}
    )
    for caption, references, expected in zip(captions, REFERENCES, theirs, strict=True):
        vectors = [ours.vectors(r) for r in references]
        assert ours.score(ours.vectors(caption), vectors) == pytest.approx(expected)
    assert np.max(theirs) > 1


def test_a_path_spells_its_labels() -> None:
    assert spell([BLANK, 5, 5, BLANK, 5, EOS, 6]) == [5, 5, EOS, 6]


def test_drawn_texts_come_as_often_as_they_are_likely() -> None:
    torch.manual_seed(0)
    logits = torch.tensor([[[0.3, 0.7], [0.6, 0.4]]]).log()  # blank or token 1, two slots
    (texts,) = draw(logits, 4000)
    empty = sum(t == [] for t in texts) / len(texts)
    assert empty == pytest.approx(0.3 * 0.6, abs=0.03)
    assert all(t in ([], [1]) for t in texts)


def test_mean_log_probability_is_of_every_token_and_the_end() -> None:
    torch.manual_seed(0)
    small = Config(
        width=16, heads=2, encoder_layers=1, decoder_layers=1, ffn=16, vocabulary=9, slots=6
    )
    teacher = AutoregressiveCaptioner(small).eval()

    class One:
        examples = (None,)
        features = torch.randn(1, small.eyes.cells, small.eyes.channels)
        prompt = torch.tensor([[4, 5, PAD]])
        evidence = None

    found = mean_log_probability(teacher, One(), [[6, 7], [8]], 2)
    with torch.no_grad():
        logits = teacher(
            One.features, One.prompt, torch.tensor([[BOS, 6, 7]]), torch.tensor([0])
        ).log_softmax(-1)[0]
    expected = (logits[0, 6] + logits[1, 7] + logits[2, EOS]) / 3
    assert found[0].item() == pytest.approx(expected.item(), abs=1e-5)


def test_a_student_starts_with_queries_for_each_task() -> None:
    small = Config(
        width=16, heads=2, encoder_layers=1, decoder_layers=1, ffn=16, vocabulary=9, box_slots=5
    )
    model = Narvl(small)
    model.initialise_from(AutoregressiveCaptioner(small))
    answers = small.slots + small.answer_slots
    assert model.tasks() == ["caption", "answer", "locate"]
    assert model.query_range("caption") == (0, small.slots)
    assert model.query_range("answer") == (small.slots, small.answer_slots)
    assert model.query_range("locate") == (answers, small.box_slots)
    assert len(model.queries) == answers + small.box_slots
