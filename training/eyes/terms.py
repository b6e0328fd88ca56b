"""Terms, the tags that eyes are tuned by: words of texts, and pairs of words such as "red shirt".

A photo's terms are those of all its captions and of the answers to its questions; a box's, those of
the phrases that people gave it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence

from training.scoring.caption_scores import FUNCTION_WORDS, words

EMPTY = FUNCTION_WORDS | frozenset(
    "yes no he she they him them some one other another can has have had not any how many much "
    "what who when where why which was were does do did will would could kind type color number "
    "picture photo image shown seen taken s t".split()
)
"""Words that say nothing of what is seen."""
RAREST = 12
"""Photos that a term has to be in, or there is nothing to learn it from."""


def terms_in(text: str) -> set[str]:
    """The content words of a text, and its pairs of neighbouring ones."""
    row = words(text)
    content = {word for word in row if word not in EMPTY}
    pairs = {f"{a} {b}" for a, b in itertools.pairwise(row) if a in content and b in content}
    return content | pairs


class Terms:
    """The terms that texts have often enough, commonest first; `singles` are words."""

    def __init__(self, photos: Iterable[Iterable[str]], most: int) -> None:
        """Of each photo's texts."""
        often = Counter(term for texts in photos for term in set().union(*map(terms_in, texts)))
        self.names = [term for term, n in often.most_common(most) if n >= RAREST]
        self.index = {term: i for i, term in enumerate(self.names)}
        self.singles = [i for i, term in enumerate(self.names) if " " not in term]

    def __len__(self) -> int:
        return len(self.names)

    def of(self, texts: Sequence[str]) -> list[int]:
        """Indices of the terms of some texts, in order."""
        found = set().union(*map(terms_in, texts)) if texts else set[str]()
        return sorted(self.index[term] for term in found if term in self.index)
