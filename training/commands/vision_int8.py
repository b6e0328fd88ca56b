"""Vision computed in 8 bits, to be timed in a browser: `python -m training vision_int8`.

Writes the shipped model with its vision graph's convolutions in 8 bits, two ways, into
`node_modules/.narvl-models/`, where the repository's own server has them, and prints how far the
features are from the shipped ones on photos that the scales were not found on. What that does to
time, and to a text, `npm run bench -- --vision FOLDER FOLDER` tells; to other texts
`npm run caption -- --encoder wasm --model /FOLDER PHOTO…`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from training.data.examples import photos, training_photos
from training.eyes.features import pixels
from training.paths import DATA, MODEL, REPOSITORY
from training.shipping.vision_int8 import in_8_bits, model_with, unlike

MODELS = Path("node_modules/.narvl-models")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=200, help="to find scales on")
    parser.add_argument("--held-out", type=int, default=100, help="to compare features on")
    parser.add_argument("--side", type=int, default=224, help="pixels of a photo's side")
    args = parser.parse_args()

    learnt = training_photos()
    known, others = sorted(learnt), [name for name in photos() if name not in learnt]
    # From all over the list, which is sorted by source.
    scales, held_out = (
        [pixels(DATA / name, args.side) for name in names[:: max(1, len(names) // count)][:count]]
        for names, count in ((known, args.photos), (others, args.held_out))
    )
    print("| convolutions in 8 bits | folder | difference of features | least cosine of a cell |")
    print("| --- | --- | --- | --- |")
    for what, depthwise in (("all", True), ("all but those of single channels", False)):
        folder = MODELS / ("vision-int8" if depthwise else "vision-int8-pointwise")
        with tempfile.TemporaryDirectory() as scratch:
            vision = Path(scratch) / "vision.onnx"
            in_8_bits(MODEL / "vision.onnx", vision, scales, depthwise=depthwise)
            share, cosine = unlike(MODEL / "vision.onnx", vision, held_out)
            model_with(vision, MODEL, REPOSITORY / folder)
        print(f"| {what} | {folder}/ | {share:.1%} | {cosine:.3f} |")
