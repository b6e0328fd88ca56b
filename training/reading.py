"""A blind reading: are the captions sentences that a person could have written?

`python -m training.reading draw FILE FILE` takes 50 random captions of each file of texts that
`training.evaluate` kept, shuffles them and writes `training/reading.jsonl` without saying whose is
whose. Someone adds `"grammatical": true` or `false` to each line. `python -m training.reading name
FILE FILE` then adds who wrote what, and `python -m training.reading count` prints a table.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from training.paths import REPOSITORY
from training.tables import print_table

SHEET = REPOSITORY / "training" / "reading.jsonl"
EACH = 50
SEED = 20261122


def drawn(files: list[Path]) -> list[tuple[str, dict]]:
    """(file name, row) of every caption to read, in the order of the sheet."""
    rng = random.Random(SEED)
    chosen = [
        (path.stem, row)
        for path in files
        for row in rng.sample([json.loads(line) for line in path.open(encoding="utf-8")], EACH)
    ]
    rng.shuffle(chosen)
    return chosen


def read() -> list[dict]:
    """The sheet's lines."""
    with SHEET.open(encoding="utf-8") as sheet:
        return [json.loads(line) for line in sheet]


def write(lines: list[dict]) -> None:
    with SHEET.open("w", encoding="utf-8") as sheet:
        sheet.writelines(json.dumps(line) + "\n" for line in lines)


def named(lines: list[dict], chosen: list[tuple[str, dict]]) -> list[dict]:
    """The sheet's lines with the `writer` of each, the name of the file that it was drawn from."""
    for (_, row), line in zip(chosen, lines, strict=True):
        if row["text"] != line["text"]:
            raise SystemExit(f"line {line['number']}: expected {row['text']!r}: other files?")
    return [line | {"writer": writer} for (writer, _), line in zip(chosen, lines, strict=True)]


def count(lines: list[dict]) -> list[dict[str, str | float]]:
    """A row for each writer."""
    verdicts: dict[str, list[bool]] = {}
    for line in lines:
        if "writer" not in line:
            raise SystemExit(f"line {line['number']} has no writer: `training.reading name` first")
        verdicts.setdefault(line["writer"], []).append(line["grammatical"])
    return [
        {"texts": writer, "read": str(len(v)), "not grammatical %": 100 * v.count(False) / len(v)}
        for writer, v in sorted(verdicts.items())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["draw", "name", "count"])
    parser.add_argument("files", nargs="*", type=Path)
    args = parser.parse_args()
    if args.step == "draw":
        chosen = drawn(args.files)
        write([{"number": n, "text": row["text"]} for n, (_, row) in enumerate(chosen)])
        print(f"{SHEET}: {len(chosen)} captions to read")
    elif args.step == "name":
        write(named(read(), drawn(args.files)))
    else:
        print_table(count(read()))


if __name__ == "__main__":
    main()
