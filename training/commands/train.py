"""Train one run of the recipe: `python -m training train narvl-288`.

Reads the recipe's `[runs.narvl]`, writes a checkpoint and a line of the log at every validation,
and resumes from its checkpoint. Several GPUs: `torchrun --nproc-per-node 4 -m training train ar`,
each with its own batches of the size that the recipe names.
"""

from __future__ import annotations

import argparse

from training.runs.checkpoints import average
from training.runs.loop import train, validate_average
from training.runs.places import train_places
from training.runs.recipe import recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="a run of the recipe")
    args = parser.parse_args()
    run = recipe().run(args.run)
    if run.kind == "average":
        average(args.run, run.of)
        validate_average(args.run)
    elif run.kind == "places":
        train_places(args.run, run)
        validate_average(args.run)
    elif run.steps == 0 and not run.start:
        raise SystemExit(f"{args.run}: expected steps, or a run to start from, got neither")
    else:
        train(args.run, run)
