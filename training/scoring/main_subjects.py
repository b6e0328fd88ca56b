"""Two models' captions beside their photos, in random order: is the main subject right?"""

from __future__ import annotations

import json
import random
import textwrap
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from training.paths import DATA, REPOSITORY

SHEET = REPOSITORY / "training" / "scoring" / "looking.jsonl"
EACH = 50
SEED = 20261130
COLUMNS, ROWS, _PHOTO, _TEXT = 4, 2, 370, 120


def rows_of(files: Iterable[Path]) -> list[dict]:
    """The lines of several files."""
    return [json.loads(line) for file in files for line in file.open(encoding="utf-8")]


def folder(row: dict) -> str:
    return row["image"].split("/")[0]


def drawn(ours: list[dict], theirs: list[dict], each: int) -> list[dict]:
    """Photos of both models' texts, at most `each` of a folder, shuffled; `A` and `B` are their
    captions, `ours` says which is ours."""
    other = {row["image"]: row["text"] for row in theirs}
    by_folder: dict[str, list[dict]] = defaultdict(list)
    for row in ours:
        if row["image"] in other:
            by_folder[folder(row)].append(row)
    rng = random.Random(SEED)
    rows = [
        row for all_of in by_folder.values() for row in rng.sample(all_of, min(each, len(all_of)))
    ]
    rng.shuffle(rows)
    pairs = []
    for number, row in enumerate(rows):
        texts = [row["text"], other[row["image"]]]
        swapped = rng.random() < 0.5
        a, b = texts[::-1] if swapped else texts
        pairs.append(
            {"number": number, "image": row["image"], "ours": "AB"[swapped], "A": a, "B": b}
        )
    return pairs


def contact_sheet(pairs: list[dict]) -> Image.Image:
    """Photos side by side, each with its number and both captions below."""
    sheet = Image.new("RGB", (COLUMNS * _PHOTO, ROWS * (_PHOTO + _TEXT)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for i, pair in enumerate(pairs):
        x, y = i % COLUMNS * _PHOTO, i // COLUMNS * (_PHOTO + _TEXT)
        with Image.open(DATA / pair["image"]) as photo:
            sheet.paste(photo.convert("RGB").resize((_PHOTO - 6, _PHOTO - 6)), (x, y))
        captions = [textwrap.fill(f"{which}: {pair[which]}", 44) for which in "AB"]
        draw.text((x, y + _PHOTO - 4), "\n".join([f"#{pair['number']}", *captions]), "black", font)
    return sheet


def judged(pairs: list[dict], verdicts: list[dict]) -> list[dict]:
    """What was read, folder by folder: our caption with its verdict, and `before`, the other's."""
    found = {verdict["number"]: verdict for verdict in verdicts}
    missing = [pair["number"] for pair in pairs if pair["number"] not in found]
    if missing:
        raise SystemExit(f"expected a verdict on each photo, got none on {missing[:10]}")

    def side(pair: dict, which: str) -> dict:
        verdict = found[pair["number"]]
        return {
            "text": pair[which],
            "right": verdict[which],
            "grammatical": verdict[f"{which}_grammatical"],
        }

    return [
        {
            "image": pair["image"],
            **side(pair, pair["ours"]),
            "before": side(pair, "AB".replace(pair["ours"], "")),
        }
        for pair in sorted(pairs, key=folder)
    ]


def counted(rows: list[dict]) -> list[dict[str, str | float]]:
    """Percentages by folder, and of all."""
    by_folder: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        by_folder[folder(row)].append(row)

    def percent(of: list[dict], what: str, wanted: bool) -> float:
        return 100 * sum(row[what] == wanted for row in of) / len(of)

    return [
        {
            "photos": name,
            "read": str(len(of)),
            "main subject right %": percent(of, "right", True),
            "the other's %": percent([row["before"] for row in of], "right", True),
            "not grammatical %": percent(of, "grammatical", False),
            "the other's, not grammatical %": percent(
                [row["before"] for row in of], "grammatical", False
            ),
        }
        for name, of in [*by_folder.items(), ("all", rows)]
    ]
