"""A blind reading: are the captions sentences that a person could have written?

`python -m training.reading draw FILE FILE` takes 50 random captions of each file of texts that
`training.evaluate` kept, shuffles them and writes `training/reading.jsonl` without saying whose is
whose. Someone adds `"grammatical": true` or `false` to each line. `python -m training.reading count
FILE FILE` then looks up who wrote what and prints a table.
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["draw", "count"])
    parser.add_argument("files", nargs="+", type=Path)
    args = parser.parse_args()

    chosen = drawn(args.files)
    if args.step == "draw":
        with SHEET.open("w", encoding="utf-8") as sheet:
            for number, (_, row) in enumerate(chosen):
                sheet.write(json.dumps({"number": number, "text": row["text"]}) + "\n")
        print(f"{SHEET}: {len(chosen)} captions to read")
        return
    read = [json.loads(line) for line in SHEET.open(encoding="utf-8")]
    verdicts: dict[str, list[bool]] = {}
    for (writer, row), line in zip(chosen, read, strict=True):
        if row["text"] != line["text"]:
            raise SystemExit(f"line {line['number']}: expected {row['text']!r}: other files?")
        verdicts.setdefault(writer, []).append(line["grammatical"])
    print_table(
        [
            {
                "texts": writer,
                "read": str(len(v)),
                "not grammatical %": 100 * v.count(False) / len(v),
            }
            for writer, v in verdicts.items()
        ]
    )


if __name__ == "__main__":
    main()
