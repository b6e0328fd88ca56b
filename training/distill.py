"""The teacher's captions of every training photo in both styles: `python -m training.distill`.

Sequence-level knowledge distillation (Kim & Rush 2016): one wording in place of many is what a
decoder that writes all words at once can learn.
"""

from __future__ import annotations

import argparse
import json

import torch
from tqdm import tqdm

from training import tokenizer as vocabulary
from training.batches import Batches
from training.data import PROMPTS, Example, training_photos
from training.decode import beam_search
from training.features import Features
from training.paths import WORK
from training.train import load


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teacher", default="ar")
    parser.add_argument("--beams", type=int, default=3)
    parser.add_argument("--keep", type=int, default=1, help="best texts kept of each beam")
    parser.add_argument("--batch", type=int, default=128)
    args = parser.parse_args()

    model = load(args.teacher)
    tokenizer = vocabulary.load()
    examples = [Example(p, style, ()) for style in PROMPTS for p in sorted(training_photos())]
    batches = Batches(examples, Features(), tokenizer, args.batch, model.config.prompt)
    part = WORK / "teacher.jsonl.part"
    with part.open("w", encoding="utf-8") as file, torch.autocast("cpu", torch.bfloat16):
        for batch in tqdm(batches.in_order(), total=-(-len(examples) // args.batch)):
            found = beam_search(model, batch.features, batch.prompt, args.beams)
            for example, texts in zip(batch.examples, found, strict=True):
                captions = tokenizer.decode_batch([ids for ids, _ in texts[: args.keep]])
                row = {
                    "image": example.image,
                    "style": example.style,
                    "captions": [c.strip() for c in captions],
                }
                file.write(json.dumps(row) + "\n")
    part.rename(WORK / "teacher.jsonl")


if __name__ == "__main__":
    main()
