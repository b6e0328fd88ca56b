"""METEOR (Banerjee & Lavie 2005) by NLTK, over Debian's copy of WordNet 3.0 (`wordnet-base`).

Neither needs Java, which the field's own scorer does. Its version is 1.5, so that these figures
compare rows of one table and not papers.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import nltk
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from nltk.translate.meteor_score import meteor_score

WORDNET = Path("/usr/share/wordnet")
_LEXICOGRAPHER_FILES = 45


class _WordNet(WordNetCorpusReader):
    """Without what Debian leaves out and synonyms do not need."""

    def open(self, file: str) -> io.TextIOBase:
        if file == "lexnames":
            return io.StringIO("".join(f"{i}\tfile{i}\t0\n" for i in range(_LEXICOGRAPHER_FILES)))
        return super().open(file)

    def map_wn(self, version: str = "wordnet") -> None:
        """Other versions' numbers of synsets."""


def available() -> bool:
    return WORDNET.is_dir()


@cache
def wordnet() -> _WordNet:
    """Debian's WordNet 3.0."""
    if not available():
        raise SystemExit(f"{WORDNET} is not there: METEOR needs `apt-get install wordnet-base`")
    nltk.data.path.append(str(WORDNET))  # it reads below the folders that it knows only
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of languages that are not there
        return _WordNet(str(WORDNET), None)


def meteor(captions: Sequence[list[str]], references: Sequence[Sequence[list[str]]]) -> float:
    """Mean METEOR × 100 of one caption an image, in words, each by its best reference."""
    synonyms = wordnet()
    found = [
        meteor_score(refs, caption, wordnet=synonyms)
        for caption, refs in zip(captions, references, strict=True)
    ]
    return 100 * sum(found) / len(found)
