"""A language model that minds saying a thing twice; `src/decode/once.ts` is its twin.

"A dog with a dog" is likely by the slots, which choose independently, and by n-grams, which forget.
So whatever model guides the beam, a content word that the text has already costs it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from training.data import tokenizer as vocabulary
from training.data.tokenizer import EOS
from training.scoring.caption_scores import FUNCTION_WORDS
from training.writing.ngram import Gram, LanguageModel

_SPACE = "\u0120"
"""What tokens begin with that begin a word."""


class Once:
    """`model`, and `cost` less for what ends a word that the text had before, unless that is one of
    `free`, words of one token. `begins` are the tokens that begin a word."""

    def __init__(
        self, model: LanguageModel, cost: float, begins: frozenset[int], free: frozenset[int]
    ) -> None:
        self.model, self.cost, self.begins, self.free = model, cost, begins, free

    def log_p(self, history: Gram, token: int) -> float:
        log_p = self.model.log_p(history, token)
        # A word is known to be whole when the next one begins.
        whole = token == EOS or token in self.begins
        return log_p - self.cost if whole and self._again(history) else log_p

    def _again(self, history: Gram) -> bool:
        """Whether the last word of a text was there before."""
        start = len(history) - 1
        while start > 0 and history[start] not in self.begins:
            start -= 1
        word = history[start:]
        if len(word) == 1 and word[0] in self.free:
            return False
        # A word ends where the next begins, the last of which is `word` itself.
        return any(
            history[at : at + len(word)] == word and history[at + len(word)] in self.begins
            for at in range(start - len(word) + 1)
        )


@cache
def word_beginnings(file: Path = vocabulary.FILE) -> frozenset[int]:
    """Of a tokenizer's file, the tokens that begin a word."""
    return frozenset(
        i for t, i in vocabulary.load(file).get_vocab().items() if t.startswith(_SPACE)
    )


@cache
def function_words(file: Path = vocabulary.FILE) -> frozenset[int]:
    """Tokens of the words that a text may have as often as it likes."""
    encoded = (e.ids for e in vocabulary.load(file).encode_batch(sorted(FUNCTION_WORDS)))
    return frozenset(ids[0] for ids in encoded if len(ids) == 1)
