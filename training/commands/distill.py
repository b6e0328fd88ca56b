"""What a teacher says of every training photo: `python -m training distill ar-joint --beams 5`.

Sequence-level knowledge distillation (Kim & Rush 2016): one wording in place of many is what a
decoder that writes all words at once can learn. Photos that nobody captioned, the questions', are
captioned too, and each photo is also asked questions that were asked of others. By
`torchrun --nproc-per-node N -m training distill …`, N processes share them.
"""

from __future__ import annotations

import argparse

from training.data.examples import questions
from training.network.model import Narvl
from training.runs.checkpoints import load
from training.runs.teacher import answers_file, captions_file, distill, every_prompt, every_question


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("teacher", nargs="?", default="ar")
    parser.add_argument(
        "--beams", type=int, default=5, help="for captions (1: greedy); answers are greedy"
    )
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--only", choices=["captions", "answers"])
    parser.add_argument(
        "--own",
        action="store_true",
        help="captions in the first style, and in others only where a photo's own have them",
    )
    args = parser.parse_args()
    # Before anything is asked: captions take minutes.
    if args.only != "captions" and isinstance(load(args.teacher), Narvl):
        raise SystemExit(
            f"expected an autoregressive run to answer, got {args.teacher}: add --only captions"
        )

    if args.only != "answers":
        path = captions_file(args.teacher, "greedy" if args.beams == 1 else "beam")
        distill(args.teacher, every_prompt(args.own), args.beams, args.batch, path)
    if args.only != "captions" and questions("train"):
        distill(args.teacher, every_question(), 1, args.batch, answers_file(args.teacher))
