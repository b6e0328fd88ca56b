"""Every photo through the vision graph, once for each pair of eyes: `python -m training features`.

The features that training sees are those of the graph that `training export` writes with weights of
16 bits; the shipped one's have 8. Training photos are kept mirrored as well.
"""

from __future__ import annotations

import argparse

from training.eyes.features import keep
from training.paths import WORK
from training.runs.checkpoints import settings
from training.runs.recipe import recipe


def main() -> None:
    """By all eyes that a run of the recipe has, or by those of runs that are named or adopted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", help="default: all of the recipe")
    runs = parser.parse_args().runs or list(recipe().runs)
    WORK.mkdir(parents=True, exist_ok=True)
    for eyes in sorted({settings(run).eyes for run in runs}, key=str):
        keep(eyes)
