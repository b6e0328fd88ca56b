"""The browser against PyTorch, text by text: `python -m training.parity --run narvl`.

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
import math

import torch
from tqdm import tqdm

from training import tokenizer as vocabulary
from training.browser import answers
from training.checkpoints import load
from training.data import captions, questions, together
from training.decode import collapse
from training.features import pixels
from training.formats import Example
from training.jobs import is_question, job
from training.model import Narvl
from training.paths import DATA, MODEL
from training.precision import Precision, round_weights

TOP = 8
TOLERANCE = 1e-3
"""Largest difference of a log-probability: sums in another order, and the steps GPUs round to."""
AGREE = 0.99

Answer = tuple[list[int], list[dict[int, float]]]
"""Token ids, and per slot the log-probabilities of its likeliest tokens."""


def in_pytorch(run: str, examples: list[Example], precision: Precision) -> list[Answer]:
    model, tokenizer = load(run), vocabulary.load()
    assert isinstance(model, Narvl)
    eyes = model.config.eyes
    vision = eyes.network().eval()
    for module in (model, vision):
        round_weights(module, precision)
    written = []
    with torch.inference_mode():
        for e in tqdm(examples, desc="PyTorch"):
            features = vision(torch.from_numpy(pixels(DATA / e.image, eyes.photo)).unsqueeze(0))
            prompt = torch.tensor([tokenizer.encode(e.prompt).ids])
            log_p = model(features, prompt, "answer" if is_question(e) else "caption")[
                0
            ].log_softmax(-1)
            values, ids = log_p.topk(TOP)
            slots = [
                dict(zip(i, v, strict=True))
                for i, v in zip(ids.tolist(), values.tolist(), strict=True)
            ]
            written.append((collapse(log_p.argmax(-1).tolist()), slots))
    return written


def in_browser(examples: list[Example], encoder: str, decoder: str) -> list[Answer]:
    rows = answers(
        [job(e) for e in examples],
        encoder=encoder,
        decoder=decoder,
        search="greedy",
        posteriors=True,
        title=f"browser, {encoder} and {decoder}",
    )
    written = []
    for row in rows:
        top = row["posteriors"]
        slots = [
            dict(zip(i, v, strict=True))
            for i, v in zip(top["tokens"], top["logProbs"], strict=True)
        ]
        written.append(([t["id"] for t in row["tokens"]], slots))
    return written


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


if __name__ == "__main__":
    main()
