"""How sure a text deserves to be: `python -m training calibrate narvl`.

A slot's probability says how the model weighs words, not how often it is right. A rising curve over
the mean log-probability (isotonic regression, Zadrozny & Elkan 2002), fitted on validation splits,
makes it a frequency: for an answer, that it is the right one; for a word of a caption, that
people's captions of the photo use it too. Among candidates, a temperature (Guo et al. 2017) and a
floor. Prints the expected calibration errors before and after, also on photos that it was not
fitted on, and keeps what `training export` puts into the manifest.
"""

from __future__ import annotations

import argparse
import json

import torch

from training.data.examples import everything, phrases, questions, statements, together
from training.network.model import Narvl
from training.scoring.calibration import (
    SPLITS,
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--precision", choices=["f16", "int8"], help="as exported; default: f32")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    model = rounded(args.run, args.precision)
    assert isinstance(model, Narvl), f"{args.run} is an autoregressive run"
    examples = [e for s in SPLITS for e in everything(s)]
    features = seen(model.config.eyes, images_of(examples), args.precision)
    rows: list[dict[str, str | float]] = []
    kept: dict[str, dict] = {}
    asked = together(questions("val"))
    kinds = [
        (
            "caption",
            captioned(model, features, "val"),
            {"words of captions, test": captioned(model, features, "test")},
        )
    ]
    if asked:
        tests = {
            f"answers, {source} test": answered(model, features, examples, source)
            for source, examples in questions("test").items()
        }
        kinds.insert(0, ("answer", answered(model, features, asked, "answers, val"), tests))
    for name, fitted, others in kinds:
        knots = curve(*fitted)
        kept[name] = {"curve": knots}
        for what, (log_p, right) in {f"{name}, val (fitted)": fitted, **others}.items():
            rows.append(row(what, log_p.exp(), along(log_p, knots), right))
    # Candidates stand beside answers in one source alone, which has no test split.
    if offered := [e for e in asked if e.distractors]:
        log_p = choices(model, features, offered)
        halves = {"fitted half": log_p[::2], "other half": log_p[1::2]}
        with torch.enable_grad():
            weight, floor = sharing(halves["fitted half"])
        kept["answer"]["candidates"] = {"weight": round(weight, 4), "floor": round(floor, 4)}
        for name, part in halves.items():
            before, after = part.softmax(1).max(1), shares(part, weight, floor).max(1)
            right = before.indices == 0
            rows.append(row(f"best of 4 candidates, {name}", before.values, after.values, right))
    if model.config.box_slots and phrases("val"):
        fitted = pointed(model, features, together(phrases("val")), "boxes, val")
        knots = curve(*fitted)
        kept["locate"] = {"curve": knots}
        tests = {"boxes, val (fitted)": fitted}
        if phrases("test"):
            tests["boxes, test"] = pointed(
                model, features, together(phrases("test")), "boxes, test"
            )
        for what, (log_p, right) in tests.items():
            rows.append(row(what, log_p.exp(), along(log_p, knots), right))
    if model.config.entail_slots and statements("val"):
        log_p = labelled(model, features, together(statements("val")))
        with torch.enable_grad():
            weight, floor = sharing(log_p)
        kept["entail"] = {"candidates": {"weight": round(weight, 4), "floor": round(floor, 4)}}
        tests = {"statements, val (fitted)": log_p}
        if statements("test"):
            tests["statements, test"] = labelled(model, features, together(statements("test")))
        for what, part in tests.items():
            before, after = part.softmax(1).max(1), shares(part, weight, floor).max(1)
            rows.append(row(what, before.values, after.values, before.indices == 0))
    print_table(rows)
    calibration_file(args.run).write_text(json.dumps(kept, indent=2) + "\n")
    print(json.dumps(kept))
