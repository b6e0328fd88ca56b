"""The shipped model in the real runtime, asked through the project's own command line."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from training.paths import DATA, REPOSITORY


def answers(
    jobs: Sequence[dict[str, str]],
    *,
    encoder: str | None = None,
    decoder: str | None = None,
    weights: str | None = None,
    model: str | None = None,
    search: str | None = None,
    posteriors: bool = False,
    batch: int = 1,
    refusals: bool = False,
    data: Path = DATA,
    title: str = "browser",
) -> list[dict]:
    """One JSON row a job, as `npm run caption -- --json --tasks` prints it. A job is a `file`
    (below `data`) with its `task` or what it is to be asked. Ends the program if a job has an
    error or ran on another device than asked for; with `refusals`, a text that the model does not
    take is no such error, and its row has it."""
    command = ["npm", "run", "--silent", "caption", "--", "--json", "--batch", str(batch)]
    options = {"encoder": encoder, "decoder": decoder, "weights": weights, "model": model}
    options |= {"search": search}
    for option, value in options.items():
        command += [f"--{option}", value] if value else []
    command += ["--posteriors"] if posteriors else []
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as tasks:
        for job in jobs:
            tasks.write(json.dumps({**job, "file": str(data / job["file"])}) + "\n")
        tasks.flush()
        rows = []
        with subprocess.Popen(
            [*command, "--tasks", tasks.name], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout is not None
            for line in tqdm(running.stdout, total=len(jobs), desc=title):
                row = json.loads(line)
                refused = row.get("error", {}).get("code") == "invalid-argument"
                if "error" in row and not (refusals and refused):
                    running.terminate()
                    raise SystemExit(f"{title}: {row}")
                rows.append(row)
    if len(rows) != len(jobs):
        raise SystemExit(f"{title}: expected {len(jobs)} answers, got {len(rows)}")
    for row in rows:
        if "error" in row:
            continue
        ran = (row["device"]["encoder"], row["device"]["decoder"])
        if ran != (encoder or ran[0], decoder or ran[1]):
            raise SystemExit(f"{title}: asked for {encoder} and {decoder}, got {row['device']}")
    return rows
