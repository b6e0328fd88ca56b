"""The word detector: what it learns, what it says of its own training photos, and who listens."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.data import tokenizer as vocabulary
from training.data.batches import Batch, Batches
from training.data.flips import Flips
from training.data.formats import Box, Example
from training.eyes import evidence as kept
from training.eyes import words
from training.eyes.evidence import Evidence, detect_with
from training.eyes.eyes import Eyes
from training.eyes.features import Features
from training.eyes.tuning import Photo
from training.network.model import AutoregressiveCaptioner, Config, Narvl
from training.network.word_detector import MOST, WordDetector
from training.objectives.likelihood import ArObjective, NarvlObjective
from training.paths import MODEL
from training.runs.recipe import Run, WordsRun

CHANNELS = 60


def names_of(features: Features) -> list[str]:
    return list(features.index)


EYES = Eyes(32, detector=False)
SMALL = Config(
    width=32, heads=4, encoder_layers=1, decoder_layers=1, ffn=48, vocabulary=52, prompt=5, slots=6
)
LISTENING = replace(SMALL, words=8, box_slots=7, entail_slots=4)


@pytest.mark.parametrize("kind", [Narvl, AutoregressiveCaptioner])
def test_evidence_for_a_word_changes_its_row_and_tilts_the_slots_towards_it(kind: type) -> None:
    torch.manual_seed(0)
    model = kind(LISTENING).eval()
    torch.nn.init.normal_(model.fusion.there)
    features = torch.rand(1, SMALL.eyes.cells, SMALL.eyes.channels)
    prompt, read, owner = torch.tensor([[7, 8, 9]]), torch.tensor([[1]]), torch.tensor([0])

    def said(evidence: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        memory = model.fusion(features, prompt, evidence=evidence)
        if isinstance(model, Narvl):
            return memory, model(features, prompt, evidence=evidence)
        return memory, model(features, prompt, read, owner, evidence=evidence)

    none, asked, other = torch.zeros(3, 1, 52)
    asked[0, 8], other[0, 20] = 2.0, 2.0
    memory, logits = said(none)
    assert not torch.equal(said(asked)[0], memory)
    torch.testing.assert_close(said(other)[0], memory)  # it was not asked about
    tilted = said(other)[1] - logits
    assert tilted[..., 20].min() > 0.5
    torch.testing.assert_close(tilted[..., :20], torch.zeros_like(tilted[..., :20]))


def test_boxes_and_verdicts_begin_without_a_tilt_and_a_detector_without_a_word() -> None:
    model = Narvl(LISTENING).eval()
    for gained in (model.fusion.there, model.fusion.missing):
        torch.nn.init.zeros_(gained)
    features, prompt = torch.rand(2, 49, SMALL.eyes.channels), torch.tensor([[7], [8]])
    evidence = torch.full((2, 52), MOST)
    for task in ("locate", "entail"):
        unheard = model(features, prompt, task, evidence=torch.zeros(2, 52))
        heard = model(features, prompt, task, evidence=evidence)
        torch.testing.assert_close(heard, unheard)
    assert torch.equal(model.evidence(features), torch.zeros(2, 52))
    assert torch.equal(model.evidence(features[:, :0]), torch.zeros(2, 52))


def test_a_detector_is_never_surer_than_it_may_be() -> None:
    detector = WordDetector(4, 8, 10)
    detector.bias += 3
    detector.table[:, 0], detector.table[:, 1] = 5, -5
    assert detector(torch.zeros(1, 3, 4))[0, :3].tolist() == [MOST, -MOST, 0]


@pytest.fixture
def learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, float], Features]:
    """Of photos whose first feature says whether there is a poodle; the others are noise."""
    tokenizer = vocabulary.load(MODEL / "tokenizer.json")
    monkeypatch.setattr(vocabulary, "load", lambda *_: tokenizer)
    monkeypatch.setattr(kept, "WORK", tmp_path)
    rng = np.random.default_rng(0)
    names = [f"flickr8k/{i}.jpg" for i in range(400)]
    poodle = rng.random(400) < 0.4
    plain = rng.normal(0, 0.3, (400, 1, CHANNELS)).astype(np.float16)
    plain[:, 0, 0] += poodle
    features = Features({name: i for i, name in enumerate(names)}, plain, plain.copy())
    box = (0.0, 0.0, 1.0, 1.0)

    def photo(i: int) -> Photo:
        # Some say so, as enough photos must have a word.
        thing = ("dog" if i % 4 == 0 else "poodle") if poodle[i] else "car"
        boxes = [Box(f"a {thing}", box, "animals")]
        return Photo(names[i], [f"a {thing} on the {'grass' if i % 2 else 'road'}"], boxes)

    def asked(split: str) -> list[Example]:
        return [
            Example(names[i], "is there a dog?", ("yes" if poodle[i] else "no",), "")
            for i in (range(300) if split == "train" else range(300, 400))
        ]

    photos = {"train": [photo(i) for i in range(300)], "val": [photo(i) for i in range(300, 400)]}
    monkeypatch.setattr(words, "labelled", photos.__getitem__)
    monkeypatch.setattr(words, "present", asked)
    # Of two nobody says anything.
    monkeypatch.setattr(words, "training_photos", lambda: {*names[:300], *names[398:]})
    monkeypatch.setattr(words.Features, "load", lambda _: features)
    run = WordsRun(hidden=8, epochs=30, batch=50, lr=0.02, decay=0, dropout=0, often=10, folds=3)
    return words.learn(EYES, run, tokenizer.get_vocab_size()), features


def test_it_learns_what_is_there_and_that_a_poodle_is_a_dog(learnt) -> None:
    figures, features = learnt
    assert figures["people's boxes, right %"] > 75
    assert figures["people's boxes, AUC"] > 85
    detector = WordDetector(CHANNELS, 8, vocabulary.load().get_vocab_size())
    detect_with(detector, EYES)
    evidence = detector(torch.from_numpy(features.plain).float())

    def apart(word: str) -> float:
        (piece, *_) = vocabulary.load().encode(word).ids
        there = evidence[features.plain[:, 0, 0] > 0.8, piece].mean()
        return float(there - evidence[features.plain[:, 0, 0] < 0.2, piece].mean())

    assert apart("dog") > 2
    assert apart("car") < -2
    assert abs(apart("grass")) < 1.5
    assert apart("zebra") == 0  # No text has it.


def test_a_training_photo_is_judged_by_a_detector_that_has_not_seen_it(learnt, monkeypatch) -> None:
    _, features = learnt
    found = Evidence.load(EYES)
    assert len(found.index) == 302
    size = vocabulary.load().get_vocab_size()
    whole = WordDetector(CHANNELS, 8, size)
    detect_with(whole, EYES)
    by_all = whole(torch.from_numpy(features.plain[:300]).float()).numpy()
    by_others = found.plain[:300].astype(np.float32)
    assert np.abs(by_all - by_others).max() > 0.1
    unsaid = whole(torch.from_numpy(features.plain[398:]).float()).numpy()
    np.testing.assert_allclose(found.of(names_of(features)[398], False), unsaid[0], atol=0.01)
    # The noise that a detector learnt by heart is in what it says of its own photos alone.
    tokenizer = vocabulary.load()
    grass = tokenizer.encode("grass").ids[0]
    odd = np.arange(300) % 2 == 1

    def known(said: np.ndarray) -> float:
        return float(said[odd, grass].mean() - said[~odd, grass].mean())

    assert known(by_all) > known(by_others) + 0.1


def test_a_photo_comes_with_the_evidence_of_how_it_is_seen(learnt) -> None:
    _, features = learnt
    rng, size = np.random.default_rng(0), vocabulary.load().get_vocab_size()
    views = rng.normal(size=(2, 2, size)).astype(np.float16)
    examples = [Example(f"flickr8k/{i}.jpg", "what?", ("grass",), "") for i in range(2)]
    found = Evidence({e.image: i for i, e in enumerate(examples)}, *views)
    # Mirrored, a photo is another here.
    features = replace(features, mirrored=features.plain + 1)
    batches = Batches(examples, features, vocabulary.load(), 2, 8, evidence=found)
    seen = set()
    for batch in itertools.islice(batches.shuffled(rng), 20):
        assert batch.evidence is not None
        for example, looks, evidence in zip(
            batch.examples, batch.features, batch.evidence, strict=True
        ):
            i = found.index[example.image]
            mirrored = not torch.equal(looks, torch.from_numpy(features.plain[i]).float())
            seen.add((i, mirrored))
            np.testing.assert_array_equal(evidence, views[int(mirrored), i])
    assert len(seen) == 4


def test_a_photo_of_another_thing_than_it_is_of_comes_without_evidence() -> None:
    tokenizer = vocabulary.load(MODEL / "tokenizer.json")
    rng, size = np.random.default_rng(0), tokenizer.get_vocab_size()
    plain = np.zeros((1, SMALL.eyes.cells, SMALL.eyes.channels), np.float16)
    batches = Batches([], Features({"a.jpg": 0}, plain, plain), tokenizer, 2, 8, flips=1)
    batch = Batch(
        [Example("a.jpg", "", ("a poodle on grass",), "")] * 2,
        torch.zeros(2, *plain.shape[1:]),
        torch.zeros(2, 1, dtype=torch.long),
        [[[7]], [[7]]],
        evidence=torch.ones(2, size),
    )
    poodle = Flips().index["standard poodle"]
    flipped = batches._flip(batch, [None, poodle], rng)
    assert flipped.evidence is not None
    assert flipped.evidence.sum(1).tolist() == [size, 0]


@pytest.mark.parametrize("kind", [Narvl, AutoregressiveCaptioner])
def test_training_hears_what_a_batch_says_of_its_photos(kind: type) -> None:
    torch.manual_seed(0)
    model = kind(LISTENING).eval()
    run = Run(kind="narvl" if kind is Narvl else "ar", consistency=0.5 if kind is Narvl else 0)
    objective = (NarvlObjective if kind is Narvl else ArObjective)(
        model, run, np.random.default_rng(0)
    )
    features = torch.rand(1, SMALL.eyes.cells, SMALL.eyes.channels)

    def loss(nats: float) -> float:
        evidence = torch.full((1, 52), -nats)
        evidence[:, 8] = nats
        batch = Batch([], features, torch.tensor([[7, 8]]), [[[8]]], evidence=evidence)
        return objective(batch, "caption", 0.0).item()

    assert loss(3.0) < loss(0.0) < loss(-3.0)


def test_without_a_detector_learnt_the_command_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(kept, "WORK", tmp_path)
    with pytest.raises(SystemExit, match="python -m training words"):
        Evidence.load(EYES)
    with pytest.raises(SystemExit, match="python -m training words"):
        detect_with(WordDetector(4, 4, 4), EYES)
    detect_with(None, EYES)


@pytest.mark.usefixtures("learnt")
def test_where_nothing_was_asked_the_precision_is_told_all_the_same(monkeypatch) -> None:
    monkeypatch.setattr(words, "present", lambda _: [])
    run = WordsRun(hidden=8, epochs=1, batch=50, lr=0.02, decay=0, dropout=0, often=10, folds=2)
    figures = words.learn(EYES, run, vocabulary.load().get_vocab_size())
    assert not any("people" in name or "listed" in name for name in figures)
    assert any("flickr8k" in name for name in figures)
