"""Captions read beside their photos: is the main subject right?

`python -m training.looking draw FILE` takes 50 random photos of each folder of a file of texts that
`training.evaluate` kept, and writes `training/looking.jsonl` and contact sheets, below the work
folder, of the photos with their captions; with `--more`, of 50 others of each, behind those in the
file. Someone looks and adds `"right": true` or `false` to each line. `python -m training.looking
count` prints a table.
"""

from __future__ import annotations

import argparse
import json
import random
import textwrap
from collections import defaultdict
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from training.paths import DATA, REPOSITORY, WORK
from training.tables import print_table

SHEET = REPOSITORY / "training" / "looking.jsonl"
EACH = 50
SEED = 20261122
_COLUMNS, _ROWS, _PHOTO, _TEXT = 5, 2, 300, 70


def looked_at() -> list[dict]:
    """The rows of the file, in order."""
    return [json.loads(line) for line in SHEET.open(encoding="utf-8")]


def folder(row: dict) -> str:
    return row["image"].split("/")[0]


def drawn(file: Path, before: list[dict]) -> list[dict]:
    """The rows to look at, folder by folder; none of those looked at before."""
    by_folder: dict[str, list[dict]] = defaultdict(list)
    known = {row["image"] for row in before}
    for line in file.open(encoding="utf-8"):
        row = json.loads(line)
        if row["image"] not in known:
            by_folder[folder(row)].append(row)
    rng = random.Random(SEED + len(before))
    return [row for rows in by_folder.values() for row in rng.sample(rows, EACH)]


def contact_sheet(rows: list[dict], first: int) -> Image.Image:
    """Photos side by side, each with its number and caption below."""
    sheet = Image.new("RGB", (_COLUMNS * _PHOTO, _ROWS * (_PHOTO + _TEXT)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for i, row in enumerate(rows):
        x, y = i % _COLUMNS * _PHOTO, i // _COLUMNS * (_PHOTO + _TEXT)
        with Image.open(DATA / row["image"]) as photo:
            sheet.paste(photo.convert("RGB").resize((_PHOTO - 6, _PHOTO - 6)), (x, y))
        text = textwrap.fill(f"{first + i}: {row['text']}", 36)
        draw.text((x, y + _PHOTO - 4), text, "black", font)
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="step", required=True)
    draw = commands.add_parser("draw")
    draw.add_argument("file", type=Path)
    draw.add_argument("--more", action="store_true", help="beside those that are there")
    commands.add_parser("count")
    args = parser.parse_args()

    if args.step == "draw":
        before = looked_at() if args.more else []
        rows = drawn(args.file, before)
        with SHEET.open("a" if before else "w", encoding="utf-8") as sheet:
            for number, row in enumerate(rows, start=len(before)):
                line = {"number": number, "image": row["image"], "text": row["text"]}
                sheet.write(json.dumps(line) + "\n")
        size = _COLUMNS * _ROWS
        for start in range(0, len(rows), size):
            number = len(before) + start
            path = WORK / f"looking-{number:03}.png"
            contact_sheet(rows[start : start + size], number).save(path)
            print(path)
        return
    verdicts: dict[str, list[bool]] = defaultdict(list)
    for row in looked_at():
        verdicts[folder(row)].append(row["right"])
    print_table(
        [
            {"photos": name, "read": str(len(v)), "main subject right %": 100 * sum(v) / len(v)}
            for name, v in verdicts.items()
        ]
    )


if __name__ == "__main__":
    main()
