"""A blind reading: writers are told apart afterwards, and only by the files that were drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.scoring import blind_reading as reading


def test_who_wrote_what_is_known_after_the_verdicts(tmp_path: Path, monkeypatch) -> None:
    files = [tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl"]
    for file in files:
        rows = ({"text": f"{file.stem} {n}"} for n in range(60))
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    chosen = reading.drawn(files)
    sheet = [{"number": n, "text": row["text"]} for n, (_, row) in enumerate(chosen)]
    with pytest.raises(SystemExit, match="no writer"):
        reading.count(sheet)
    read = [line | {"grammatical": "ours" in line["text"]} for line in sheet]
    named = reading.named(read, chosen)
    assert all(line["text"].startswith(line["writer"]) for line in named)
    assert reading.count(named) == [
        {"texts": "ours", "read": "50", "not grammatical %": 0.0},
        {"texts": "theirs", "read": "50", "not grammatical %": 100.0},
    ]
    with pytest.raises(SystemExit, match="other files"):
        reading.named(read, reading.drawn(files[::-1]))
