"""Examples with their features and token ids, drawn in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.data import PROMPTS, Example
from training.features import Features
from training.tokenizer import PAD


def encode_prompts(tokenizer: Tokenizer, length: int) -> dict[str, list[int]]:
    """Each style's prompt, padded to `length` tokens."""
    prompts = {}
    for style, text in PROMPTS.items():
        ids = tokenizer.encode(text).ids
        if len(ids) > length:
            raise ValueError(f"prompt {text!r} has {len(ids)} tokens, expected at most {length}")
        prompts[style] = ids + [PAD] * (length - len(ids))
    return prompts


@dataclass
class Batch:
    """B images with their prompt; `texts[b]` are the token ids of image b's references."""

    examples: list[Example]
    features: Tensor
    prompt: Tensor
    texts: list[list[list[int]]]


class Batches:
    """Batches of `examples`: in order, or shuffled and mirrored at random for ever."""

    def __init__(
        self,
        examples: Sequence[Example],
        features: Features,
        tokenizer: Tokenizer,
        size: int,
        prompt_length: int,
    ) -> None:
        self.examples = list(examples)
        self.features = features
        self.size = size
        self.prompts = encode_prompts(tokenizer, prompt_length)
        self.texts = [[tokenizer.encode(c).ids for c in e.captions] for e in self.examples]
        self.may_mirror = np.array(
            [
                not any(w in ("left", "right") for c in e.captions for w in c.split())
                for e in self.examples
            ]
        )

    def in_order(self) -> Iterator[Batch]:
        for start in range(0, len(self.examples), self.size):
            yield self._batch(range(start, min(start + self.size, len(self.examples))))

    def shuffled(self, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            order = rng.permutation(len(self.examples))
            for start in range(0, len(order) - self.size + 1, self.size):
                rows = order[start : start + self.size]
                yield self._batch(rows, (rng.random(len(rows)) < 0.5) & self.may_mirror[rows])

    def _batch(self, rows: Sequence[int], mirrored: np.ndarray | None = None) -> Batch:
        examples = [self.examples[i] for i in rows]
        at = [self.features.index[e.image] for e in examples]
        stack = np.stack(
            [
                (
                    self.features.mirrored
                    if mirrored is not None and mirrored[n]
                    else self.features.plain
                )[i]
                for n, i in enumerate(at)
            ]
        )
        return Batch(
            examples,
            torch.from_numpy(stack).float(),
            torch.tensor([self.prompts[e.style] for e in examples]),
            [self.texts[i] for i in rows],
        )


def pad_texts(texts: Sequence[Sequence[int]], value: int) -> Tensor:
    """Token ids [len(texts), longest]."""
    longest = max((len(t) for t in texts), default=0)
    return torch.tensor([[*t, *[value] * (longest - len(t))] for t in texts], dtype=torch.long)
