"""An n-gram language model over word pieces: interpolated Kneser-Ney.

What a one-pass decoder lacks is a word's regard for its neighbour; an n-gram model is nothing else.
Chen & Goodman (1999), eq. 4.21, with one discount an order from counts of counts, n1 / (n1 + 2 n2).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Protocol

import numpy as np

from training.data import tokenizer as vocabulary
from training.data.examples import answer_texts, caption_texts
from training.data.tokenizer import BOS, EOS, VOCABULARY

Gram = tuple[int, ...]


class LanguageModel(Protocol):
    def log_p(self, history: Gram, token: int) -> float:
        """Natural log of the probability of `token` after `history`, which begins with BOS."""


class NgramModel:
    """log p(token | the tokens before it), by the last `order` - 1 of them."""

    def __init__(self, texts: Iterable[Sequence[int]], order: int, vocabulary: int) -> None:
        self.order = order
        counts: list[Counter[Gram]] = [Counter() for _ in range(order)]
        for text in texts:
            row = [BOS, *text, EOS]
            for n in range(1, order + 1):
                counts[n - 1].update(tuple(row[i : i + n]) for i in range(len(row) - n + 1))
        # Lower orders count the different tokens before a gram, not how often it came.
        for n in range(order - 1):
            continued: Counter[Gram] = Counter()
            for gram in counts[n + 1]:
                continued[gram[1:]] += 1
            for gram, count in counts[n].items():
                if gram[0] == BOS:  # nothing comes before the beginning
                    continued[gram] = count
            counts[n] = continued
        counts[0].pop((BOS,), None)  # never predicted
        self.probability: list[dict[Gram, float]] = []
        self.backoff: list[dict[Gram, float]] = []
        self.unknown = 1.0 / vocabulary
        for table in counts:
            of = Counter(table.values())
            discount = of[1] / (of[1] + 2 * of[2]) if of[1] else 0.5
            totals: dict[Gram, int] = defaultdict(int)
            kinds: dict[Gram, int] = defaultdict(int)
            for gram, count in table.items():
                totals[gram[:-1]] += count
                kinds[gram[:-1]] += 1
            self.backoff.append({h: discount * kinds[h] / totals[h] for h in totals})
            self.probability.append(
                {g: max(0.0, c - discount) / totals[g[:-1]] for g, c in table.items()}
            )

    def log_p(self, history: Gram, token: int) -> float:
        """Natural log of the probability of `token` after `history`, which may be longer than
        what is looked at; it starts with BOS at the beginning of a text."""
        p = self.unknown
        for n in range(min(self.order, len(history) + 1)):
            context = history[len(history) - n :]
            if context not in self.backoff[n]:
                break  # nor is any longer one
            p = self.probability[n].get((*context, token), 0.0) + self.backoff[n][context] * p
        return math.log(p)

    def pack(self, vocabulary: int) -> bytes:
        """The file that `src/model/ngrams.ts` reads: a trie whose level n has the grams of n
        tokens in lexical order, each with its interpolated log-probability and the log of the
        weight that what follows it gives to the shorter history, both in steps of STEP nats.

        u32 magic, version, order, vocabulary and the number of grams of each order; then an order
        at a time, each array padded to 4 bytes: from the second, u32 [grams of n - 1, + 1]: where
        the followers of each begin; u16 [grams]: the last token; u8 [grams]: -log p / STEP; but in
        the last order u8 [grams]: -log weight / STEP. The first order has all tokens.
        """
        levels = [[(t,) for t in range(vocabulary)]]
        levels += [sorted(self.probability[n]) for n in range(1, self.order)]
        parts = [np.array([MAGIC, 1, self.order, vocabulary, *map(len, levels)], "<u4").tobytes()]

        def add(values: list[int], kind: str) -> None:
            data = np.array(values, kind).tobytes()
            parts.append(data + bytes(-len(data) % 4))

        def steps(log_p: float) -> int:
            return min(255, round(-log_p / STEP))

        for n, grams in enumerate(levels):
            if n > 0:
                first = {gram: i for i, gram in reversed(list(enumerate(g[:-1] for g in grams)))}
                starts, at = [], len(grams)
                for parent in reversed(levels[n - 1]):
                    at = first.get(parent, at)
                    starts.append(at)
                add([*reversed(starts), len(grams)], "<u4")
                if not set(first) <= set(levels[n - 1]):
                    raise ValueError(f"a gram of {n + 1} tokens begins with none of {n}")
            add([gram[-1] for gram in grams], "<u2")
            add([steps(self.log_p(gram[:-1], gram[-1])) for gram in grams], "<u1")
            if n + 1 < self.order:
                weights = self.backoff[n + 1]
                add([steps(math.log(weights.get(gram, 1.0))) for gram in grams], "<u1")
        return b"".join(parts)


ORDER = 3
MAGIC = 0x4D52474E  # "NGRM"
STEP = 1 / 16
"""Nats: what a log-probability is rounded to in the file. 255 steps reach down to e^-16."""


@cache
def of_captions() -> NgramModel:
    """The language model of all training captions."""
    return _of(caption_texts())


@cache
def of_answers() -> NgramModel:
    """The language model of all training answers."""
    return _of(answer_texts())


def _of(texts: Iterable[str]) -> NgramModel:
    encoded = vocabulary.load().encode_batch(list(texts))
    return NgramModel([e.ids for e in encoded], ORDER, VOCABULARY)
