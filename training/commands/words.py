"""The word detector, behind the kept features of one run's eyes: `python -m training words RUN`.

Prints how well it tells which words validation photos have, and whether a thing is there.
"""

from __future__ import annotations

import argparse

from training.eyes.words import learn
from training.runs.checkpoints import settings
from training.runs.recipe import recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="a run of the recipe, or an adopted one")
    args = parser.parse_args()
    config = settings(args.run)
    if config.words != recipe().words.hidden:
        raise SystemExit(
            f"expected a run whose `model.words` is {recipe().words.hidden}, the units of "
            f"`[words]`, got {config.words}"
        )
    for name, value in learn(config.eyes, recipe().words, config.vocabulary).items():
        print(f"{name}: {value:.1f}")
