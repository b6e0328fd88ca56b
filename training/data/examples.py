"""The recipe's photographs with their texts, by split.

A caption's prompt is fixed and tells its style; a question is its own prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache

from training.data.boxes import spell, union
from training.data.formats import (
    Box,
    Example,
    listed_things,
    normalise,
    read_boxes,
    read_captions,
    read_questions,
    read_statements,
)
from training.data.presence import absent_and_present, counted, listed
from training.paths import DATA
from training.runs.recipe import recipe

SPLITS = ("train", "val", "test")
_SEED = 0
_EXTRA_TEXT = DATA / "text" / "flickr30k-train-captions.txt"


def prompts() -> dict[str, str]:
    """The prompt of each style that a source's captions are in, in the recipe's order."""
    styles = {source.style for source in recipe().captions}
    return {style: prompt for style, prompt in recipe().prompts.items() if style in styles}


@cache
def captions(split: str) -> dict[str, list[Example]]:
    """Captioned photos by the name of their source, sources that lack the split left out."""
    found: dict[str, list[Example]] = {}
    for s in recipe().captions:
        found.setdefault(s.name, []).extend(read_captions(s, split, DATA, prompts()[s.style]))
    return {name: examples for name, examples in found.items() if examples}


def own_captions() -> list[Example]:
    """Training photos whose own captions are learnt where others' are a teacher's."""
    names = {s.name for s in recipe().captions if s.taught == "references"}
    return [e for name, examples in captions("train").items() if name in names for e in examples]


@cache
def questions(split: str) -> dict[str, list[Example]]:
    """Questions by the name of their source, sources that lack the split left out."""
    found: dict[str, list[Example]] = {}
    for s in recipe().questions:
        found.setdefault(s.name, []).extend(read_questions(s, split, DATA))
    found["presence"] = present(split)
    found["entities"] = counted(boxes(split), _SEED)
    return {name: examples for name, examples in found.items() if examples}


def present(split: str) -> list[Example]:
    """Whether things are in photos, each as often as not."""
    things = [row for s in recipe().things for row in listed_things(s, split, DATA)]
    texts: dict[str, list[str]] = {}
    for example in together(captions(split)):
        texts.setdefault(example.image, []).extend(example.texts)
    return [*listed(things), *absent_and_present(texts, boxes(split), _SEED)]


@cache
def phrases(split: str) -> dict[str, list[Example]]:
    """Phrases to point at by the name of their source, each with a box around all that it means."""
    prompt = recipe().prompts.get("locate", "{}")
    found: dict[str, list[Example]] = {}
    for s in recipe().boxes:
        found.setdefault(s.name, []).extend(
            Example(
                image, prompt.format(one.phrase), (spell(union([one.box, *one.others])),), one.kind
            )
            for image, all_boxes in read_boxes(s, split, DATA).items()
            for one in all_boxes
        )
    return {name: examples for name, examples in found.items() if examples}


@cache
def statements(split: str) -> dict[str, list[Example]]:
    """Statements by the name of their source, each with what it is worth."""
    prompt = recipe().prompts.get("entail", "{}")
    found: dict[str, list[Example]] = {}
    for s in recipe().statements:
        found.setdefault(s.name, []).extend(read_statements(s, split, DATA, prompt))
    return {name: examples for name, examples in found.items() if examples}


def everything(split: str) -> list[Example]:
    """Everything that is asked of the photos of a split."""
    return [e for kind in (captions, questions, phrases, statements) for e in together(kind(split))]


@cache
def unlabelled() -> list[str]:
    """Photos that nobody said anything about."""
    files = (DATA / name for name in recipe().unlabelled)
    return [
        json.loads(line)["image"]
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


@cache
def boxes(split: str) -> dict[str, list[Box]]:
    """People's boxes by photo, of all sources."""
    found: dict[str, list[Box]] = {}
    for s in recipe().boxes:
        found |= read_boxes(s, split, DATA)
    return found


def together(by_source: dict[str, list[Example]]) -> list[Example]:
    return [e for examples in by_source.values() for e in examples]


def training_texts() -> list[str]:
    """Every text that a tokenizer may learn its vocabulary from: training splits only."""
    texts = [text for e in together(captions("train")) for text in e.texts]
    texts += [text for e in together(questions("train")) for text in (e.prompt, *e.texts)]
    return texts + list(prompts().values())


def caption_texts() -> Iterable[str]:
    """Every training caption: the words that captions are known to put together."""
    return (text for e in together(captions("train")) for text in e.texts)


def language_model_texts() -> list[str]:
    """What the language model of captions reads: every training caption, as often as its source is
    counted, and captions without photos."""
    counted = {s.name: s.counted for s in recipe().captions}
    return [
        text
        for name, examples in captions("train").items()
        for example in examples
        for text in example.texts * counted[name]
    ] + extra_texts()


def answer_texts() -> Iterable[str]:
    """Every training answer."""
    return (text for e in together(questions("train")) for text in e.texts)


def extra_texts() -> list[str]:
    """Captions without photos, for the tokenizer's merges and the language model, if the data
    folder has them."""
    if not _EXTRA_TEXT.exists():
        return []
    return [normalise(line) for line in _EXTRA_TEXT.read_text(encoding="utf-8").splitlines()]


def photos() -> list[str]:
    """Every photo that any split names, in one fixed order."""
    return sorted({e.image for s in SPLITS for e in everything(s)} | set(unlabelled()))


def training_photos() -> set[str]:
    """Photos whose texts may be learnt from; the mirrored copies are made of these only."""
    return {e.image for e in everything("train")} | set(unlabelled())
