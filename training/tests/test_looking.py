"""Photos that are looked at beside two captions: which is whose is known after the verdicts."""

from __future__ import annotations

from collections import Counter

import pytest

from training.scoring.main_subjects import counted, drawn, folder, judged


def texts(model: str, counts: dict[str, int]) -> list[dict]:
    return [
        {"image": f"{name}/{n}.jpg", "text": f"{model} {name} {n}"}
        for name, count in counts.items()
        for n in range(count)
    ]


def test_verdicts_find_back_to_who_wrote_what() -> None:
    pairs = drawn(
        texts("new", {"pets": 3, "scenes": 40}), texts("old", {"pets": 9, "scenes": 39}), 20
    )
    assert Counter(map(folder, pairs)) == {"pets": 3, "scenes": 20}
    assert {pair["ours"] for pair in pairs} == {"A", "B"}
    verdicts = [
        {
            "number": pair["number"],
            **{which: pair[which].startswith("new") for which in "AB"},
            **{f"{which}_grammatical": pair[which].startswith("old") for which in "AB"},
        }
        for pair in pairs
    ]
    rows = judged(pairs, verdicts[::-1])
    assert [folder(row) for row in rows] == ["pets"] * 3 + ["scenes"] * 20
    for row in rows:
        name, number = row["image"].removesuffix(".jpg").split("/")
        assert row["text"] == f"new {name} {number}"
        assert row["before"]["text"] == f"old {name} {number}"
    figures = {row["photos"]: list(row.values())[1:] for row in counted(rows)}
    assert figures == {
        "pets": ["3", 100.0, 0.0, 100.0, 0.0],
        "scenes": ["20", 100.0, 0.0, 100.0, 0.0],
        "all": ["23", 100.0, 0.0, 100.0, 0.0],
    }
    with pytest.raises(SystemExit, match=r"got none on \[0\]"):
        judged(pairs, verdicts[1:])
