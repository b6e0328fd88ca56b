"""Phrases with their boxes and statements with their labels: how a folder has them, and what of a
model's is right.

`entities` is JSON Lines of {image, phrases: [{phrase, type, boxes}]}, `entailment` of {image,
hypothesis, label}; images are named from the folder above. A box is [x0, y0, x1, y1] in shares of
width and height.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

Box = tuple[float, float, float, float]

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)

LABELS = ("entailment", "neutral", "contradiction")


@dataclass(frozen=True)
class Phrase:
    """A phrase about a photo, and people's boxes of what it means: several where it means several
    things."""

    image: str
    text: str
    kind: str
    boxes: tuple[Box, ...]

    def job(self) -> dict[str, str]:
        return {"file": self.image, "locate": self.text}


@dataclass(frozen=True)
class Statement:
    """A statement about a photo and one of `LABELS`."""

    image: str
    text: str
    label: str

    def job(self) -> dict[str, str]:
        return {"file": self.image, "entails": self.text}


def read(
    folder: Path, split: str, images: int | None = None
) -> tuple[list[Phrase], list[Statement]]:
    """What a folder has of one split, photo by photo, of its first photos or of all; nothing where
    it is no folder of this kind."""
    path = folder / f"{split}.jsonl"
    by_image: dict[str, list[dict]] = {}
    for row in _lines(path) if path.exists() else ():
        by_image.setdefault(row["image"], []).append(row)
    rows = [row for some in list(by_image.values())[:images] for row in some]
    phrases = [
        Phrase(row["image"], one["phrase"], one["type"], tuple(map(tuple, one["boxes"])))
        for row in rows
        for one in row.get("phrases", [])
    ]
    statements = [
        Statement(row["image"], row["hypothesis"], row["label"])
        for row in rows
        if "hypothesis" in row
    ]
    return phrases, statements


def _lines(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union, 0…1; 0 of two boxes without an area."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    union = _area(a) + _area(b) - common
    return common / union if union > 0 else 0.0


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def pointed(boxes: Sequence[Box], phrases: Sequence[Phrase]) -> dict[str, float]:
    """Per cent of phrases whose box has an IoU of at least 0.5 with any of people's boxes; by kind
    of thing; with the box around all of them, as Flickr30k Entities' protocol has it (Plummer et
    al. 2015); and both of a model that always says the whole photo."""

    def right(found: Sequence[Box], wanted: Sequence[Sequence[Box]]) -> list[bool]:
        pairs = zip(found, wanted, strict=True)
        return [max(overlap(box, one) for one in any_of) >= 0.5 for box, any_of in pairs]

    each = [phrase.boxes for phrase in phrases]
    union = [(around(phrase.boxes),) for phrase in phrases]
    whole = [WHOLE] * len(phrases)
    hits = right(boxes, each)
    by_kind: dict[str, list[bool]] = {}
    for hit, phrase in zip(hits, phrases, strict=True):
        by_kind.setdefault(phrase.kind, []).append(hit)
    return {
        "phrases": float(len(phrases)),
        "IoU ≥ 0.5 %": _percent(hits),
        "around all %": _percent(right(boxes, union)),
        "whole photo %": _percent(right(whole, each)),
        "whole photo, around all %": _percent(right(whole, union)),
        **{f"{kind} %": _percent(kept) for kind, kept in sorted(by_kind.items())},
    }


def judged(labels: Sequence[str], statements: Sequence[Statement]) -> dict[str, float]:
    """Per cent of statements whose label is right; by label; and of the commonest label, always."""
    hits = [label == s.label for label, s in zip(labels, statements, strict=True)]
    by_label = {
        label: [hit for hit, s in zip(hits, statements, strict=True) if s.label == label]
        for label in LABELS
    }
    ((_, commonest),) = Counter(s.label for s in statements).most_common(1)
    return {
        "statements": float(len(statements)),
        "right %": _percent(hits),
        "commonest label %": 100 * commonest / len(statements),
        **{f"{label} %": _percent(kept) for label, kept in by_label.items() if kept},
    }


def _percent(hits: Sequence[bool]) -> float:
    return 100 * sum(hits) / len(hits)
