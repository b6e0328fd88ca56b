"""Texts in one form, and figures that say what they claim."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE

from training.data import examples as data
from training.data.batches import Batches
from training.data.formats import Example, normalise
from training.eyes.features import Features
from training.runs.recipe import Recipe, Source, recipe
from training.scoring.caption_scores import accuracies, bigrams, normalise_answer, says_twice, score


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


def test_fewer_examples_than_a_batch_are_one() -> None:
    features = Features({"a": 0, "b": 1}, *np.zeros((2, 2, 4, 8), np.float16))
    examples = [Example(image, "", ("",), "human") for image in "ab"]
    batches = Batches(examples, features, Tokenizer(BPE()), 48, 5).shuffled(
        np.random.default_rng(0)
    )
    for _ in range(3):
        assert {e.image for e in next(batches).examples} == {"a", "b"}


def test_sources_of_one_name_are_one(tmp_path, monkeypatch) -> None:
    row = {"image": "1.jpg", "question": "Who?", "answer": "A man."}
    for split in ("train", "val"):
        (tmp_path / f"{split}.jsonl").write_text(json.dumps(row), encoding="utf-8")
    sources = [
        Source(name="d", format="daquar", images=split, files={split: [f"{split}.jsonl"]})
        for split in ("train", "val")
    ]
    nothing = {kind: [] for kind in ("captions", "boxes", "things")}
    named = recipe().model_copy(update={"questions": sources, **nothing})
    monkeypatch.setattr(data, "recipe", lambda: named)
    monkeypatch.setattr(data, "DATA", tmp_path)
    caches = data.questions, data.captions, data.boxes
    for cached in caches:
        cached.cache_clear()
    try:
        for split in ("train", "val"):
            (example,) = data.questions(split)["d"]
            assert example.image == f"{split}/1.jpg"
    finally:
        for cached in caches:
            cached.cache_clear()


def test_a_source_is_read_as_often_as_it_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    few = Source(name="few", format="described", images="", files={}, counted=2)
    many = Source(name="many", format="flickr8k", images="", files={})
    texts = {
        "few": [Example("a.jpg", "", ("one", "two"), "plain")],
        "many": [Example("b.jpg", "", ("three",), "human")],
    }
    told = Recipe(prompts={}, captions=[few, many], runs={})
    monkeypatch.setattr(data, "recipe", lambda: told)
    monkeypatch.setattr(data, "captions", lambda split: texts)
    monkeypatch.setattr(data, "extra_texts", lambda: ["four"])
    read = data.language_model_texts()
    assert Counter(read) == {"one": 2, "two": 2, "three": 1, "four": 1}
