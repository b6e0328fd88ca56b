"""Scores of the shipped model in the real runtime: `npm run eval -- --dataset DIR`.

DIR is a folder of photos with captions or questions in a format of `training.data.formats`, found
by the names of its files, or with phrases or statements as `training.scoring.grounded` has them.
Every text, box and label is the browser's; the scorers of texts are those of `training evaluate`.
Exits 1 below `--at-least`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import median

from training.data.examples import caption_texts
from training.data.formats import Example, detect, read_captions, read_questions
from training.runs.recipe import recipe
from training.scoring import grounded, made_pictures
from training.scoring.caption_scores import accuracies, bigrams, score
from training.scoring.tables import print_table
from training.shipping.browser import answers
from training.shipping.browser_jobs import job


def read(folder: Path, split: str) -> tuple[list[Example], list[Example]]:
    """The folder's captioned photos and questions; image paths lie below its parent."""
    sources = detect(folder)
    if not sources:
        raise SystemExit(f"{folder}: no file that training/data/formats.py knows")
    data, prompts = folder.parent, recipe().prompts
    captioned = [
        e
        for s in sources
        if s.captions
        for e in read_captions(s.source, split, data, prompts[s.source.style])
    ]
    asked = [e for s in sources if s.questions for e in read_questions(s.source, split, data)]
    if not captioned and not asked:
        raise SystemExit(f"{folder}: no photos of the split {split!r}")
    return captioned, asked


def main() -> None:
    parser = argparse.ArgumentParser(prog="npm run eval --", description=__doc__)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--split", choices=["train", "val", "test"], default="test")
    parser.add_argument("--images", type=int, help="the first of the split; default: all")
    parser.add_argument("--encoder", choices=["webgpu", "wasm"])
    parser.add_argument("--decoder", choices=["webgpu", "wasm", "reference"])
    parser.add_argument("--weights", choices=["32", "16", "8"], help="bits on the GPU")
    parser.add_argument("--search", choices=["beam", "greedy"])
    parser.add_argument("--batch", type=int, default=16, help="photos captioned together")
    parser.add_argument("--model", help="folder to load, relative to the page")
    parser.add_argument("--json", action="store_true", help="figures as one JSON object")
    parser.add_argument("--at-least", type=float, default=0, help="CIDEr-D, or accuracy in percent")
    args = parser.parse_args()

    folder = args.dataset.resolve()
    phrases, statements = grounded.read(folder, args.split, args.images)
    captioned, asked = [], []
    if not phrases and not statements:
        captioned, asked = (e[: args.images] for e in read(folder, args.split))
    examples = [*captioned, *asked, *phrases, *statements]
    rows = answers(
        [job(e) for e in captioned + asked] + [e.job() for e in (*phrases, *statements)],
        encoder=args.encoder,
        decoder=args.decoder,
        weights=args.weights,
        model=args.model,
        search=args.search,
        batch=args.batch,
        refusals=bool(phrases or statements),
        data=folder.parent,
        title=f"{args.dataset.name} {args.split}",
    )
    read_rows = [row for row in rows if "error" not in row]
    if not read_rows:
        raise SystemExit(f"{folder}: the model takes none of its texts: {rows[0]['error']}")
    device = read_rows[0]["device"]
    figures: dict[str, str | float] = {
        "set": f"{args.dataset.name} {args.split}",
        "photos": float(len({e.image for e in examples})),
        "encoder": device["encoder"],
        "decoder": device["decoder"],
        "weights": f"{device['weightBits']} bits",
        "adapter": device["adapter"],
        # Of a batch.
        **{
            f"{s} ms": median(row["timings"][s] for row in read_rows) for s in ("decoder", "search")
        },
    }
    bars = []
    texts = [row["text"] for row in rows[: len(captioned) + len(asked)]]
    if captioned:
        known = bigrams(caption_texts())
        figures |= score(texts[: len(captioned)], [e.texts for e in captioned], known)
        bars.append(figures["CIDEr-D"])
        if made := made_pictures.read(folder, args.split)[: args.images]:
            figures |= made_pictures.named(texts[: len(captioned)], made)
            sure = [row["confidence"] for row in rows[: len(captioned)]]
            figures |= made_pictures.sure_of_nothing(sure, made)
    if asked:
        found = accuracies(texts[len(captioned) :], asked)
        figures |= found
        bars.append(sum(found.values()) / len(found))
    if phrases:
        nowhere = (0.0, 0.0, 0.0, 0.0)  # Of a phrase that the model does not take.
        boxes = [tuple(row.get("box", nowhere)) for row in rows]
        figures |= grounded.pointed(boxes, phrases)
        bars.append(figures["IoU ≥ 0.5 %"])
    if statements:
        figures |= grounded.judged([row.get("label", "") for row in rows], statements)
        bars.append(figures["right %"])
    if refused := len(rows) - len(read_rows):
        figures["refused, so wrong"] = float(refused)
    if args.json:
        print(json.dumps(figures))
    else:
        print_table([figures])
    if any(bar < args.at_least for bar in bars):
        sys.exit(f"expected at least {args.at_least}, got {bars}")
