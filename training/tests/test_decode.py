"""Collapse by hand-made cases, and beam search against every text written out."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from training.data.tokenizer import BLANK, BOS, EOS, PAD
from training.network.model import AutoregressiveCaptioner, Config, Narvl
from training.writing.decode import beam_search, collapse, greedy, one_pass, two_passes

SMALL = Config(
    width=16, heads=2, encoder_layers=1, decoder_layers=1, ffn=16, vocabulary=7, prompt=4, slots=6
)


def inputs(batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(batch, SMALL.eyes.cells, SMALL.eyes.channels), torch.tensor(
        [[4, 5, PAD, PAD]] * batch
    )


def test_collapse_merges_repeats_drops_blanks_and_stops_at_the_end() -> None:
    assert collapse([BLANK, 5, 5, BLANK, 5, 6, EOS, 4]) == [5, 5, 6]
    assert collapse([BLANK] * 4) == []
    assert collapse([6, 6, 6]) == [6]
    assert collapse([EOS, 5]) == []


def test_one_pass_is_the_collapsed_argmax() -> None:
    torch.manual_seed(0)
    model = Narvl(SMALL).eval()
    features, prompt = inputs(3)
    with torch.no_grad():
        paths = model(features, prompt).argmax(-1).tolist()
    assert one_pass(model, features, prompt) == [collapse(p) for p in paths]


def test_a_second_pass_is_shown_what_the_first_was_sure_of() -> None:
    torch.manual_seed(0)
    model = Narvl(SMALL).eval()
    features, prompt = inputs(3)
    assert two_passes(model, features, prompt, sure=1.0) == one_pass(model, features, prompt)
    with torch.no_grad():
        memory = model.read(features, prompt)
        said = model.write(memory, "caption")[0].argmax(-1)
        again = model.write(memory, "caption", said)[0].argmax(-1).tolist()
    assert two_passes(model, features, prompt, sure=0.0) == [collapse(path) for path in again]


def log_p(model: AutoregressiveCaptioner, features, prompt, text: list[int]) -> float:
    """Of a text and its end, one full pass: what the cached search must agree with."""
    with torch.no_grad():
        logits = model(features, prompt, torch.tensor([[BOS, *text]]), torch.tensor([0]))[0]
    logits[:, [BLANK, BOS, PAD]] = float("-inf")
    scores = logits.log_softmax(-1)
    return sum(scores[i, token].item() for i, token in enumerate([*text, EOS]))


@pytest.mark.parametrize("heard", [{}, {"words": 4, "vocabulary": 8}])
def test_beam_scores_agree_with_full_passes(heard: dict[str, int]) -> None:
    torch.manual_seed(1)
    model = AutoregressiveCaptioner(replace(SMALL, **heard)).eval()
    with torch.no_grad():
        if model.fusion.word_detector is not None:
            torch.nn.init.normal_(model.fusion.word_detector.inside, std=0.1)
            torch.nn.init.normal_(model.fusion.word_detector.table)
        model.head_bias[EOS] = 1.5  # short texts
    features, prompt = inputs(2)
    for b, texts in enumerate(beam_search(model, features, prompt, beams=3)):
        scores = [score for _, score in texts]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(text) for text, _ in texts}) == len(texts)
        for text, score in texts:
            if len(text) < SMALL.slots:
                expected = log_p(model, features[b : b + 1], prompt[b : b + 1], text)
                assert abs(score * (len(text) + 1) - expected) < 1e-3


def test_a_wide_beam_finds_the_likeliest_short_text() -> None:
    torch.manual_seed(2)
    model = AutoregressiveCaptioner(SMALL).eval()
    with torch.no_grad():
        model.head_bias[EOS] = 2.5
    features, prompt = inputs(1)
    words = [t for t in range(SMALL.vocabulary) if t not in (BLANK, BOS, EOS, PAD)]
    every = [list(t) for n in range(3) for t in itertools.product(words, repeat=n)]
    scored = {tuple(t): log_p(model, features, prompt, t) / (len(t) + 1) for t in every}
    found = dict(
        (tuple(text), score) for text, score in beam_search(model, features, prompt, 40)[0]
    )
    for text, score in scored.items():
        assert abs(found[text] - score) < 1e-3


def test_greedy_is_a_beam_of_one() -> None:
    torch.manual_seed(3)
    model = AutoregressiveCaptioner(SMALL).eval()
    features, prompt = inputs(2)
    texts = beam_search(model, features, prompt, beams=1)
    assert greedy(model, features, prompt) == [t[0][0] for t in texts]
    for b, text in enumerate(greedy(model, features, prompt)):
        read: list[int] = []
        while len(read) < min(len(text), SMALL.slots - 1):
            tokens = torch.tensor([[BOS, *read]])
            with torch.no_grad():
                logits = model(features[b : b + 1], prompt[b : b + 1], tokens, torch.tensor([0]))
            logits[..., [BLANK, BOS, PAD]] = float("-inf")
            read.append(int(logits[0, -1].argmax()))
        assert text[: len(read)] == read
