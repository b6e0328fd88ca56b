"""The language model sums to one, and the beam finds what writing out every path finds."""

from __future__ import annotations

import base64
import itertools
import json
import math

import pytest
import torch

from training.data.tokenizer import BLANK, BOS, EOS
from training.paths import REPOSITORY
from training.writing.ctc_beam import BeamOptions, best_path, prefix_beam
from training.writing.ngram import LEAST, NgramModel

WORDS = (4, 5, 6)
TEXTS = [(4, 5), (4, 5, 6), (5, 6), (4, 4), (6,)]


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    tokens = tuple(t for t, _ in itertools.groupby(path) if t != BLANK)
    return tokens[: tokens.index(EOS)] if EOS in tokens else tokens


@pytest.mark.parametrize("fewest", [1, 2])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_probabilities_after_any_history_sum_to_one(order: int, fewest: int) -> None:
    model = NgramModel(TEXTS, order, 8, fewest)
    for history in [(BOS,), (BOS, 4), (BOS, 4, 5), (BOS, 6, 6, 6), (BOS, 7)]:
        total = sum(math.exp(model.log_p(history, t)) for t in range(8))
        assert total == pytest.approx(1)


def test_what_was_seen_is_likelier() -> None:
    model = NgramModel(TEXTS, 3, vocabulary=8)
    assert model.log_p((BOS, 4), 5) > model.log_p((BOS, 4), 6)
    assert model.log_p((BOS,), 4) > model.log_p((BOS,), 7)


def test_grams_that_came_less_often_are_left_to_shorter_histories() -> None:
    texts = [(4, 5, 6), (4, 5, 6), (4, 5, 7), (7, 5, 7)]
    whole, cut = (NgramModel(texts, 3, 8, fewest) for fewest in (1, 2))
    assert set(cut.probability[2]) < set(whole.probability[2])
    assert cut.probability[:2] == whole.probability[:2]
    assert cut.log_p((BOS, 4, 5), 7) < whole.log_p((BOS, 4, 5), 7)


def test_a_pair_that_chance_alone_would_have_brought_is_refused() -> None:
    # 4 is followed by 5, 6 and 7 alike, and never by itself, nor is it an end.
    texts = [(4, 5), (4, 6), (4, 7)] * 100
    model = NgramModel(texts, 2, 8)
    assert (4, 4) in model.absent and (4, EOS) in model.absent
    assert (4, 5) not in model.absent
    assert (4, 3) not in model.absent  # 3 never came: nothing was to be expected
    assert model.log_p((BOS, 4), 4) == pytest.approx(math.log(LEAST))
    assert model.log_p((BOS, 4), 4) < model.log_p((BOS, 4), 3)


@pytest.mark.parametrize("likelihood, bonus", [(0.0, 0.0), (0.7, 1.3)])
def test_a_wide_beam_finds_the_best_text_and_its_score(likelihood: float, bonus: float) -> None:
    torch.manual_seed(1)
    model = NgramModel(TEXTS, 3, vocabulary=8)
    tokens = (BLANK, EOS, *WORDS)
    log_p = (torch.randn(4, len(tokens), dtype=torch.float64) * 1.5).log_softmax(-1)
    slots = [
        sorted(zip(tokens, row, strict=True), key=lambda pair: -pair[1]) for row in log_p.tolist()
    ]
    likelihoods: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(len(tokens)), repeat=4):
        text = collapse(tuple(tokens[i] for i in path))
        p = math.exp(sum(log_p[t, i].item() for t, i in enumerate(path)))
        likelihoods[text] = likelihoods.get(text, 0.0) + p
    found = {
        tuple(text): score
        for text, score in prefix_beam(slots, model, BeamOptions(10_000, likelihood, bonus))
    }
    assert set(found) == set(likelihoods)
    narrow = prefix_beam(slots, model, BeamOptions(2, likelihood, bonus))
    best_path = collapse(tuple(max(slot, key=lambda pair: pair[1])[0] for slot in slots))
    assert narrow[0][1] >= found[best_path] - 1e-9
    assert all(found[tuple(text)] == pytest.approx(score) for text, score in narrow)
    for text, p in likelihoods.items():
        judged = sum(model.log_p((BOS, *text[:i]), t) for i, t in enumerate((*text, EOS)))
        expected = math.log(p) + likelihood * judged + bonus * (len(text) + 1)
        assert found[text] == pytest.approx(expected)


def test_the_language_model_decides_between_equals() -> None:
    model = NgramModel(TEXTS, 3, vocabulary=8)
    even = math.log(0.5)
    slots = [[(4, 0.0)], [(BLANK, 0.0)], [(5, even), (6, even)], [(EOS, 0.0)]]
    text, _ = prefix_beam(slots, model, BeamOptions(16, 0.5, 0.0))[0]
    assert text == [4, 5]  # "4 6" never came


def test_the_runtime_is_tested_with_what_is_packed_here() -> None:
    fixture = json.loads((REPOSITORY / "src/testing/ngrams.json").read_text())
    model = NgramModel(TEXTS, fixture["order"], fixture["vocabulary"])
    assert base64.b64encode(model.pack(fixture["vocabulary"])).decode() == fixture["file"]
    for row in fixture["rows"]:
        for token, expected in enumerate(row["logProbs"]):
            assert model.log_p(tuple(row["history"]), token) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_best_path_of_a_text_is_the_likeliest_of_all_that_spell_it(seed: int) -> None:
    torch.manual_seed(seed)
    tokens = (BLANK, EOS, *WORDS)
    log_p = (torch.randn(4, len(tokens), dtype=torch.float64) * 1.5).log_softmax(-1).tolist()
    slots = [sorted(zip(tokens, row, strict=True), key=lambda pair: -pair[1]) for row in log_p]
    best: dict[tuple[int, ...], tuple[float, list[float]]] = {}
    for path in itertools.product(range(len(tokens)), repeat=4):
        chosen = [tokens[i] for i in path]
        logs = [log_p[slot][i] for slot, i in enumerate(path)]
        brought, ended = [], False
        for slot, token in enumerate(chosen):
            ended = ended or token == EOS
            if not ended and token != BLANK and (slot == 0 or token != chosen[slot - 1]):
                brought.append(logs[slot])
        text = collapse(tuple(chosen))
        best[text] = max(best.get(text, (-math.inf, [])), (sum(logs), brought))
    for text, (_, brought) in best.items():
        assert best_path(slots, text) == pytest.approx(brought)
