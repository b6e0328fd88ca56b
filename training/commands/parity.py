"""The browser against PyTorch, text by text: `python -m training parity --run narvl`.

Writes the captions of the first test photos and the answers to the first questions four ways and
compares the token ids pair by pair: PyTorch (from the photo, in f32, with the rounded weights that
are shipped), the browser with the decoder in WGSL, with the reference decoder, and, on the first
`--gpu-images`, with the encoder on WebGPU too. Where ids differ, the posteriors are compared:
rounding may tip a near-tie, nothing else may. Exits 1 below the bar.
"""

from __future__ import annotations

import argparse
import itertools
import json

from training.data.examples import captions, questions, together
from training.paths import MODEL
from training.shipping.parity import AGREE, TOLERANCE, in_browser, in_pytorch, largest_difference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="narvl-named", help="the run that was exported")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--gpu-images", type=int, default=5)
    args = parser.parse_args()

    few = together(captions("test"))[: args.gpu_images]
    examples = [
        *few,
        *together(captions("test"))[len(few) : args.images],
        *together(questions("test"))[: args.questions],
    ]
    precision = json.loads((MODEL / "manifest.json").read_text())["precision"]
    ways = {
        "PyTorch": in_pytorch(args.run, examples, precision),
        "browser, WGSL decoder": in_browser(examples, "wasm", "webgpu"),
        "browser, WebAssembly decoder": in_browser(examples, "wasm", "wasm"),
        "browser, reference decoder": in_browser(examples, "wasm", "reference"),
        "browser, all on WebGPU": in_browser(few, "webgpu", "webgpu"),
    }
    print("| pair | texts | same token ids | largest difference of log p | verdict |")
    print("| --- | --- | --- | --- | --- |")
    failed = False
    for one, other in itertools.combinations(ways, 2):
        pairs = list(zip(ways[one], ways[other], strict=False))
        same = sum(a[0] == b[0] for a, b in pairs)
        worst = max(largest_difference(a, b) for a, b in pairs)
        good = same >= AGREE * len(pairs) and worst <= TOLERANCE
        failed |= not good
        verdict = "agree" if good else "DIFFER"
        print(f"| {one} / {other} | {len(pairs)} | {same} | {worst:.1e} | {verdict} |")
    if failed:
        raise SystemExit(1)
