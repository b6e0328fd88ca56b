"""Loss and validation curves of runs, as a picture: `python -m training curves ar narvl`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt

from training.paths import REPOSITORY, WORK

PANELS = ("caption loss", "CIDEr-D", "unseen bigram %", "described color %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "training" / "curves.svg")
    args = parser.parse_args()

    plt.rcParams["svg.hashsalt"] = "narvl"  # the same curves, the same file
    figure, axes = plt.subplots(
        len(PANELS), len(args.runs), squeeze=False, figsize=(4 * len(args.runs), 9)
    )
    for column, run in enumerate(args.runs):
        rows = [json.loads(line) for line in (WORK / f"{run}.jsonl").read_text().splitlines()]
        steps = [row["step"] for row in rows]
        for axis, panel in zip(axes[:, column], PANELS, strict=True):
            values = [row.get(panel) for row in rows]  # a run may lack what another has
            axis.plot(steps, values, marker="o", markersize=3)
            axis.set_ylabel(panel)
            axis.grid(alpha=0.3)
        axes[0, column].set_title(run)
        axes[-1, column].set_xlabel("step")
    figure.tight_layout()
    figure.savefig(args.out, metadata={"Date": None})
    print(args.out)
