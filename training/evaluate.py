"""Scores of trained runs on a whole split: `python -m training.evaluate ar narvl --split test`.

Flickr8k's human references with the human prompt, and `described/`'s plain ones with the plain
prompt. Prints a table and keeps every caption below the work folder.
"""

from __future__ import annotations

import argparse
import json

import torch
from tqdm import tqdm

from training import tokenizer as vocabulary
from training.batches import Batches
from training.data import Example, human_captions, plain_captions
from training.decode import beam_search, one_pass
from training.features import Features
from training.model import AutoregressiveCaptioner, Narvl
from training.paths import WORK
from training.scores import bigrams, score
from training.train import load

BEAMS = 5


def write(
    model: AutoregressiveCaptioner | Narvl, batches: Batches, beams: int, title: str
) -> list[str]:
    """One caption an example, in f32."""
    captions = []
    for batch in tqdm(
        batches.in_order(), total=-(-len(batches.examples) // batches.size), desc=title
    ):
        if isinstance(model, Narvl):
            ids = one_pass(model, batch.features, batch.prompt)
        else:
            found = beam_search(model, batch.features, batch.prompt, beams)
            ids = [texts[0][0] for texts in found]
        captions += [t.strip() for t in vocabulary.load().decode_batch(ids)]
    return captions


def print_table(rows: list[dict[str, str | float]]) -> None:
    """Rows of the same columns, as Markdown."""

    def cell(column: str, value: str | float) -> str:
        if isinstance(value, str):
            return value
        return f"{value:.2f}" if column == "length ratio" else f"{value:.1f}"

    print("| " + " | ".join(rows[0]) + " |")
    print("|" + " --- |" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(cell(*item) for item in row.items()) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--split", choices=["val", "test"], default="test")
    args = parser.parse_args()

    torch.set_grad_enabled(False)
    features, tokenizer = Features(), vocabulary.load()
    known = bigrams(
        c for e in human_captions("train") + plain_captions("train") for c in e.captions
    )
    sets: dict[str, list[Example]] = {
        f"Flickr8k {args.split}": human_captions(args.split),
        f"described {args.split}": plain_captions(args.split),
    }
    rows = []
    for run in args.runs:
        model = load(run)
        decodings = (
            [("one pass", 1)]
            if isinstance(model, Narvl)
            else [("greedy", 1), (f"beam {BEAMS}", BEAMS)]
        )
        for title, examples in sets.items():
            batches = Batches(examples, features, tokenizer, 50, model.config.prompt)
            for decoding, beams in decodings:
                captions = write(model, batches, beams, f"{run}, {title}, {decoding}")
                figures = score(captions, [e.captions for e in examples], known)
                rows.append({"set": title, "run": run, "decoding": decoding, **figures})
                slug = f"{run}-{title}-{decoding}".replace(" ", "-").lower()
                with (WORK / f"captions-{slug}.jsonl").open("w", encoding="utf-8") as file:
                    for example, caption in zip(examples, captions, strict=True):
                        file.write(json.dumps({"image": example.image, "text": caption}) + "\n")
    print_table(rows)


if __name__ == "__main__":
    main()
