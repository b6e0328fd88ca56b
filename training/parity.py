"""The browser against PyTorch, image by image: `python -m training.parity --images 100`.

Captions the first photos of Flickr8k's test split four ways and compares the token ids pair by
pair: PyTorch (from the photo, in f32, with the f16 weights that are shipped), the browser with the
decoder in WGSL, with the reference decoder, and, on the first `--gpu-images`, with the encoder on
WebGPU too. Where ids differ, the posteriors are compared: rounding may tip a near-tie, nothing
else may. Exits 1 below the bar.
"""

from __future__ import annotations

import argparse
import itertools
import math

import torch
from tqdm import tqdm

from training import onnx_files
from training import tokenizer as vocabulary
from training.backbone import Backbone
from training.batches import encode_prompts
from training.browser import captions
from training.data import human_captions
from training.decode import collapse
from training.export import TASKS
from training.features import pixels
from training.model import Narvl
from training.paths import DATA
from training.train import load

TOP = 8
TOLERANCE = 1e-3
"""Largest difference of a log-probability that the order of f32 sums may make."""
AGREE = 0.99

Answer = tuple[list[int], list[dict[int, float]]]
"""Token ids, and per slot the log-probabilities of its likeliest tokens."""


def in_pytorch(run: str, images: list[str], task: str) -> list[Answer]:
    model, backbone = load(run), Backbone()
    assert isinstance(model, Narvl)
    for module in (model, backbone):
        onnx_files.round_weights(module)
    prompt = encode_prompts(vocabulary.load(), model.config.prompt)[TASKS[task]]
    answers = []
    with torch.inference_mode():
        for image in tqdm(images, desc="PyTorch"):
            features = backbone(torch.from_numpy(pixels(DATA / image)).unsqueeze(0).float())
            log_p = model(features, torch.tensor([prompt]))[0].log_softmax(-1)
            values, ids = log_p.topk(TOP)
            slots = [
                dict(zip(i, v, strict=True))
                for i, v in zip(ids.tolist(), values.tolist(), strict=True)
            ]
            answers.append((collapse(log_p.argmax(-1).tolist()), slots))
    return answers


def in_browser(images: list[str], task: str, encoder: str, decoder: str) -> list[Answer]:
    answers = []
    for row in captions(images, task, encoder=encoder, decoder=decoder, posteriors=True):
        top = row["posteriors"]
        slots = [
            dict(zip(i, v, strict=True))
            for i, v in zip(top["tokens"], top["logProbs"], strict=True)
        ]
        answers.append(([t["id"] for t in row["tokens"]], slots))
    return answers


def largest_difference(a: Answer, b: Answer) -> float:
    """Of the log-probabilities of tokens that both have among a slot's likeliest."""
    differences = [
        abs(x[token] - y[token])
        for x, y in zip(a[1], b[1], strict=True)
        for token in x.keys() & y.keys()
        if x[token] > math.log(1e-3)
    ]
    return max(differences, default=math.inf)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="narvl", help="the run that was exported")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--gpu-images", type=int, default=5)
    parser.add_argument("--task", default="caption", choices=list(TASKS))
    args = parser.parse_args()

    images = [e.image for e in human_captions("test")][: args.images]
    few = images[: args.gpu_images]
    ways = {
        "PyTorch": in_pytorch(args.run, images, args.task),
        "browser, WGSL decoder": in_browser(images, args.task, "wasm", "webgpu"),
        "browser, reference decoder": in_browser(images, args.task, "wasm", "reference"),
        "browser, all on WebGPU": in_browser(few, args.task, "webgpu", "webgpu"),
    }
    print("| pair | images | same token ids | largest difference of log p | verdict |")
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


if __name__ == "__main__":
    main()
