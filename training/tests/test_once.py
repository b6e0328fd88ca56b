"""What says a content word again costs, and nothing else does."""

from __future__ import annotations

import pytest

from training.data.tokenizer import BLANK, BOS, EOS
from training.paths import MODEL
from training.scoring.caption_scores import FUNCTION_WORDS
from training.writing.ctc_beam import BeamOptions, prefix_beam
from training.writing.ngram import NgramModel
from training.writing.once import Once, function_words, word_beginnings

TOKENIZER = MODEL / "tokenizer.json"

# 4 and 5 begin words, of which 5 is free; 7 goes on with one.
NGRAMS = NgramModel([(4, 5, 4, 7), (4, 7, 5), (5, 4)], 3, vocabulary=8)
ONCE = Once(NGRAMS, 3.0, begins=frozenset((4, 5)), free=frozenset((5,)))


@pytest.mark.parametrize(
    ("text", "token", "costs"),
    [
        ((4, 5, 4), EOS, True),
        ((4, 5, 4), 5, True),
        ((4, 5, 4), 7, False),  # may become another word
        ((4, 5, 4, 7), EOS, False),  # did
        ((4, 7, 5, 4), EOS, False),
        ((4, 7, 4, 7), EOS, True),
        ((4, 4), EOS, True),
        ((5, 4, 5), EOS, False),  # free
        ((4,), EOS, False),
        ((), EOS, False),
        ((4, 5, 4, 5), EOS, False),  # was paid for where it ended
    ],
)
def test_a_whole_content_word_again_costs(text, token: int, costs: bool) -> None:
    history = (BOS, *text)
    expected = NGRAMS.log_p(history, token) - (3.0 if costs else 0.0)
    assert ONCE.log_p(history, token) == pytest.approx(expected)


def test_a_beam_says_something_else_instead() -> None:
    slots = [[(4, -0.1), (BLANK, -3.0)], [(BLANK, -0.1)], [(4, -0.5), (5, -1.5)], [(EOS, -0.1)]]
    options = BeamOptions(16, 0.2, 1.0)
    free = Once(NGRAMS, 0.0, ONCE.begins, ONCE.free)
    assert prefix_beam(slots, free, options)[0][0] == [4, 4]
    costly = Once(NGRAMS, 20.0, ONCE.begins, ONCE.free)
    assert prefix_beam(slots, costly, options)[0][0] == [4, 5]


def test_every_function_word_is_one_token_that_begins_a_word() -> None:
    assert len(function_words(TOKENIZER)) == len(FUNCTION_WORDS)
    assert function_words(TOKENIZER) < word_beginnings(TOKENIZER)
