"""Texts in one form, and figures that say what they claim."""

from __future__ import annotations

import pytest

from training.formats import Example, normalise
from training.scores import accuracies, bigrams, normalise_answer, says_twice, score


def test_texts_are_normalised() -> None:
    assert normalise("A dog , running on the way .") == "a dog, running on the way"
    assert normalise('The sign says " stop " !') == "the sign says stop"
    assert normalise("The boy 's dog’s ball.") == "the boy's dog's ball"
    assert normalise("tape_dispenser, garbage_bin") == "tape dispenser, garbage bin"
    assert normalise("What color is it?") == "what color is it"


def test_scores_of_perfect_and_poor_captions() -> None:
    references = [
        ["a dog runs on grass", "a dog is running"],
        ["two men ride bikes", "men on bikes"],
    ]
    known = bigrams(r for refs in references for r in refs)
    good = score([refs[0] for refs in references], references, known)
    poor = score(["a a cat cat", "a a cat cat"], references, known)
    assert good["BLEU-4"] > 99
    assert good["ROUGE-L"] > 99
    assert good["CIDEr-D"] > poor["CIDEr-D"]
    assert good["unseen bigram %"] == 0
    assert good["immediate repeats %"] == 0
    assert good["distinct captions %"] == 100
    assert poor["unseen bigram %"] == 100
    assert poor["immediate repeats %"] == 100
    assert poor["content word twice %"] == 100
    assert poor["distinct captions %"] == 50


def test_only_content_words_count_as_said_twice() -> None:
    assert not says_twice("a man in a hat on a bike")
    assert says_twice("a blue shirt and a red shirt")


def test_answers_are_compared_as_vqa_does() -> None:
    assert normalise_answer("The table.") == "table"
    assert normalise_answer("Two dogs") == "2 dogs"
    assert normalise_answer("none") == "0"
    examples = [
        Example("a", "how many", ("2",), "count"),
        Example("a", "how many", ("3",), "count"),
        Example("a", "is it", ("yes",), "yesno"),
    ]
    assert accuracies(["two", "2", "Yes."], examples) == pytest.approx(
        {"count %": 50.0, "yesno %": 100.0}
    )
