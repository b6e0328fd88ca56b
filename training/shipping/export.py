"""A trained Narvl to the files that the runtime loads."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from training.data.boxes import BINS, FIRST_BIN
from training.data.examples import extra_texts, prompts
from training.data.formats import ENTAILMENT
from training.data.tokenizer import BLANK, BOS, EOS, PAD
from training.eyes.backbone import MEAN, STD
from training.network.model import NAME_PIECES, TAGS, Fusion, Narvl, Task
from training.runs.recipe import recipe
from training.scoring.calibration import calibration_file
from training.shipping import onnx_files
from training.shipping.network_sizes import network_sizes
from training.shipping.precision import SMALLEST, Precision, quantise, worth_int8
from training.writing.ctc_beam import FOR_ANSWERS, FOR_CAPTIONS, BeamOptions
from training.writing.once import function_words
from training.writing.pointing import SPREAD, STRIDE, WEIGHT

FILES = (
    "vision.onnx",
    "fusion.onnx",
    "decoder.safetensors",
    "decoder.onnx",
    "tokenizer.json",
    "captions.ngrams.bin",
    "answers.ngrams.bin",
)

LARGEST = 36_000_000
"""Bytes that the shipped model may have in all."""


class _WholeFusion(nn.Module):
    """Fusion, and what it told itself: of tags the names [B, TAGS * NAME_PIECES] and how likely
    each is [B, TAGS], which a search of the posteriors copies too; of a word detector the evidence
    [B, vocabulary], which slots listen to; of a phrase map the log odds [B, cells]."""

    def __init__(self, fusion: Fusion) -> None:
        super().__init__()
        self.fusion = fusion
        self.outputs = [
            "memory",
            *(["names", "likely"] if fusion.tags is not None else []),
            *(["evidence"] if fusion.word_detector is not None else []),
            *(["places"] if fusion.phrase_map is not None else []),
        ]

    def forward(self, features: Tensor, prompt: Tensor) -> tuple[Tensor, ...]:
        tags, words = self.fusion.tags, self.fusion.word_detector
        told: list[Tensor] = []
        if tags is not None:
            likely, pieces = tags.likeliest(tags.logits(features))
            told = [pieces, likely]
        evidence = None if words is None else words(features)
        memory = self.fusion(features, prompt, evidence=evidence)
        more = (evidence, self.fusion.places(features, prompt))
        return (memory, *told, *(one for one in more if one is not None))


def export_fusion(model: Narvl, path: Path, precision: Precision) -> None:
    """Features [B, cells, channels] and a prompt to the memory and, of tags, their names and how
    likely they are; of a word detector, the evidence; of a phrase map, the places."""
    eyes, whole = model.config.eyes, _WholeFusion(model.fusion)
    onnx_files.export(
        whole,
        {  # int32, since WebGPU has no 64-bit integers
            "features": torch.zeros(2, eyes.cells, eyes.channels),
            "prompt": torch.zeros(2, model.config.prompt, dtype=torch.int32),
        },
        whole.outputs,
        path,
        precision,
    )


def decoder_weights(model: Narvl, precision: Precision) -> dict[str, Tensor]:
    """The decoder's weights under the names of `src/model/decoder.ts`, matrices as [in, out]; of an
    int8 matrix `X` the scale of each output is `X.scale`."""
    weights = {
        "queries.weight": model.queries,
        "queries.norm.weight": model.query_norm.weight,
        "queries.norm.bias": model.query_norm.bias,
        "head.norm.weight": model.decoder.norm.weight,
        "head.norm.bias": model.decoder.norm.bias,
        "head.weight": model.words.T,
        "head.bias": model.head_bias,
        **({} if model.tilt is None else {"queries.tilt": model.tilt}),
    }

    def linear(name: str, layer: torch.nn.Linear) -> None:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = layer.weight.T, layer.bias

    def norm(name: str, layer: torch.nn.LayerNorm) -> None:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = layer.weight, layer.bias

    for i, layer in enumerate(model.decoder.layers):
        norm(f"layers.{i}.self.norm", layer.self.norm)
        linear(f"layers.{i}.self.qkv", layer.self.qkv)
        linear(f"layers.{i}.self.out", layer.self.attention.out)
        norm(f"layers.{i}.cross.norm", layer.cross.norm)
        linear(f"layers.{i}.cross.q", layer.cross.q)
        linear(f"layers.{i}.cross.out", layer.cross.attention.out)
        norm(f"layers.{i}.ffn.norm", layer.ffn.norm)
        linear(f"layers.{i}.ffn.up", layer.ffn.up)
        linear(f"layers.{i}.ffn.down", layer.ffn.down)
    kvs = [layer.cross.kv for layer in model.decoder.layers]
    weights["cross.kv.weight"] = torch.cat([kv.weight.T for kv in kvs], dim=1)
    weights["cross.kv.bias"] = torch.cat([kv.bias for kv in kvs])
    stored: dict[str, Tensor] = {}
    for name, weight in weights.items():
        whole = weight.ndim == 2 and name != "queries.weight"
        if precision == "int8" and whole and worth_int8(weight):
            matrix, stored[f"{name}.scale"] = quantise(weight.detach(), 1)
        else:
            small = weight.numel() < SMALLEST
            matrix = weight.detach().to(torch.float32 if small else torch.float16)
        stored[name] = matrix.contiguous()
    return stored


def task_of(style: str) -> str:
    """The runtime's name of the task that captions in a style."""
    return "caption" if style == "plain" else f"caption-{style}"


def manifest(run: str, model: Narvl, folder: Path, precision: Precision) -> dict:
    config = model.config

    def queries(task: Task) -> dict[str, int]:
        first, count = model.query_range(task)
        return {"first": first, "count": count}

    def beam(options: BeamOptions, ngrams: str) -> dict[str, str | float | dict]:
        told = model.fusion.tags is not None and options.copying is not None
        return {
            "ngrams": ngrams,
            "bos": BOS,
            "width": options.width,
            "languageWeight": options.likelihood,
            "bonus": options.bonus,
            **({"copying": asdict(options.copying)} if told else {}),
            **({"once": once(options.again)} if options.again else {}),
        }

    def once(cost: float) -> dict[str, float | list[int]]:
        return {"cost": cost, "free": sorted(function_words())}

    # How sure texts may be is known once `training calibrate` has said so.
    path = calibration_file(run)
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def calibration(kind: str) -> dict[str, dict[str, float]]:
        return {"calibration": known[kind]} if kind in known else {}

    # The first is the runtime's default.
    tasks: dict[str, dict] = {
        task_of(style): {
            "kind": "caption",
            "prompt": prompt,
            "queries": queries("caption"),
            "beam": beam(FOR_CAPTIONS, "captions.ngrams.bin"),
            **calibration("caption"),
        }
        for style, prompt in prompts().items()
    }
    if recipe().questions:
        tasks["answer"] = {
            "kind": "answer",
            "queries": queries("answer"),
            "beam": beam(FOR_ANSWERS, "answers.ngrams.bin"),
            **calibration("answer"),
        }
    if config.box_slots:
        tasks["locate"] = {
            "kind": "locate",
            "prompt": recipe().prompts["locate"],
            "queries": queries("locate"),
            "bins": {
                "first": FIRST_BIN,
                "count": BINS,
                "spread": SPREAD,
                **({"map": {"stride": STRIDE, "weight": WEIGHT}} if config.places else {}),
            },
            **calibration("locate"),
        }
    if config.entail_slots:
        tasks["entail"] = {
            "kind": "entail",
            "prompt": recipe().prompts["entail"],
            "queries": queries("entail"),
            "labels": ENTAILMENT,
            **calibration("entail"),
        }
    return {
        # What an older runtime cannot run, or would say in another way, it refuses.
        "format": 4 if config.places else 3 if config.words else 2,
        "name": "narvl-photo",
        "files": {
            name: {
                "bytes": (folder / name).stat().st_size,
                "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
            }
            for name in FILES
        },
        "image": {"size": config.photo, "mean": [MEAN] * 3, "std": [STD] * 3, "fit": "squash"},
        "features": {
            "rows": config.eyes.cells,
            "width": config.eyes.channels,
            "grid": [math.isqrt(config.eyes.cells)] * 2,
        },
        "prompt": {"length": config.prompt, "pad": PAD},
        **({"names": {"count": TAGS, "length": NAME_PIECES}} if model.fusion.tags else {}),
        **network_sizes(model, folder / "vision.onnx"),
        "decoder": {
            "width": config.width,
            "heads": config.heads,
            "layers": config.decoder_layers,
            "ffn": config.ffn,
            "vocabulary": config.vocabulary,
            "queries": len(model.queries),
            "memory": model.fusion.seen + config.prompt,
            "blank": BLANK,
            "eos": EOS,
            "epsilon": model.query_norm.eps,
            **({"evidence": True} if config.words else {}),
        },
        "tasks": tasks,
        "precision": precision,
        "licence": recipe().licence,
        "trainedOn": credits(),
    }


def credits() -> list[str]:
    """Whose data a model of the recipe was made of."""
    named = recipe()
    kinds = (named.captions, named.questions, named.boxes, named.statements)
    sources = [source.credit or source.name for kind in kinds for source in kind if source.credit]
    texts = ["Flickr30k's captions (Young et al. 2014), for word pieces and n-grams alone"]
    eyes = "EfficientNet-Lite2 weights, ImageNet, Apache-2.0"
    return list(dict.fromkeys([*sources, *(texts if extra_texts() else []), eyes]))
