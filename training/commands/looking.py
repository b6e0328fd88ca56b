"""Captions read beside their photos: is the main subject right, and is it English?

`python -m training looking draw FILE… --before FILE…` takes 50 random photos, or `--each` as many,
of each folder of files of texts that `training evaluate` kept of one model, and writes contact
sheets, below the work folder, of the photos with its captions and those of another, in random
order. Someone looks, and writes a line for each photo: `{"number": 0, "A": true, "B": false,
"A_grammatical": true, "B_grammatical": true}`. `python -m training looking take FILE…` puts these
into `training/scoring/looking.jsonl`, and `python -m training looking count` prints a table.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.paths import WORK
from training.scoring.main_subjects import (
    COLUMNS,
    EACH,
    ROWS,
    SHEET,
    contact_sheet,
    counted,
    drawn,
    judged,
    rows_of,
)
from training.scoring.tables import print_table

_KEY = WORK / "looking-key.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="step", required=True)
    draw = commands.add_parser("draw")
    draw.add_argument("files", type=Path, nargs="+")
    draw.add_argument("--before", type=Path, nargs="+", required=True, help="of the other model")
    draw.add_argument("--each", type=int, default=EACH, help="photos of a folder, or all it has")
    take = commands.add_parser("take")
    take.add_argument("files", type=Path, nargs="+")
    commands.add_parser("count")
    args = parser.parse_args()

    if args.step == "draw":
        pairs = drawn(rows_of(args.files), rows_of(args.before), args.each)
        _write(_KEY, pairs)
        size = COLUMNS * ROWS
        for start in range(0, len(pairs), size):
            path = WORK / f"looking-{start:03}.png"
            contact_sheet(pairs[start : start + size]).save(path)
            print(path)
    elif args.step == "take":
        _write(SHEET, judged(rows_of([_KEY]), rows_of(args.files)))
    else:
        print_table(counted(rows_of([SHEET])))


def _write(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
