"""Shipped files back to a network."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file
from torch import Tensor, nn

from training.data import tokenizer as vocabulary
from training.eyes.backbone import Backbone, tuned_file
from training.network.model import Config, Fusion, Narvl
from training.runs.recipe import Run, recipe
from training.shipping.decoder_graph import WEIGHTS


def stored_values(path: Path) -> dict[str, Tensor]:
    """The initialisers of a graph that `onnx_files` wrote, by the names that they had before their
    precision was added: widened to f32, scales applied."""
    raw = {
        w.name: torch.from_numpy(numpy_helper.to_array(w).copy())
        for w in onnx.load(str(path)).graph.initializer
    }
    values: dict[str, Tensor] = {}
    for name, value in raw.items():
        stem, _, kind = name.rpartition(".")
        if kind == "i8":
            values[stem] = value * raw[f"{stem}.scale"]
        elif kind == "f16":
            values[stem] = value.float()
        elif kind != "scale":
            values[name] = value
    return values


@torch.no_grad()
def read_fusion(fusion: Fusion, path: Path) -> None:
    """Weights of fusion.onnx. The exporter keeps parameters' names but for matrices that are
    multiplied with from the right: those it transposes and numbers, in the order of the layers."""
    values = stored_values(path)
    numbered = [v for name, v in values.items() if name.startswith("onnx::MatMul")]
    layers = {n: m for n, m in fusion.named_modules() if isinstance(m, nn.Linear)}
    if len(numbered) != len(layers):
        raise SystemExit(f"{path}: expected {len(layers)} matrices, got {len(numbered)}")
    found = {f"{name}.weight": matrix.T for name, matrix in zip(layers, numbered, strict=True)}
    found |= {name.removeprefix("fusion."): v for name, v in values.items()}
    _fill(fusion, found, path)
    for name in ("word_detector", "phrase_map"):
        part = getattr(fusion, name)
        if part is not None:
            _fill_with(dict(part.named_buffers(prefix=name)), found, path)


@torch.no_grad()
def read_decoder(model: Narvl, path: Path) -> None:
    """Weights of decoder.safetensors, the inverse of `export.decoder_weights`."""
    stored = load_file(path)
    weights = {
        name: w.float() * stored.get(f"{name}.scale", torch.ones(()))
        for name, w in stored.items()
        if not name.endswith(".scale")
    }
    found = {
        "queries": weights["queries.weight"],
        "query_norm.weight": weights["queries.norm.weight"],
        "query_norm.bias": weights["queries.norm.bias"],
        "head_bias": weights["head.bias"],
        "decoder.norm.weight": weights["head.norm.weight"],
        "decoder.norm.bias": weights["head.norm.bias"],
    }
    layers = model.config.decoder_layers
    keys = weights["cross.kv.weight"].chunk(layers, 1), weights["cross.kv.bias"].chunk(layers)
    for i, (matrix, bias) in enumerate(zip(*keys, strict=True)):
        at, ours = f"layers.{i}", f"decoder.layers.{i}"
        for theirs, name in (
            ("self.norm", "self.norm"),
            ("self.qkv", "self.qkv"),
            ("self.out", "self.attention.out"),
            ("cross.norm", "cross.norm"),
            ("cross.q", "cross.q"),
            ("cross.out", "cross.attention.out"),
            ("ffn.norm", "ffn.norm"),
            ("ffn.up", "ffn.up"),
            ("ffn.down", "ffn.down"),
        ):
            weight = weights[f"{at}.{theirs}.weight"]
            found[f"{ours}.{name}.weight"] = weight.T if weight.ndim == 2 else weight
            found[f"{ours}.{name}.bias"] = weights[f"{at}.{theirs}.bias"]
        found[f"{ours}.cross.kv.weight"], found[f"{ours}.cross.kv.bias"] = matrix.T, bias
    own = nn.ModuleDict({"decoder": model.decoder, "query_norm": model.query_norm})
    own.register_parameter("queries", model.queries)
    own.register_parameter("head_bias", model.head_bias)
    if model.tilt is not None:
        own.register_parameter("tilt", model.tilt)
        found["tilt"] = weights["queries.tilt"]
    _fill(own, found, path)


def _fill(module: nn.Module, found: dict[str, Tensor], path: Path) -> None:
    _fill_with(dict(module.named_parameters()), found, path)


def _fill_with(wanted: dict[str, Tensor], found: dict[str, Tensor], path: Path) -> None:
    for name, tensor in wanted.items():
        if name not in found or found[name].shape != tensor.shape:
            got = tuple(found[name].shape) if name in found else "nothing"
            raise SystemExit(f"{path}: expected {name} {tuple(tensor.shape)}, got {got}")
        tensor.copy_(found[name])


def adopt(folder: Path, config: Config) -> Narvl:
    """The model whose files lie in `folder`, all of one training run's `config`."""
    model = Narvl(config)
    read_fusion(model.fusion, folder / "fusion.onnx")
    read_decoder(model, folder / WEIGHTS)
    if model.fusion.tags is not None:
        model.fusion.tags.name(vocabulary.load(folder / "tokenizer.json"))
    return model.eval()


def config_of(folder: Path, eyes: str) -> Config:
    """The size of the network in `folder`, which sees with the tuned eyes of that name."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    decoder = manifest["decoder"]
    slots = {task["kind"]: task["queries"]["count"] for task in manifest["tasks"].values()}
    fusion = manifest.get("network", {}).get("fusion", {})
    words, places = fusion.get("words", 0), fusion.get("places", 0)
    if decoder.get("evidence", False) and not words:
        raise SystemExit(f"{folder}: expected network.fusion.words beside decoder.evidence")
    mapped = any("map" in task.get("bins", {}) for task in manifest["tasks"].values())
    if mapped and not places:
        raise SystemExit(f"{folder}: expected network.fusion.places beside bins.map")
    return Config(
        width=decoder["width"],
        heads=decoder["heads"],
        encoder_layers=recipe().config(Run(kind="narvl")).encoder_layers,
        decoder_layers=decoder["layers"],
        ffn=decoder["ffn"],
        vocabulary=decoder["vocabulary"],
        prompt=manifest["prompt"]["length"],
        photo=manifest["image"]["size"],
        slots=slots["caption"],
        answer_slots=slots.get("answer", 0),
        box_slots=slots.get("locate", 0),
        entail_slots=slots.get("entail", 0),
        tuned=eyes,
        tags="names" in manifest,
        words=words,
        places=places,
    )


@torch.no_grad()
def adopt_eyes(folder: Path, eyes: str) -> None:
    """Keep the backbone of vision.onnx as tuned eyes of that name. Its classifier, which no graph
    of vision needs, is ImageNet's."""
    size = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["image"]["size"]
    backbone = Backbone(size)
    network = nn.ModuleDict(
        {"stem": backbone.stem, "blocks": backbone.blocks, "head": backbone.head}
    )
    _fill(network, stored_values(folder / "vision.onnx"), folder / "vision.onnx")
    torch.save(backbone.state_dict(), tuned_file(eyes))
