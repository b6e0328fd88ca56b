"""How sure a text deserves to be: `python -m training calibrate narvl`.

A slot's probability says how the model weighs words, not how often it is right. A rising curve over
the mean log-probability (isotonic regression, Zadrozny & Elkan 2002), fitted on validation splits,
makes it a frequency: for an answer, that it is the right one; for a word of a caption, that
people's captions of the photo use it too, function words apart from those with content. Among
candidates, a temperature (Guo et al. 2017) and a floor; for a box, that it overlaps by half with
people's. Prints the expected calibration errors before and after, also on photos that it was not
fitted on, and keeps what `training export` puts into the manifest.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TypeVar, get_args

import torch
from torch import Tensor

from training.data.examples import captions, phrases, questions, statements, together
from training.data.formats import Example
from training.eyes.features import Features
from training.network.model import Narvl, Task
from training.scoring.calibration import (
    SPLITS,
    Judged,
    agreement,
    along,
    answered,
    calibration_file,
    captioned,
    choices,
    curve,
    labelled,
    pointed,
    row,
    shares,
    sharing,
)
from training.scoring.evaluation import images_of, rounded, seen
from training.scoring.tables import print_table


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--precision", choices=["f16", "int8"], help="as exported; default: f32")
    parser.add_argument(
        "--only",
        choices=get_args(Task),
        nargs="+",
        help="tasks; of others what is kept stays as it is",
    )
    args = parser.parse_args()
    model = rounded(args.run, args.precision)
    assert isinstance(model, Narvl), f"{args.run} is an autoregressive run"
    tasks: list[Task] = args.only or list(CALIBRATIONS)
    examples = [e for task in tasks for s in SPLITS for e in together(READERS[task](s))]
    features = seen(model.config.eyes, images_of(examples), args.precision)
    file = calibration_file(args.run)
    kept: dict[str, dict] = json.loads(file.read_text()) if args.only and file.exists() else {}
    rows: list[dict[str, str | float]] = []
    for task in tasks:
        if found := CALIBRATIONS[task](model, features):
            kept[task], more = found
            rows += more
    if not rows:
        raise SystemExit(f"{args.run}: found nothing to calibrate {', '.join(tasks)} on")
    print_table(rows)
    file.write_text(json.dumps(kept, indent=2) + "\n")
    print(json.dumps(kept))


Rows = list[dict[str, str | float]]
Calibration = tuple[dict, Rows] | None
"""What the manifest holds of a task, and the table's rows; nothing without what to fit on."""
T = TypeVar("T")


def of_answers(model: Narvl, features: Features) -> Calibration:
    asked = together(questions("val"))
    if not asked:
        return None
    fitted = answered(model, features, asked, "answers, val")
    tests = {
        f"answers, {source} test": answered(model, features, examples, source)
        for source, examples in questions("test").items()
    }
    kept, rows = _along_a_curve("answer", fitted, tests)
    # Candidates stand beside answers in one source alone, which has no test split.
    if offered := [e for e in asked if e.distractors]:
        log_p = choices(model, features, offered)
        halves = {"fitted half": log_p[::2], "other half": log_p[1::2]}
        kept["candidates"], weight, floor = _shared(halves["fitted half"])
        for name, part in halves.items():
            before, after = part.softmax(1).max(1), shares(part, weight, floor).max(1)
            right = before.indices == 0
            rows.append(row(f"best of 4 candidates, {name}", before.values, after.values, right))
    return kept, rows


def of_captions(model: Narvl, features: Features) -> Calibration:
    fitted, test = (captioned(model, features, split) for split in SPLITS)
    kept, rows = _along_a_curve("content words", fitted[0], {"content words, test": test[0]})
    content, function = agreement(SPLITS[0])
    print(f"people's words, val: {content:.1f} % (content), {function:.1f} % (function) agree")
    free, more = _along_a_curve("function words", fitted[1], {"function words, test": test[1]})
    return {**kept, "free": free}, rows + more


def of_boxes(model: Narvl, features: Features) -> Calibration:
    if not (model.config.box_slots and phrases("val")):
        return None
    fitted, tests = _of_splits(
        "boxes", lambda split: pointed(model, features, together(phrases(split)), split), phrases
    )
    return _along_a_curve("boxes", fitted, tests)


def of_statements(model: Narvl, features: Features) -> Calibration:
    if not (model.config.entail_slots and statements("val")):
        return None
    fitted, tests = _of_splits(
        "statements",
        lambda split: labelled(model, features, together(statements(split))),
        statements,
    )
    candidates, weight, floor = _shared(fitted)
    rows: Rows = []
    for what, part in {"statements, val (fitted)": fitted, **tests}.items():
        before, after = part.softmax(1).max(1), shares(part, weight, floor).max(1)
        rows.append(row(what, before.values, after.values, before.indices == 0))
    return {"candidates": candidates}, rows


def _of_splits(
    name: str, judge: Callable[[str], T], read: Callable[[str], object]
) -> tuple[T, dict[str, T]]:
    """What is fitted on, and by its name what tells the error, if there is such a split."""
    val, test = SPLITS
    return judge(val), {f"{name}, {test}": judge(test)} if read(test) else {}


CALIBRATIONS: dict[Task, Callable[[Narvl, Features], Calibration]] = {
    "answer": of_answers,
    "caption": of_captions,
    "locate": of_boxes,
    "entail": of_statements,
}
READERS: dict[Task, Callable[[str], dict[str, list[Example]]]] = {
    "answer": questions,
    "caption": captions,
    "locate": phrases,
    "entail": statements,
}


def _along_a_curve(name: str, fitted: Judged, tests: dict[str, Judged]) -> tuple[dict, Rows]:
    knots = curve(*fitted)
    every = {f"{name}, val (fitted)": fitted, **tests}
    rows: Rows = [
        row(what, sure.exp(), along(sure, knots), right) for what, (sure, right) in every.items()
    ]
    return {"curve": knots}, rows


def _shared(log_p: Tensor) -> tuple[dict[str, float], float, float]:
    with torch.enable_grad():
        weight, floor = sharing(log_p)
    return {"weight": round(weight, 4), "floor": round(floor, 4)}, weight, floor
