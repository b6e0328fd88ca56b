"""Boxes as words: four location tokens x0, y0, x1, y1, as OFA and NARVL have them.

A side of the photo is cut into BINS; bin i stands for its middle, (i + 0.5) / BINS. The tokens come
behind the tokenizer's own in the vocabulary. As text, which examples hold, a box is
`<3><10><60><63>`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.data.tokenizer import VOCABULARY

BINS = 64
FIRST_BIN = VOCABULARY
_SPELT = re.compile(r"(?:<\d+>){4}")

Corners = tuple[float, float, float, float]
"""x0, y0, x1, y1 in fractions of width and height."""


def _ends(low: float, high: float) -> tuple[int, int]:
    """The bins of a side's ends, of which the second is the greater."""
    first = min(int(low * BINS), BINS - 2)
    return max(first, 0), min(max(int(high * BINS), first + 1), BINS - 1)


def spell(box: Corners) -> str:
    (x0, x1), (y0, y1) = _ends(box[0], box[2]), _ends(box[1], box[3])
    return f"<{x0}><{y0}><{x1}><{y1}>"


def encode_box(text: str) -> list[int]:
    """The tokens of a box as `spell` writes it."""
    if not _SPELT.fullmatch(text):
        raise ValueError(f"expected a box such as <3><10><60><63>, got {text!r}")
    return [FIRST_BIN + int(n) for n in re.findall(r"\d+", text)]


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """Token ids of a text, or of a box as `spell` writes it."""
    return encode_box(text) if _SPELT.fullmatch(text) else tokenizer.encode(text).ids


def mirrored(ids: Sequence[int]) -> list[int]:
    """The tokens of a box in the mirrored photo."""
    x0, y0, x1, y1 = (i - FIRST_BIN for i in ids)
    return [FIRST_BIN + n for n in (BINS - 1 - x1, y0, BINS - 1 - x0, y1)]


def is_box(ids: Sequence[int]) -> bool:
    """Whether tokens are a box: four bins, with an extent both ways."""
    return (
        len(ids) == 4
        and all(FIRST_BIN <= i < FIRST_BIN + BINS for i in ids)
        and ids[0] < ids[2]
        and ids[1] < ids[3]
    )


def corners(ids: Sequence[int]) -> Corners:
    """The box that four tokens mean."""
    x0, y0, x1, y1 = ((i - FIRST_BIN + 0.5) / BINS for i in ids)
    return x0, y0, x1, y1


def union(boxes: Sequence[Corners]) -> Corners:
    """The smallest box around all."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def overlap(a: Corners, b: Corners) -> float:
    """Intersection over union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / (sum(areas) - width * height)


def cover(boxes: Tensor, side: int) -> Tensor:
    """How much of each cell of a square grid lies under each box [M, 4], as shares of the cell
    [M, side²], row by row."""
    edges = torch.arange(side, dtype=boxes.dtype)

    def covered(low: Tensor, high: Tensor) -> Tensor:
        last = torch.minimum(high[:, None] * side, edges + 1)
        return (last - torch.maximum(low[:, None] * side, edges)).clamp(min=0)

    down, across = covered(boxes[:, 1], boxes[:, 3]), covered(boxes[:, 0], boxes[:, 2])
    return (down[:, :, None] * across[:, None]).flatten(1)
