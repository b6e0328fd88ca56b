"""A language model that knows the names that fusion was told; `src/decode/told.ts` is its twin.

The n-grams have read few names of things, and a beam that follows them loses a piece of a name
that the network would copy. So a token is either copied from a told name or comes from the n-grams,
a mixture as in pointer networks (See et al. 2017) with fixed weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from training.model import AutoregressiveCaptioner, Narvl
from training.ngram import Gram, NgramModel


@dataclass(frozen=True)
class Copying:
    """How likely the next token is copied."""

    start: float
    """Where no name is begun."""
    inside: float
    """Where the last tokens begin one."""


class Told:
    """log p(token | the tokens before it), of a photo with those names."""

    def __init__(self, ngrams: NgramModel, names: Sequence[Gram], copying: Copying) -> None:
        self.ngrams, self.copying = ngrams, copying
        self.following: dict[Gram, set[int]] = {}
        """What goes on from each beginning of a name; from none, their first tokens."""
        for name in names:
            for i, token in enumerate(name):
                self.following.setdefault(name[:i], set()).add(token)
        self.longest = max(map(len, self.following), default=0)

    def log_p(self, history: Gram, token: int) -> float:
        log_p = self.ngrams.log_p(history, token)
        for length in range(min(self.longest, len(history)), -1, -1):
            following = self.following.get(history[len(history) - length :])
            if following:
                weight = self.copying.inside if length else self.copying.start
                copied = weight / len(following) if token in following else 0.0
                return math.log((1 - weight) * math.exp(log_p) + copied)
        return log_p


def guides(
    model: AutoregressiveCaptioner | Narvl,
    features: Tensor,
    ngrams: NgramModel,
    copying: Copying | None,
) -> list[NgramModel | Told]:
    """The language model for each photo of features [B, cells, FEATURES]."""
    tags = model.fusion.tags
    if tags is None or copying is None:
        return [ngrams] * len(features)
    return [Told(ngrams, names, copying) for names in tags.names_of(features)]
