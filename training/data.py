"""The recipe's photographs with their texts, by split.

A caption's prompt is fixed and tells its style; a question is its own prompt.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from training.formats import Example, normalise, read_captions, read_questions
from training.paths import DATA
from training.recipe import recipe

SPLITS = ("train", "val", "test")
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


@cache
def questions(split: str) -> dict[str, list[Example]]:
    """Questions by the name of their source, sources that lack the split left out."""
    found: dict[str, list[Example]] = {}
    for s in recipe().questions:
        found.setdefault(s.name, []).extend(read_questions(s, split, DATA))
    return {name: examples for name, examples in found.items() if examples}


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


def answer_texts() -> Iterable[str]:
    """Every training answer."""
    return (text for e in together(questions("train")) for text in e.texts)


def extra_texts() -> list[str]:
    """Captions without photos, for the tokenizer's merges, if the data folder has them."""
    if not _EXTRA_TEXT.exists():
        return []
    return [normalise(line) for line in _EXTRA_TEXT.read_text(encoding="utf-8").splitlines()]


def photos() -> list[str]:
    """Every photo that any split names, in one fixed order."""
    return sorted({e.image for s in SPLITS for e in together(captions(s)) + together(questions(s))})


def training_photos() -> set[str]:
    """Photos whose texts may be learnt from; the mirrored copies are made of these only."""
    return {e.image for e in together(captions("train")) + together(questions("train"))}
