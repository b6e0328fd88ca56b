"""A blind reading: are the captions sentences that a person could have written?

`python -m training reading draw FILE FILE` takes 50 random captions of each file of texts that
`training evaluate` kept, shuffles them and writes `training/scoring/reading.jsonl` without saying
whose is whose. Someone adds `"grammatical": true` or `false` to each line. `python -m training
reading name FILE FILE` then adds who wrote what, and `python -m training reading count` prints a
table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training.scoring.blind_reading import SHEET, count, drawn, named, read, write
from training.scoring.tables import print_table


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
