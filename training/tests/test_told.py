"""Names that were told are copied whole, and the mixture stays a distribution."""

from __future__ import annotations

import math

import pytest

from training.data import tokenizer as vocabulary
from training.data.tokenizer import BLANK, BOS, EOS
from training.eyes.class_names import class_name, spelled
from training.network.model import NAME_PIECES, Name
from training.paths import MODEL
from training.writing.ctc_beam import BeamOptions, prefix_beam
from training.writing.ngram import NgramModel
from training.writing.told_names import Copying, Told

NGRAMS = NgramModel([(4, 5), (4, 5, 6), (5, 6), (4, 4), (6,)], 3, vocabulary=12)
COPYING = Copying(start=0.1, inside=0.9, least=0.1, sure=0.9, named=3)


def likely(*names: tuple[int, ...], p: float = 0.5) -> list[Name]:
    return [Name(name, p) for name in names]


@pytest.mark.parametrize("history", [(BOS,), (BOS, 4), (BOS, 7), (BOS, 4, 7, 8), (BOS, 7, 8, 9)])
def test_a_mixture_sums_to_one(history) -> None:
    told = Told(NGRAMS, likely((7, 8, 9), (7, 10), (4,)), COPYING)
    assert sum(math.exp(told.log_p(history, t)) for t in range(12)) == pytest.approx(1)


def test_inside_a_name_its_next_piece_is_copied() -> None:
    told = Told(NGRAMS, likely((7, 8, 9), (7, 10)), COPYING)
    assert told.log_p((BOS, 4, 7), 8) == pytest.approx(math.log(0.45), abs=0.02)
    assert told.log_p((BOS, 7, 8), 9) > math.log(0.9)
    assert told.log_p((BOS, 4), 7) > math.log(0.1) > NGRAMS.log_p((BOS, 4), 7)
    assert told.log_p((BOS, 7, 8, 9), 5) == pytest.approx(
        math.log(0.9) + NGRAMS.log_p((BOS, 7, 8, 9), 5)
    )


@pytest.mark.parametrize("names", [[], likely((5,), p=0.09)])
def test_no_likely_names_are_the_n_grams(names) -> None:
    assert Told(NGRAMS, names, COPYING).log_p((BOS, 4), 5) == NGRAMS.log_p((BOS, 4), 5)


def test_a_sure_name_is_worth_saying_once() -> None:
    unsure, sure = (Told(NGRAMS, likely((7, 8), p=p), COPYING) for p in (0.89, 0.9))

    def gain(*text: int) -> float:
        return sure.log_p(text[:-1], text[-1]) - unsure.log_p(text[:-1], text[-1])

    assert gain(BOS, 4, 7, 8) == pytest.approx(COPYING.named)
    for text in [(BOS, 4, 7), (BOS, 7, 8, 4), (BOS, 7, 8, 4, 7, 8), (BOS, 8), (BOS, 7, 9)]:
        assert gain(*text) == 0


def test_pieces_of_names_are_in_every_slot() -> None:
    told = Told(NGRAMS, [Name((7, 8), 0.5), Name((9,), 0.05)], COPYING)
    assert told.spelled([[(4, -0.1), (8, -3.0)], [(7, -0.2)]]) == [
        [(4, -0.1), (8, -3.0), (7, -3.0)],
        [(7, -0.2), (8, -0.2)],
    ]


def test_the_beam_keeps_a_piece_that_the_n_grams_never_read() -> None:
    slots = [
        [(7, math.log(0.9)), (BLANK, math.log(0.1))],
        [(BLANK, math.log(0.6)), (8, math.log(0.4))],
        [(9, math.log(0.9)), (BLANK, math.log(0.1))],
        [(EOS, 0.0)],
    ]
    options = BeamOptions(16, 0.5, 0.0)
    assert prefix_beam(slots, NGRAMS, options)[0][0] == [7, 9]
    told = Told(NGRAMS, likely((7, 8, 9)), COPYING)
    assert prefix_beam(slots, told, options)[0][0] == [7, 8, 9]


def test_the_beam_spells_a_name_of_which_no_slot_has_a_piece() -> None:
    slots = [[(7, math.log(0.9)), (BLANK, math.log(0.1))]] + [[(EOS, 0.0)]] * 2
    options = BeamOptions(16, 0.5, 0.0)
    told = Told(NGRAMS, likely((7, 8), p=0.95), COPYING)
    assert prefix_beam(slots, told, options)[0][0] == [7]
    assert prefix_beam(told.spelled(slots), told, options)[0][0] == [7, 8]


class Letters:
    """A tokenizer whose pieces are letters, and the spaces before words."""

    class Encoding:
        def __init__(self, text: str) -> None:
            self.ids = [ord(letter) for letter in " " + text]

    def encode(self, text: str) -> Encoding:
        return self.Encoding(text)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tench", " tench"),
        ("norfolk terrier", " terrier"),
        ("kite (bird of prey)", " kite"),
        ("vest / top", " vest"),
        ("gown or dress", " dress"),
        ("hen of the woods", " woods"),
        ("chihuahua", " dog"),
    ],
)
def test_names_are_cut_between_words(name: str, expected: str) -> None:
    assert "".join(map(chr, spelled(name, Letters(), 8))) == expected  # type: ignore[arg-type]


def test_a_name_without_a_short_word_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a common name"):
        spelled("unpronounceable", Letters(), 8)  # type: ignore[arg-type]


def test_every_class_has_a_name_that_fits() -> None:
    tokenizer = vocabulary.load(MODEL / "tokenizer.json")
    for i in range(1000):
        assert 0 < len(spelled(class_name(i), tokenizer, NAME_PIECES)) <= NAME_PIECES
