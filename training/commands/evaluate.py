"""Scores of trained runs on whole splits: `python -m training evaluate ar-joint narvl`.

Captions of every caption source with its own prompt, and answers to every question source that has
the split. Prints Markdown tables and keeps every text below the work folder.
"""

from __future__ import annotations

import argparse

import torch

from training.data.examples import phrases, questions, statements
from training.runs.checkpoints import checkpoint, load
from training.scoring.evaluation import (
    TASKS,
    answer_rows,
    box_rows,
    caption_rows,
    picture_rows,
    presence_rows,
    statement_rows,
)
from training.scoring.tables import print_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--split", choices=["val", "test"], default="test")
    parser.add_argument("--only", choices=TASKS)
    parser.add_argument(
        "--sources", nargs="+", help="of captions and answers, with --only; default: all"
    )
    parser.add_argument("--blind", nargs="*", default=[], help="runs trained without photos")
    parser.add_argument("--judge", help="autoregressive run whose perplexity is reported")
    parser.add_argument("--rescore", help="autoregressive run that chooses among Narvl's beam")
    parser.add_argument("--refine", action="store_true", help="a second pass of Narvl too")
    parser.add_argument("--precision", choices=["f16", "int8"], help="as exported; default: f32")
    args = parser.parse_args()
    if not args.runs and not args.blind:
        parser.error("expected a run, or one after --blind, got none")
    if args.sources and args.only not in ("captions", "answers"):
        parser.error(f"expected --only captions or answers beside --sources, got {args.only}")
    seeing = [run for run in args.blind if load(run).config.words]
    if seeing:
        parser.error(f"expected runs without a word detector after --blind, got {seeing[0]}")
    for run in [*args.runs, *args.blind]:
        if not checkpoint(run).exists():
            raise SystemExit(f"{checkpoint(run)} is not there: train {run!r} first")

    if args.rescore:
        eyes = {run: str(load(run).config.eyes) for run in [*args.runs, args.rescore]}
        if len(set(eyes.values())) > 1:
            raise SystemExit(f"--rescore needs runs that see photos alike, got {eyes}")

    torch.set_grad_enabled(False)
    if args.only in (None, "captions"):
        print_table(
            caption_rows(
                args.runs,
                args.split,
                args.judge,
                args.rescore,
                args.refine,
                args.precision,
                args.sources,
            )
        )
    if args.only in (None, "answers") and questions(args.split):
        print_table(answer_rows(args.runs, args.blind, args.split, args.precision, args.sources))
    if args.only in (None, "presence") and questions(args.split).get("presence"):
        print_table(presence_rows(args.runs, args.blind, args.split, args.precision))
    if args.only in (None, "boxes") and phrases(args.split):
        print_table(box_rows(args.runs, args.split, args.precision))
    if args.only in (None, "statements") and statements(args.split):
        print_table(statement_rows(args.runs, args.blind, args.split, args.precision))
    if args.only in (None, "pictures") and (
        rows := picture_rows(args.runs, args.split, args.precision)
    ):
        print_table(rows)
