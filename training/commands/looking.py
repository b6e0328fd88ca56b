"""Captions read beside their photos: is the main subject right?

`python -m training looking draw FILE` takes 50 random photos, or `--each` as many, of each folder
of a file of texts that `training evaluate` kept, and writes `training/scoring/looking.jsonl` and
contact sheets, below the work folder, of the photos with their captions; with `--more`, of others,
behind those in the file. Someone looks and adds `"right": true` or `false` to each line.
`python -m training looking count` prints a table.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

from training.paths import WORK
from training.scoring.main_subjects import (
    COLUMNS,
    EACH,
    ROWS,
    SHEET,
    contact_sheet,
    drawn,
    folder,
    looked_at,
)
from training.scoring.tables import print_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="step", required=True)
    draw = commands.add_parser("draw")
    draw.add_argument("file", type=Path)
    draw.add_argument("--each", type=int, default=EACH, help="photos of a folder, or all it has")
    draw.add_argument("--more", action="store_true", help="beside those that are there")
    commands.add_parser("count")
    args = parser.parse_args()

    if args.step == "draw":
        before = looked_at() if args.more else []
        rows = drawn(args.file, before, args.each)
        with SHEET.open("a" if before else "w", encoding="utf-8") as sheet:
            for number, row in enumerate(rows, start=len(before)):
                line = {"number": number, "image": row["image"], "text": row["text"]}
                sheet.write(json.dumps(line) + "\n")
        size = COLUMNS * ROWS
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
