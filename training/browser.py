"""The shipped model in the real runtime, asked through the project's own command line."""

from __future__ import annotations

import json
import subprocess
import sys

from training.paths import DATA, REPOSITORY


def captions(
    images: list[str],
    task: str,
    *,
    encoder: str = "wasm",
    decoder: str = "webgpu",
    posteriors: bool = False,
    batch: int = 1,
) -> list[dict]:
    """One JSON row an image (paths below the data folder), as `npm run caption -- --json` prints
    it. Ends the program if an image has an error or ran on another device than asked for."""
    command = ["npm", "run", "--silent", "caption", "--", "--json", "--task", task]
    command += ["--encoder", encoder, "--decoder", decoder, "--batch", str(batch)]
    command += ["--posteriors"] if posteriors else []
    print(f"browser: {len(images)} photos, {encoder} and {decoder} …", file=sys.stderr, flush=True)
    files = [str(DATA / image) for image in images]
    done = subprocess.run(
        [*command, *files], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    if len(rows) != len(images) or any("error" in row for row in rows):
        raise SystemExit(f"{' '.join(command)}: {done.stdout[-400:]}{done.stderr[-2000:]}")
    for row in rows:
        if (row["device"]["encoder"], row["device"]["decoder"]) != (encoder, decoder):
            raise SystemExit(f"asked for {encoder} and {decoder}, got {row['device']}")
    return rows
