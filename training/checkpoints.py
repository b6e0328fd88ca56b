"""Runs on disk: everything a run needs to go on, and the averaged weights that it is used with."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from training import tokenizer as vocabulary
from training.model import AutoregressiveCaptioner, Config, Narvl
from training.paths import WORK

_CELLS = "fusion.image_position"


def checkpoint(name: str) -> Path:
    return WORK / f"{name}.pt"


def save(name: str, state: dict) -> None:
    """Whole or not at all."""
    part = checkpoint(name).with_suffix(".part")
    torch.save(state, part)
    part.rename(checkpoint(name))


def load(name: str) -> AutoregressiveCaptioner | Narvl:
    """The averaged weights of a run, ready to write."""
    if not checkpoint(name).exists():
        raise SystemExit(f"{checkpoint(name)} is not there: train {name!r} first")
    state = torch.load(checkpoint(name), weights_only=False, map_location="cpu")
    kind = AutoregressiveCaptioner if state["kind"] == "ar" else Narvl
    model = kind(Config(**state["config"]))
    average = AveragedModel(model)
    average.load_state_dict(state["average"])
    name_tags(average.module)
    return average.module.eval()


def name_tags(model: AutoregressiveCaptioner | Narvl) -> None:
    """Spell the names of the classifier's classes, which are not learnt."""
    if model.fusion.tags is not None:
        model.fusion.tags.name(vocabulary.load())


@torch.no_grad()
def start_from(model: AutoregressiveCaptioner | Narvl, run: str) -> None:
    """Take an earlier run's averaged weights. A student takes its teacher's; a run of the same
    kind that knew shorter prompts or texts leaves the positions that it did not know as they are.
    Photos of another size have a grid of their own, over which the cells' positions are stretched.
    """
    earlier = load(run)
    if isinstance(model, Narvl) and isinstance(earlier, AutoregressiveCaptioner):
        model.initialise_from(earlier)
        return
    ours = model.state_dict()
    for name, theirs in earlier.state_dict().items():
        if name == _CELLS:
            theirs = stretched(theirs, len(ours[name]))
        ours[name][: theirs.shape[0]].copy_(theirs)


def stretched(positions: Tensor, count: int) -> Tensor:
    """What is learnt of each cell of a square grid [cells, d], over a grid of `count` cells."""
    if len(positions) == count:
        return positions
    sides = math.isqrt(len(positions)), math.isqrt(count)
    grid = positions.T.unflatten(1, (sides[0], sides[0])).unsqueeze(0)
    wider = F.interpolate(grid, size=(sides[1], sides[1]), mode="bicubic", align_corners=False)
    return wider[0].flatten(1).T
