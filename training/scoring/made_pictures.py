"""Whether captions of pictures that are no photos say what kind of picture it is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

NOTHING = ("blank", "noise")
"""Kinds on which there is nothing to be sure of."""


@dataclass(frozen=True)
class MadePicture:
    """A picture's file below the folder above its own, its kind, and what that may be called."""

    image: str
    kind: str
    names: tuple[str, ...]


def read(folder: Path, split: str) -> list[MadePicture]:
    """Those of a split that `python -m training pictures` made; none in another folder."""
    file = folder / f"{split}.jsonl"
    if not file.exists():
        return []
    with file.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        MadePicture(row["image"], row["kind"], tuple(row["names"]))
        for row in rows
        if "names" in row
    ]


def names_kind(text: str, picture: MadePicture) -> bool:
    """Whether a text has one of the kind's names, as whole words, in either number."""
    return any(re.search(rf"\b{re.escape(name)}(?:e?s)?\b", text.lower()) for name in picture.names)


def named(texts: Sequence[str], pictures: Sequence[MadePicture]) -> dict[str, float]:
    """Percent of texts that name the kind, of all pictures and of the kind that is named least."""
    hits: dict[str, list[bool]] = {}
    for text, picture in zip(texts, pictures, strict=True):
        hits.setdefault(picture.kind, []).append(names_kind(text, picture))
    every = [hit for of_kind in hits.values() for hit in of_kind]
    least = min(hits, key=lambda kind: fmean(hits[kind]))
    return {
        "kind named %": 100 * fmean(every),
        "of the least named kind %": 100 * fmean(hits[least]),
    }


def sure_of_nothing(
    confidences: Sequence[float], pictures: Sequence[MadePicture]
) -> dict[str, float]:
    """The mean and the largest confidence of captions of blank pictures and of noise."""
    figures: dict[str, float] = {}
    for kind in NOTHING:
        found = [c for c, p in zip(confidences, pictures, strict=True) if p.kind == kind]
        if found:
            figures[f"confidence of {kind}"] = fmean(found)
            figures[f"largest of {kind}"] = max(found)
    return figures
