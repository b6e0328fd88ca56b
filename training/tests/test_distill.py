"""What is asked of the teacher, and which of its answers are taught."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from training.commands import distill as command
from training.data import examples as data
from training.data.batches import Batch
from training.data.formats import Example
from training.data.tokenizer import PAD
from training.network.model import Config, Narvl
from training.runs import loop
from training.runs import teacher as distill
from training.runs.recipe import Run, recipe
from training.writing import guides
from training.writing.ctc_beam import FOR_CAPTIONS, prefix_beam
from training.writing.decode import likeliest_tokens
from training.writing.ngram import NgramModel
from training.writing.once import Once

OWN = [
    Example("a.jpg", "where is it", ("on a table",), "where"),
    Example("b.jpg", "where is it", ("outside",), "where"),
    Example("c.jpg", "where is it", ("in a box",), "where"),
    Example("a.jpg", "what colour is the hat", ("red",), "what"),
]


@pytest.fixture(autouse=True)
def few_questions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(distill, "questions", lambda split: {"source": OWN})
    monkeypatch.setattr(distill, "training_photos", lambda: {"a.jpg", "b.jpg", "c.jpg", "d.jpg"})
    monkeypatch.setattr(distill, "WORK", tmp_path)


def test_photos_are_asked_their_own_questions_and_what_several_were_asked() -> None:
    asked = [(e.image, e.prompt) for e in distill.every_question()]
    assert len(asked) == len(set(asked))
    assert {(e.image, e.prompt) for e in OWN} <= set(asked)
    assert ("d.jpg", "where is it") in asked
    assert ("b.jpg", "what colour is the hat") not in asked


@pytest.mark.parametrize(
    ("image", "question", "answered", "taught"),
    [
        ("a.jpg", "where is it", "on the table", "on the table"),  # several wordings: the teacher's
        ("b.jpg", "where is it", "on a street", "on a street"),
        ("a.jpg", "what colour is the hat", "blue", "red"),  # one word: a person's
        ("d.jpg", "where is it", "outdoors", "outdoors"),  # only the teacher was asked
    ],
)
def test_answers_of_one_word_stay_a_persons(
    image: str, question: str, answered: str, taught: str
) -> None:
    row = {"image": image, "question": question, "style": "where", "texts": [answered, "else"]}
    distill.answers_file("t").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert distill.taught_answers("t") == [Example(image, question, (taught,), "where")]


def test_photos_are_captioned_in_the_styles_that_somebody_wrote(monkeypatch) -> None:
    named = recipe()
    human = [source for source in named.captions if source.style == "human"]
    monkeypatch.setattr(data, "recipe", lambda: named.model_copy(update={"captions": human}))
    assert {e.kind for e in distill.every_prompt()} == {"human"}


def test_photos_are_captioned_as_their_own_captions_are(monkeypatch) -> None:
    asked = recipe().prompts
    own = [Example("a.jpg", asked["human"], ("a hat",), "human")]
    monkeypatch.setattr(distill, "captions", lambda split: {"source": own})
    monkeypatch.setattr(
        distill, "own_captions", lambda: [Example("d.jpg", "", ("a chart",), "plain")]
    )
    found = sorted((e.image, e.kind) for e in distill.every_prompt(own=True))
    assert found == [("a.jpg", "human"), ("a.jpg", "plain"), ("b.jpg", "plain"), ("c.jpg", "plain")]
    assert len(distill.every_prompt()) == 2 * 3


@pytest.mark.parametrize(
    ("options", "taught"),
    [
        ({}, "a hat on a box"),  # what says a word twice comes last
        ({"twice": "kept"}, "a hat on a hat"),
        ({"search": "greedy"}, "a hat"),
    ],
)
def test_a_run_says_which_captions_it_is_taught(options: dict, taught: str) -> None:
    for search, texts in (("beam", ["a hat on a hat", "a hat on a box"]), ("greedy", ["a hat"])):
        row = {"image": "a.jpg", "question": "", "style": "human", "texts": texts}
        distill.captions_file("t", search).write_text(json.dumps(row) + "\n", encoding="utf-8")
    run = Run(kind="narvl", teacher="t", keep=1, **options)
    example = Example("a.jpg", recipe().prompts["human"], (taught,), "human")
    assert distill.taught_captions("t", run) == [example]


def test_pictures_whose_own_captions_are_taught_have_no_teacher(monkeypatch) -> None:
    plain = recipe().prompts["plain"]
    chart, dog = (Example(image, plain, (text,), "plain") for image, text in
                  (("chart.png", "a bar chart"), ("dog.jpg", "a dog on grass")))  # fmt: skip
    monkeypatch.setattr(loop, "own_captions", lambda: [chart])
    monkeypatch.setattr(loop, "captions", lambda split: {"all": [chart, dog]})
    rows = [
        {"image": image, "question": "", "style": "plain", "texts": ["a cat"]}
        for image in ("chart.png", "dog.jpg")
    ]
    file = distill.captions_file("t", "beam")
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    run = Run(kind="narvl", teacher="t", targets="teacher")
    assert loop.captioned(run) == [Example("dog.jpg", plain, ("a cat",), "plain"), chart]
    both = run.model_copy(update={"targets": "both"})
    taught = [e.texts for e in loop.captioned(both)]
    assert taught == [("a cat", "a dog on grass"), ("a bar chart",)]
    beside = run.model_copy(update={"own": 8})  # where they are learnt in batches of their own
    assert [e.image for e in loop.captioned(beside)] == ["dog.jpg"]
    held = Run(kind="narvl", slots_of="t", own=8)
    assert [e.image for e in loop.captioned(held)] == ["dog.jpg"]


def test_a_teacher_that_writes_in_one_pass_is_searched_as_the_runtime_does(monkeypatch) -> None:
    torch.manual_seed(0)
    ngrams = NgramModel([[5, 6, 7], [6, 5]], order=3, vocabulary=9)
    monkeypatch.setattr(distill, "of_captions", lambda: ngrams)
    begins, free = frozenset((5, 6)), frozenset((6,))
    monkeypatch.setattr(guides, "word_beginnings", lambda: begins)
    monkeypatch.setattr(guides, "function_words", lambda: free)
    small = Config(
        width=16, heads=2, encoder_layers=1, decoder_layers=1, ffn=16, vocabulary=9, slots=6
    )
    model = Narvl(small).eval()
    features = torch.randn(2, small.eyes.cells, small.eyes.channels)
    batch = Batch([], features, torch.tensor([[4, 5], [5, PAD]]), [])
    with torch.no_grad():
        found = list(distill._searched(model, batch, 3))
        logits = model(batch.features, batch.prompt)
    assert [len(texts) for texts in found] == [3, 3]
    for texts, slots in zip(found, likeliest_tokens(logits), strict=True):
        guide = Once(ngrams, FOR_CAPTIONS.again, begins, free)
        best = [text for text, _ in prefix_beam(slots, guide, FOR_CAPTIONS)]
        assert texts == best[:3]


def test_questions_are_asked_of_a_twin_alone(monkeypatch) -> None:
    monkeypatch.setattr(command, "load", lambda name: Narvl.__new__(Narvl))
    for more in ([], ["--only", "answers"]):
        monkeypatch.setattr("sys.argv", ["distill", "t", *more])
        with pytest.raises(SystemExit, match="expected an autoregressive run to answer"):
            command.main()
