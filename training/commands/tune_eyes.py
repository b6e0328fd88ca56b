"""Tune the eyes on the photos' own words: `python -m training tune_eyes tuned`.

The whole backbone learns, by the recipe's `[eyes.tuned]`, to tell from its features which terms the
texts of a photo have (`terms.py`), and from the cells under a box which terms people's phrases for
it have. Beside that it keeps what it knows: its classifier, which stays as it is, has to see in the
tuned features what it saw in the frozen ones (Li & Hoiem 2016), since fusion is told its classes.

Photos are cropped, mirrored and coloured at random. Figures are mean average precisions over words,
of validation photos. A run that is cut resumes at its last checkpoint.
"""

from __future__ import annotations

import argparse

from training.eyes.tuning import tune
from training.paths import WORK
from training.runs.recipe import recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("eyes", help="one of the recipe's `[eyes.…]`")
    name = parser.parse_args().eyes
    WORK.mkdir(parents=True, exist_ok=True)
    if name not in recipe().eyes:
        raise SystemExit(f"no eyes {name!r} in the recipe; there are: {', '.join(recipe().eyes)}")
    tune(name, recipe().eyes[name])
