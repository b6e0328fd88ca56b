"""A teacher's captions of every training photo in every style: `python -m training.distill ar`.

Sequence-level knowledge distillation (Kim & Rush 2016): one wording in place of many is what a
decoder that writes all words at once can learn. Photos that nobody captioned, the questions', are
captioned too.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from tqdm import tqdm

from training import tokenizer as vocabulary
from training.batches import Batches
from training.checkpoints import load
from training.data import training_photos
from training.decode import beam_search
from training.features import Features
from training.formats import Example
from training.model import AutoregressiveCaptioner
from training.paths import WORK
from training.recipe import recipe
from training.scores import says_twice


def captions_file(teacher: str) -> Path:
    return WORK / f"captions-of-{teacher}.jsonl"


def taught(teacher: str, keep: int) -> list[Example]:
    """The `keep` best captions of each photo and style."""
    prompts, examples = recipe().prompts, []
    with captions_file(teacher).open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            texts = tuple(row["captions"][:keep])
            examples.append(Example(row["image"], prompts[row["style"]], texts, row["style"]))
    return examples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("teacher", nargs="?", default="ar")
    parser.add_argument("--beams", type=int, default=5)
    parser.add_argument("--batch", type=int, default=128)
    args = parser.parse_args()

    model = load(args.teacher)
    assert isinstance(model, AutoregressiveCaptioner), f"{args.teacher} is no autoregressive run"
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    tokenizer = vocabulary.load()
    examples = [
        Example(photo, prompt, (), style)
        for style, prompt in recipe().prompts.items()
        for photo in sorted(training_photos())
    ]
    batches = Batches(examples, Features.load(), tokenizer, args.batch, model.config.prompt)
    path = captions_file(args.teacher)
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file, torch.autocast(device.type, torch.bfloat16):
        for batch in tqdm(batches.in_order(), total=len(batches)):
            batch = batch.to(device)
            found = beam_search(model, batch.features, batch.prompt, args.beams)
            for example, texts in zip(batch.examples, found, strict=True):
                captions = [t.strip() for t in tokenizer.decode_batch([ids for ids, _ in texts])]
                # "A blue shirt and blue shirt" must not be taught: what says nothing twice is
                # preferred, the order else being the teacher's.
                captions.sort(key=says_twice)
                row = {"image": example.image, "style": example.kind, "captions": captions}
                file.write(json.dumps(row) + "\n")
    part.rename(path)


if __name__ == "__main__":
    main()
