"""Runs on disk: everything a run needs to go on, and the averaged weights that it is used with."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from training.data import tokenizer as vocabulary
from training.data.tokenizer import BLANK
from training.network.model import OF_DETECTORS, OF_MAPS, AutoregressiveCaptioner, Config, Narvl
from training.paths import WORK
from training.runs.recipe import recipe

_CELLS = "fusion.image_position"
_OF_STUDENTS = ("queries", "query_norm.weight", "query_norm.bias", "tilt")
_OF_DETECTORS = ("tilt", *(f"fusion.{name}" for name in OF_DETECTORS))
_OF_MAPS = tuple(f"fusion.{name}" for name in OF_MAPS)


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


def settings(name: str) -> Config:
    """What a run of the recipe is to be, or what one that was adopted is."""
    known = recipe()
    return known.config(known.run(name)) if name in known.runs else load(name).config


def keep_start(name: str, model: AutoregressiveCaptioner | Narvl) -> None:
    """Keep as a run what has not learnt anything since it was put together."""
    kind = "ar" if isinstance(model, AutoregressiveCaptioner) else "narvl"
    save(
        name,
        {
            "kind": kind,
            "config": model.config.to_json(),
            "step": 0,
            "model": model.state_dict(),
            "average": AveragedModel(model).state_dict(),
        },
    )


def average(name: str, runs: list[str]) -> None:
    """Keep the mean of runs' weights as a run of its own. Runs that started from each other lie in
    one valley, whose middle is as good as either and errs less (Wortsman et al. 2022)."""
    models = [load(run) for run in runs]
    first = models[0]
    mean = first.state_dict()
    for key, weight in mean.items():
        if weight.is_floating_point():
            others = [model.state_dict()[key] for model in models]
            if key == _CELLS:
                others = [stretched(other, len(weight)) for other in others]
            # What all have alike stays so to the last bit: the rounded weights of an adopted run.
            mean[key] = others[0] + torch.stack([other - others[0] for other in others]).mean(0)
    first.load_state_dict(mean)
    keep_start(name, first)


def name_tags(model: AutoregressiveCaptioner | Narvl) -> None:
    """Spell the names of the classifier's classes, which are not learnt."""
    if model.fusion.tags is not None:
        model.fusion.tags.name(vocabulary.load())


@torch.no_grad()
def start_from(model: AutoregressiveCaptioner | Narvl, run: str) -> None:
    """Take an earlier run's averaged weights. A student takes its teacher's; a teacher, a student's
    but for the queries, which are no words' positions; a run of the same kind that knew shorter
    prompts or texts leaves the positions that it did not know as they are; a network without a word
    detector or a phrase map leaves another's out. Photos of another size have a grid of their own,
    over which the cells' positions are stretched.
    """
    earlier = load(run)
    if model.config.words and earlier.config.words not in (0, model.config.words):
        raise SystemExit(
            f"expected `model.words` to be that of {run}, {earlier.config.words}, "
            f"got {model.config.words}"
        )
    if isinstance(model, Narvl) and isinstance(earlier, AutoregressiveCaptioner):
        model.initialise_from(earlier)
        return
    ours, other = model.state_dict(), isinstance(model, Narvl) != isinstance(earlier, Narvl)
    for name, theirs in earlier.state_dict().items():
        if name in _OF_STUDENTS and other:
            continue
        if not model.config.words and name.startswith(_OF_DETECTORS):
            continue
        if not model.config.places and name.startswith(_OF_MAPS):
            continue
        if name == _CELLS:
            theirs = stretched(theirs, len(ours[name]))
        ours[name][: theirs.shape[0]].copy_(theirs)


@torch.no_grad()
def write_like(model: Narvl, run: str) -> None:
    """Take an earlier student's decoder, its queries and what it says a blank is; queries of tasks
    that it had not stay as they are."""
    earlier = load(run)
    if not isinstance(earlier, Narvl):
        raise SystemExit(f"{run} is an autoregressive run, which writes in another way")
    for task in earlier.tasks():
        first, count = earlier.query_range(task)
        start, room = model.query_range(task)
        count = min(count, room)
        model.queries[start : start + count] = earlier.queries[first : first + count]
        if model.tilt is not None and earlier.tilt is not None:
            model.tilt[start : start + count] = earlier.tilt[first : first + count]
    model.decoder.load_state_dict(earlier.decoder.state_dict())
    model.query_norm.load_state_dict(earlier.query_norm.state_dict())
    model.words[BLANK] = earlier.words[BLANK]
    model.head_bias[BLANK] = earlier.head_bias[BLANK]


def stretched(positions: Tensor, count: int) -> Tensor:
    """What is learnt of each cell of a square grid [cells, d], over a grid of `count` cells."""
    if len(positions) == count:
        return positions
    sides = math.isqrt(len(positions)), math.isqrt(count)
    grid = positions.T.unflatten(1, (sides[0], sides[0])).unsqueeze(0)
    wider = F.interpolate(grid, size=(sides[1], sides[1]), mode="bicubic", align_corners=False)
    return wider[0].flatten(1).T
