"""What each part of the recipe is worth: `python -m training ablations`.

A row for each run of `recipes/ablations.toml`: what its last validation found, on the photos that
`training.runs.validation` watches. Says what has not been run.
"""

from __future__ import annotations

import json

from training.paths import REPOSITORY, WORK
from training.runs.recipe import recipe
from training.scoring.tables import print_table

RECIPE = REPOSITORY / "training/recipes/ablations.toml"
SHOWN = ("CIDEr-D", "BLEU-4", "length ratio", "content word twice %", "unseen bigram %")


def main() -> None:
    base = recipe(RECIPE.parent / "narvl-photo.toml").runs
    rows, missing = [], []
    for name, run in recipe(RECIPE).runs.items():
        log = WORK / f"{name}.jsonl"
        if name in base:
            continue
        last = log.read_text(encoding="utf-8").splitlines()[-1] if log.exists() else "{}"
        found = json.loads(last)
        if found.get("step") != run.steps:
            missing.append(name)
            continue
        rows.append({"run": name, "steps": str(run.steps), **{k: found[k] for k in SHOWN}})
    if rows:
        print_table(rows)
    if missing:
        print(f"not run to the end: {', '.join(missing)}")
