"""Sheets of captions for a reader who does not know who wrote them."""

from __future__ import annotations

import json
import random
from pathlib import Path

from training.paths import REPOSITORY

SHEET = REPOSITORY / "training" / "scoring" / "reading.jsonl"
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
            raise SystemExit(f"line {line['number']} has no writer: `training reading name` first")
        verdicts.setdefault(line["writer"], []).append(line["grammatical"])
    return [
        {"texts": writer, "read": str(len(v)), "not grammatical %": 100 * v.count(False) / len(v)}
        for writer, v in sorted(verdicts.items())
    ]
