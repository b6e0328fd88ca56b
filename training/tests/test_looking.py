"""Photos that are looked at beside their captions: as many of each folder, none twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from training.scoring.main_subjects import drawn, folder


def test_as_many_photos_of_each_folder_are_drawn_and_none_again(tmp_path: Path) -> None:
    file = tmp_path / "texts.jsonl"
    rows = [
        {"image": f"{name}/{n}.jpg", "text": "a dog"}
        for name, count in (("pets", 3), ("scenes", 9))
        for n in range(count)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    first = drawn(file, [], each=5)
    assert Counter(map(folder, first)) == {"pets": 3, "scenes": 5}
    others = drawn(file, first, each=5)
    assert Counter(map(folder, others)) == {"scenes": 4}
    assert {row["image"] for row in first + others} == {row["image"] for row in rows}
