"""The same questions answered by PyTorch and by the browser."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from tqdm import tqdm

from training.data import tokenizer as vocabulary
from training.data.formats import Example
from training.eyes.features import pixels
from training.network.model import Narvl
from training.paths import DATA
from training.runs.checkpoints import load
from training.shipping.browser import answers
from training.shipping.browser_jobs import is_question, job
from training.shipping.precision import Precision, round_weights
from training.writing.decode import collapse

TOP = 8
TOLERANCE = 1e-3
"""Largest difference of a log-probability: sums in another order, and the steps GPUs round to."""
AGREE = 0.99

Answer = tuple[list[int], list[dict[int, float]]]
"""Token ids, and per slot the log-probabilities of its likeliest tokens."""


def in_pytorch(run: str, examples: list[Example], precision: Precision) -> list[Answer]:
    model, tokenizer = load(run), vocabulary.load()
    assert isinstance(model, Narvl)
    eyes = model.config.eyes
    vision = eyes.network().eval()
    for module in (model, vision):
        round_weights(module, precision)
    written = []
    with torch.inference_mode():
        for e in tqdm(examples, desc="PyTorch"):
            features = vision(torch.from_numpy(pixels(DATA / e.image, eyes.photo)).unsqueeze(0))
            prompt = torch.tensor([tokenizer.encode(e.prompt).ids])
            log_p = model(features, prompt, "answer" if is_question(e) else "caption")[
                0
            ].log_softmax(-1)
            values, ids = log_p.topk(TOP)
            slots = [
                dict(zip(i, v, strict=True))
                for i, v in zip(ids.tolist(), values.tolist(), strict=True)
            ]
            written.append((collapse(log_p.argmax(-1).tolist()), slots))
    return written


def in_browser(examples: list[Example], encoder: str, decoder: str) -> list[Answer]:
    rows = answers(
        [job(e) for e in examples],
        encoder=encoder,
        decoder=decoder,
        search="greedy",
        posteriors=True,
        title=f"browser, {encoder} and {decoder}",
    )
    written = []
    for row in rows:
        top = row["posteriors"]
        slots = [
            dict(zip(i, v, strict=True))
            for i, v in zip(top["tokens"], top["logProbs"], strict=True)
        ]
        written.append(([t["id"] for t in row["tokens"]], slots))
    return written


@dataclass(frozen=True)
class Agreement:
    """Of two ways to write the same texts; the second may have written the first ones alone."""

    texts: int
    same: int
    largest: float
    """Largest difference of a log-probability in any text."""
    where_not: float | None
    """Likewise, in texts whose token ids differ; None if there are none."""

    @property
    def good(self) -> bool:
        return self.same >= AGREE * self.texts and self.largest <= TOLERANCE


def agreement(one: list[Answer], other: list[Answer]) -> Agreement:
    pairs = list(zip(one, other, strict=False))
    if not pairs:
        raise ValueError("expected texts to compare, got none")
    differences = [(a[0] == b[0], largest_difference(a, b)) for a, b in pairs]
    return Agreement(
        texts=len(pairs),
        same=sum(same for same, _ in differences),
        largest=max(worst for _, worst in differences),
        where_not=max((worst for same, worst in differences if not same), default=None),
    )


def largest_difference(a: Answer, b: Answer) -> float:
    """Of the log-probabilities of tokens that both have among a slot's likeliest."""
    differences = [
        abs(x[token] - y[token])
        for x, y in zip(a[1], b[1], strict=True)
        for token in x.keys() & y.keys()
        if x[token] > math.log(1e-3)
    ]
    return max(differences, default=math.inf)
