"""CIDEr-D of the shipped model in the real runtime: `python -m training.shipped --split test`.

Flickr8k's photos and references, every caption written by the browser. Exits 1 below `--at-least`.
"""

from __future__ import annotations

import argparse

from training.browser import captions
from training.data import human_captions, plain_captions
from training.evaluate import print_table
from training.scores import bigrams, score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=["val", "test"], default="val")
    parser.add_argument("--images", type=int, help="the first of the split; default: all")
    parser.add_argument("--at-least", type=float, default=0, help="CIDEr-D")
    args = parser.parse_args()

    examples = human_captions(args.split)[: args.images]
    rows = captions([e.image for e in examples], "caption-human", batch=16)
    known = bigrams(
        c for e in human_captions("train") + plain_captions("train") for c in e.captions
    )
    figures = score([row["text"] for row in rows], [e.captions for e in examples], known)
    title = f"Flickr8k {args.split}, {len(examples)} photos"
    print_table(
        [{"set": title, "run": "shipped, in the browser", "decoding": "one pass", **figures}]
    )
    if figures["CIDEr-D"] < args.at_least:
        raise SystemExit(f"expected a CIDEr-D of at least {args.at_least}")


if __name__ == "__main__":
    main()
