"""The browser against PyTorch, text by text: `python -m training parity --run narvl`.

Writes the captions of the first test photos and the answers to the first questions five ways and
compares the token ids pair by pair: PyTorch (from the photo, in f32, with the rounded weights that
are shipped), the browser with all of it in one submit on WebGPU, all of it in WebAssembly, which
is the fallback, and with vision in WebAssembly and the decoder in WGSL or the reference. Where ids
differ, the posteriors are compared: rounding may tip a near-tie, nothing else may. Exits 1 below
the bar. On a software adapter a text on WebGPU takes seconds: `--gpu-texts 10` for a first look.
"""

from __future__ import annotations

import argparse
import itertools
import json
from typing import TypeVar

from training.data.examples import captions, questions, together
from training.paths import MODEL
from training.shipping.parity import agreement, in_browser, in_pytorch

T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="narvl-asked-placed", help="the run that was exported")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--gpu-texts", type=int, help="so many with all on WebGPU; else all")
    args = parser.parse_args()

    examples = in_turns(
        together(captions("test"))[: args.images],
        together(questions("test"))[: args.questions],
    )
    few = examples[: args.gpu_texts]
    precision = json.loads((MODEL / "manifest.json").read_text())["precision"]
    ways = {
        "PyTorch": in_pytorch(args.run, examples, precision),
        "browser, all in WebAssembly": in_browser(examples, "wasm", "wasm"),
        "browser, WGSL decoder": in_browser(examples, "wasm", "webgpu"),
        "browser, reference decoder": in_browser(examples, "wasm", "reference"),
        "browser, one submit on WebGPU": in_browser(few, "webgpu", "webgpu"),
    }
    print(
        "| pair | texts | same token ids | share | largest difference of log p "
        "| where ids differ | verdict |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    failed = False
    for one, other in itertools.combinations(ways, 2):
        found = agreement(ways[one], ways[other])
        failed |= not found.good
        where_not = "–" if found.where_not is None else f"{found.where_not:.1e}"
        verdict = "agree" if found.good else "DIFFER"
        print(
            f"| {one} / {other} | {found.texts} | {found.same} | {found.same / found.texts:.1%} "
            f"| {found.largest:.1e} | {where_not} | {verdict} |"
        )
    if failed:
        raise SystemExit(1)


def in_turns(*kinds: list[T]) -> list[T]:
    """One of each kind after the other, so that the first few are of all kinds."""
    rows = itertools.zip_longest(*kinds)
    return [one for row in rows for one in row if one is not None]
