"""A language model that knows the names that fusion was told; `src/decode/told.ts` is its twin.

The n-grams have read few names of things, and a beam that follows them loses a piece of a name
that the network would copy. So a token is either copied from a told name or comes from the n-grams,
a mixture as in pointer networks (See et al. 2017) with fixed weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from training.network.model import Name
from training.writing.ngram import Gram, NgramModel

Slots = list[list[tuple[int, float]]]
"""Tokens of each slot with their log-probabilities, likeliest first."""


@dataclass(frozen=True)
class Copying:
    """How names count that the classifier finds likely."""

    start: float
    """How likely the next token is copied where no name is begun."""
    inside: float
    """The same where the last tokens begin one."""
    least: float
    """How likely a class has to be for its name to be copied at all."""
    sure: float
    """How likely it has to be for its name to be asked for."""
    named: float
    """What the language model's log-probability gains where a text first says such a name."""


class Told:
    """log p(token | the tokens before it), of a photo with those names; more where a text says what
    is surely there."""

    def __init__(self, ngrams: NgramModel, names: Sequence[Name], copying: Copying) -> None:
        self.ngrams, self.copying = ngrams, copying
        likely = [name for name in names if name.likely >= copying.least]
        self.sure = [name.pieces for name in likely if name.likely >= copying.sure]
        self.following: dict[Gram, set[int]] = {}
        """What goes on from each beginning of a name; from none, their first tokens."""
        for name in likely:
            for i, token in enumerate(name.pieces):
                self.following.setdefault(name.pieces[:i], set()).add(token)
        self.longest = max(map(len, self.following), default=0)

    def log_p(self, history: Gram, token: int) -> float:
        text = (*history, token)
        said = any(_ends(text, name) and not _says(history, name) for name in self.sure)
        return self._mixed(history, token) + (self.copying.named if said else 0.0)

    def _mixed(self, history: Gram, token: int) -> float:
        log_p = self.ngrams.log_p(history, token)
        for length in range(min(self.longest, len(history)), -1, -1):
            following = self.following.get(history[len(history) - length :])
            if following:
                weight = self.copying.inside if length else self.copying.start
                copied = weight / len(following) if token in following else 0.0
                return math.log((1 - weight) * math.exp(log_p) + copied)
        return log_p

    def spelled(self, slots: Slots) -> Slots:
        """`slots` with every piece of the names in each. One that is not among a slot's likeliest
        is taken to be as likely as the last of them: of a name that is copied piece by piece, a
        single piece may be missing."""
        pieces = sorted(set().union(*self.following.values()))
        return [
            [*slot, *((p, slot[-1][1]) for p in pieces if all(p != token for token, _ in slot))]
            for slot in slots
        ]


def _ends(text: Gram, name: Gram) -> bool:
    return text[-len(name) :] == name


def _says(text: Gram, name: Gram) -> bool:
    return any(_ends(text[:end], name) for end in range(len(name), len(text) + 1))
