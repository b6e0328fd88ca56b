"""A trained Narvl to the files that the runtime loads: `python -m training export narvl`.

Writes `public/models/narvl-photo/` (or `--out`): vision.onnx, fusion.onnx, decoder.safetensors and
the graph decoder.onnx of the same weights, tokenizer.json, n-gram models of captions and answers,
and a manifest.json with the size and SHA-256 of each.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from safetensors.torch import save_file

from training.data import tokenizer as vocabulary
from training.eyes.features import export_vision
from training.network.model import Narvl
from training.paths import MODEL
from training.runs.checkpoints import load
from training.shipping.decoder_graph import WEIGHTS, export_decoder_graph
from training.shipping.export import FILES, LARGEST, decoder_weights, export_fusion, manifest
from training.writing.ngram import of_answers, of_captions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", default="narvl-asked-placed")
    parser.add_argument("--precision", choices=["f16", "int8"], default="int8")
    parser.add_argument("--out", type=Path, default=MODEL)
    args = parser.parse_args()

    model = load(args.run)
    if not isinstance(model, Narvl):
        raise SystemExit(f"{args.run} is an autoregressive run; the runtime decodes in one pass")
    args.out.mkdir(parents=True, exist_ok=True)
    export_vision(model.config.eyes, args.out / "vision.onnx", args.precision)
    export_fusion(model, args.out / "fusion.onnx", args.precision)
    stored = decoder_weights(model, args.precision)
    save_file(stored, args.out / WEIGHTS)
    export_decoder_graph(model, stored, args.out / "decoder.onnx")
    shutil.copy(vocabulary.FILE, args.out / "tokenizer.json")
    for name, ngrams in (("captions", of_captions()), ("answers", of_answers())):
        (args.out / f"{name}.ngrams.bin").write_bytes(ngrams.pack(model.config.vocabulary))
    text = json.dumps(manifest(args.run, model, args.out, args.precision), indent=2) + "\n"
    (args.out / "manifest.json").write_text(text)
    total = sum((args.out / name).stat().st_size for name in FILES)
    print(f"{args.out}: {total:,} bytes")
    if args.out == MODEL and total > LARGEST:
        raise SystemExit(f"the shipped model may have at most {LARGEST:,} bytes")
