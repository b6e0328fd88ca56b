"""Photographs with their texts, read from the data folder and normalised to one form.

A *style* is a way of describing and is chosen by its prompt: `plain` is the uniform wording of
`described/`, `human` the five free wordings of Flickr8k.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.paths import DATA

PROMPTS = {
    "plain": "what does the image describe?",
    "human": "what would a person say about the image?",
}

_SPACE_BEFORE = re.compile(r"\s+([.,!?;:'])")
_QUOTES = re.compile(r'["`]|\'\'')
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Example:
    """One photo in one style; `image` is its path below the data folder."""

    image: str
    style: str
    captions: tuple[str, ...]


def normalise(text: str) -> str:
    """Lower case, no quotation marks, no spaces before punctuation, no final full stop."""
    text = _QUOTES.sub(" ", text.lower()).replace("’", "'")
    text = _SPACE_BEFORE.sub(r"\1", text)
    return _SPACES.sub(" ", text).strip(" .,;:!?-'")


def _lines(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def human_captions(split: str) -> list[Example]:
    """Flickr8k: one example a photo, five captions each."""
    return [
        Example(f"flickr8k/images/{row['image']}", "human", tuple(map(normalise, row["captions"])))
        for row in _lines(DATA / "flickr8k" / "captions.jsonl")
        if row["split"] == split
    ]


def plain_captions(split: str) -> list[Example]:
    """`described/`: one example a photo, one machine-written caption each."""
    return [
        Example(row["image"], "plain", (normalise(row["caption"]),))
        for row in _lines(DATA / "described" / f"{split}.jsonl")
    ]


def training_texts() -> list[str]:
    """Every text that a tokenizer may learn its vocabulary from: training splits only."""
    texts = [c for e in human_captions("train") + plain_captions("train") for c in e.captions]
    for row in _lines(DATA / "described" / "train.jsonl"):
        for pair in row["qa"]:
            texts += [normalise(pair["question"]), normalise(pair["answer"])]
    for row in _lines(DATA / "visual7w" / "train.jsonl"):
        texts += [normalise(row["question"]), normalise(row["answer"])]
    for row in _lines(DATA / "daquar" / "train.jsonl"):
        texts += [normalise(row["question"]), normalise(row["answer"])]
    texts += list(PROMPTS.values())
    return texts


def flickr30k_texts() -> list[str]:
    """Captions without photos, for the tokenizer's merges."""
    path = DATA / "text" / "flickr30k-train-captions.txt"
    return [normalise(line) for line in path.read_text(encoding="utf-8").splitlines()]


def photos() -> list[str]:
    """Every photo that any split of a caption set names, in one fixed order."""
    names = {e.image for s in ("train", "val", "test") for e in plain_captions(s)}
    names |= {e.image for s in ("train", "val", "test") for e in human_captions(s)}
    return sorted(names)


def training_photos() -> set[str]:
    """Photos whose captions may be learnt from; the mirrored copies are made of these only."""
    return {e.image for e in human_captions("train") + plain_captions("train")}
