"""Captions beside their photos on sheets: is the main subject right?"""

from __future__ import annotations

import json
import random
import textwrap
from collections import defaultdict
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from training.paths import DATA, REPOSITORY

SHEET = REPOSITORY / "training" / "scoring" / "looking.jsonl"
EACH = 50
SEED = 20261122
COLUMNS, ROWS, _PHOTO, _TEXT = 5, 2, 300, 70


def looked_at() -> list[dict]:
    """The rows of the file, in order."""
    return [json.loads(line) for line in SHEET.open(encoding="utf-8")]


def folder(row: dict) -> str:
    return row["image"].split("/")[0]


def drawn(file: Path, before: list[dict], each: int) -> list[dict]:
    """At most `each` rows to look at, folder by folder; none of those looked at before."""
    by_folder: dict[str, list[dict]] = defaultdict(list)
    known = {row["image"] for row in before}
    for line in file.open(encoding="utf-8"):
        row = json.loads(line)
        if row["image"] not in known:
            by_folder[folder(row)].append(row)
    rng = random.Random(SEED + len(before))
    return [row for rows in by_folder.values() for row in rng.sample(rows, min(each, len(rows)))]


def contact_sheet(rows: list[dict], first: int) -> Image.Image:
    """Photos side by side, each with its number and caption below."""
    sheet = Image.new("RGB", (COLUMNS * _PHOTO, ROWS * (_PHOTO + _TEXT)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for i, row in enumerate(rows):
        x, y = i % COLUMNS * _PHOTO, i // COLUMNS * (_PHOTO + _TEXT)
        with Image.open(DATA / row["image"]) as photo:
            sheet.paste(photo.convert("RGB").resize((_PHOTO - 6, _PHOTO - 6)), (x, y))
        text = textwrap.fill(f"{first + i}: {row['text']}", 36)
        draw.text((x, y + _PHOTO - 4), text, "black", font)
    return sheet
