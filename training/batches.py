"""Examples with their features and token ids, drawn in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.backbone import FEATURES, TOKENS
from training.features import Features
from training.formats import Example
from training.tokenizer import PAD

_PROMPT_STEP = 8
"""A batch's prompts are padded to a multiple of this and no further: padding is never attended to,
so rows of it are only work. Few lengths, because each is compiled for."""


@dataclass
class Batch:
    """B images with their prompt; `texts[b]` are the token ids of image b's references."""

    examples: list[Example]
    features: Tensor
    prompt: Tensor
    texts: list[list[list[int]]]

    def to(self, device: torch.device) -> Batch:
        return Batch(self.examples, self.features.to(device), self.prompt.to(device), self.texts)


class Batches:
    """Batches of `examples`: in order, or shuffled and mirrored at random for ever.

    A prompt of more than `prompt_length` tokens loses its end, and is counted in `cut`. `blind`
    batches have zeros for photos.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        features: Features,
        tokenizer: Tokenizer,
        size: int,
        prompt_length: int,
        blind: bool = False,
    ) -> None:
        self.examples = list(examples)
        self.features = features
        self.size = size
        self.blind = blind
        prompts = [e.ids for e in tokenizer.encode_batch([e.prompt for e in self.examples])]
        self.cut = sum(len(ids) > prompt_length for ids in prompts)
        self.prompts = [ids[:prompt_length] for ids in prompts]
        self.texts = [[tokenizer.encode(t).ids for t in e.texts] for e in self.examples]
        self.may_mirror = np.array(
            [
                not any(w in ("left", "right") for t in (e.prompt, *e.texts) for w in t.split())
                for e in self.examples
            ]
        )

    def __len__(self) -> int:
        return -(-len(self.examples) // self.size)

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
        at = [] if self.blind else [self.features.index[e.image] for e in examples]
        stack = np.zeros((len(rows), TOKENS, FEATURES), np.float16)
        for n, i in enumerate(at):
            mirror = mirrored is not None and mirrored[n]
            stack[n] = (self.features.mirrored if mirror else self.features.plain)[i]
        longest = max(len(self.prompts[i]) for i in rows)
        return Batch(
            examples,
            torch.from_numpy(stack).float(),
            pad_texts(
                [self.prompts[i] for i in rows], PAD, -(-longest // _PROMPT_STEP) * _PROMPT_STEP
            ),
            [self.texts[i] for i in rows],
        )


def pad_texts(texts: Sequence[Sequence[int]], value: int, length: int = 0) -> Tensor:
    """Token ids [len(texts), the longest or `length`]."""
    longest = max([length, *map(len, texts)])
    return torch.tensor([[*t, *[value] * (longest - len(t))] for t in texts], dtype=torch.long)
