"""Texts in one form, and figures that say what they claim."""

from __future__ import annotations

from training.data import normalise
from training.scores import bigrams, score


def test_texts_are_normalised() -> None:
    assert normalise("A dog , running on the way .") == "a dog, running on the way"
    assert normalise('The sign says " stop " !') == "the sign says stop"
    assert normalise("The boy 's dog’s ball.") == "the boy's dog's ball"


def test_scores_of_perfect_and_poor_captions() -> None:
    references = [
        ["a dog runs on grass", "a dog is running"],
        ["two men ride bikes", "men on bikes"],
    ]
    known = bigrams(r for refs in references for r in refs)
    good = score([refs[0] for refs in references], references, known)
    poor = score(["a a cat cat", "a a cat cat"], references, known)
    assert good["BLEU-4"] > 99
    assert good["CIDEr-D"] > poor["CIDEr-D"]
    assert good["unseen bigram %"] == 0
    assert poor["unseen bigram %"] == 100
    assert good["immediate repeats %"] == 0
    assert poor["immediate repeats %"] == 100
    assert poor["content word twice %"] == 100
    assert (good["distinct captions %"], poor["distinct captions %"]) == (100, 50)
