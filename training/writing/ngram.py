"""An n-gram language model over word pieces: interpolated Kneser-Ney.

What a one-pass decoder lacks is a word's regard for its neighbour; an n-gram model is nothing else.
Chen & Goodman (1999), eq. 4.21, with one discount an order from counts of counts, n1 / (n1 + 2 n2).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Protocol

import numpy as np

from training.data import tokenizer as vocabulary
from training.data.examples import answer_texts, language_model_texts
from training.data.tokenizer import BOS, EOS, VOCABULARY

Gram = tuple[int, ...]


class LanguageModel(Protocol):
    def log_p(self, history: Gram, token: int) -> float:
        """Natural log of the probability of `token` after `history`, which begins with BOS."""


class NgramModel:
    """log p(token | the tokens before it), by the last `order` - 1 of them.

    Of grams of three tokens and more, those that came at least `fewest` times are kept; the others
    are left to shorter histories, whose weight is what they had.
    """

    def __init__(
        self, texts: Iterable[Sequence[int]], order: int, vocabulary: int, fewest: int = 1
    ) -> None:
        self.order = order
        came: list[Counter[Gram]] = [Counter() for _ in range(order)]
        for text in texts:
            row = [BOS, *text, EOS]
            for n in range(1, order + 1):
                came[n - 1].update(tuple(row[i : i + n]) for i in range(len(row) - n + 1))
        counts = list(came)
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
        self.absent = absent_pairs(came[1]) if order > 1 else frozenset()
        self.probability: list[dict[Gram, float]] = []
        self.backoff: list[dict[Gram, float]] = []
        self.unknown = 1.0 / vocabulary
        for n, table in enumerate(counts):
            of = Counter(table.values())
            discount = of[1] / (of[1] + 2 * of[2]) if of[1] else 0.5
            totals: dict[Gram, int] = defaultdict(int)
            for gram, count in table.items():
                totals[gram[:-1]] += count
            kept = {
                gram: max(0.0, count - discount) / totals[gram[:-1]]
                for gram, count in table.items()
                if n < 2 or came[n][gram] >= fewest
            }
            rest: dict[Gram, float] = defaultdict(lambda: 1.0)
            for gram, p in kept.items():
                rest[gram[:-1]] -= p
            self.backoff.append(dict(rest))
            self.probability.append(kept)

    def log_p(self, history: Gram, token: int) -> float:
        """Natural log of the probability of `token` after `history`, which may be longer than
        what is looked at; it starts with BOS at the beginning of a text."""
        p = self.unknown
        for n in range(min(self.order, len(history) + 1)):
            context = history[len(history) - n :]
            if context not in self.backoff[n]:
                break  # nor is any longer one
            p = self.probability[n].get((*context, token), 0.0) + self.backoff[n][context] * p
            if n == 1 and (*context, token) in self.absent:
                p = LEAST
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
        levels += [
            sorted({*self.probability[n], *(self.absent if n == 1 else ())})
            for n in range(1, self.order)
        ]
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


MAGIC = 0x4D52474E  # "NGRM"
STEP = 1 / 16
"""Nats: what a log-probability is rounded to in the file. 255 steps reach down to e^-16."""
LEAST = math.exp(-255 * STEP)
"""The least probability that a file can say."""
EXPECTED = 20
"""How often a pair of tokens would have to come by chance for its absence to say something."""
ABSENT = 0.05
"""The share of that at which it still counts as absent."""


def absent_pairs(pairs: Mapping[Gram, int]) -> frozenset[Gram]:
    """Of counted pairs of tokens, those that hardly came and would have if tokens came in any
    order: "a stands" never, of some 1,330 times. Kneser-Ney knows what came; after a history that
    many tokens follow, such as "a", it gives all others a share."""
    first: Counter[int] = Counter()
    second: Counter[int] = Counter()
    for (a, b), count in pairs.items():
        first[a] += count
        second[b] += count
    total = sum(first.values())
    ranked, found = second.most_common(), set[Gram]()
    for a, before in first.items():
        for b, behind in ranked:
            chance = before * behind / total
            if chance < EXPECTED:
                break
            if pairs.get((a, b), 0) <= ABSENT * chance:
                found.add((a, b))
    return frozenset(found)


@cache
def of_captions() -> NgramModel:
    """The language model of captions, with and without photos. Five pieces reach over "a man and a
    woman" to its verb; what came less than thrice would double the file."""
    return _of(language_model_texts(), order=5, fewest=3)


@cache
def of_answers() -> NgramModel:
    """The language model of all training answers."""
    return _of(answer_texts(), order=3)


def _of(texts: Iterable[str], order: int, fewest: int = 1) -> NgramModel:
    encoded = vocabulary.load().encode_batch(list(texts))
    return NgramModel([e.ids for e in encoded], order, VOCABULARY, fewest)
