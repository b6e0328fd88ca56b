"""The decoder as an ONNX graph, for browsers without a GPU: decoder.onnx.

It holds no weights: they lie in decoder.safetensors, which WebGPU's kernels read too, and the graph
says at which bytes. What it gives are logits; collapse, top-k and scores are the runtime's.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn
from torch.nn import functional as F

from training.network.model import Config, Narvl
from training.shipping.onnx_files import OPSET

WEIGHTS = "decoder.safetensors"
_TYPES = {"F16": TensorProto.FLOAT16, "F32": TensorProto.FLOAT, "I8": TensorProto.INT8}
_OUTPUTS = ("logits", "attention")


class _Graph(nn.Module):
    """The decoder of `src/model/decoder.ts`, by its names: memory [B, T, d], how many of its rows
    hold something [B], and the rows of the query table that are the slots [S], to logits
    [B, S, vocabulary] and where each slot looks in the last layer, [B, S, T]. Of a model with a
    word detector, slots listen to its evidence [B, vocabulary] too."""

    def __init__(self, config: Config, stored: dict[str, Tensor], epsilon: float) -> None:
        super().__init__()
        self.config, self.epsilon = config, epsilon
        for name, weight in stored.items():
            if name.endswith(".scale"):
                continue
            scale = stored.get(f"{name}.scale")
            self.register_buffer(_buffer(name), weight.float() * (1 if scale is None else scale))

    def weight(self, name: str) -> Tensor:
        return self.get_buffer(_buffer(name))

    def linear(self, x: Tensor, name: str) -> Tensor:
        return x @ self.weight(f"{name}.weight") + self.weight(f"{name}.bias")

    def norm(self, x: Tensor, name: str) -> Tensor:
        gain, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return F.layer_norm(x, (self.config.width,), gain, bias, self.epsilon)

    def attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        """Rows [B, S, d], and the weights [B, heads, S, T] that they are mixed by."""
        heads = self.config.heads
        q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
        weights = (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5 + mask).softmax(-1)
        return (weights @ v).transpose(1, 2).flatten(2), weights

    def forward(
        self, memory: Tensor, lengths: Tensor, slots: Tensor, evidence: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        rows = torch.arange(memory.shape[1], dtype=torch.int32)
        mask = (rows >= lengths.unsqueeze(1)).float()[:, None, None, :] * -1e9
        kvs = self.linear(memory, "cross.kv").chunk(2 * self.config.decoder_layers, dim=-1)
        x = self.norm(self.weight("queries.weight")[slots], "queries.norm").unsqueeze(0)
        weights = mask
        for i in range(self.config.decoder_layers):
            layer = f"layers.{i}"
            qkv = self.linear(self.norm(x, f"{layer}.self.norm"), f"{layer}.self.qkv")
            x = x + self.linear(self.attend(*qkv.chunk(3, dim=-1), 0.0)[0], f"{layer}.self.out")
            q = self.linear(self.norm(x, f"{layer}.cross.norm"), f"{layer}.cross.q")
            seen, weights = self.attend(q, kvs[2 * i], kvs[2 * i + 1], mask)
            x = x + self.linear(seen, f"{layer}.cross.out")
            up = self.linear(self.norm(x, f"{layer}.ffn.norm"), f"{layer}.ffn.up")
            x = x + self.linear(F.gelu(up, approximate="tanh"), f"{layer}.ffn.down")
        logits = self.linear(self.norm(x, "head.norm"), "head")
        if evidence is not None:
            logits = logits + self.weight("queries.tilt")[slots].unsqueeze(1) * evidence[:, None]
        return logits, weights.mean(1)


def export_decoder_graph(model: Narvl, stored: dict[str, Tensor], path: Path) -> None:
    """Write the graph to `path`, whose folder has the `stored` weights as `WEIGHTS`."""
    graph = _Graph(model.config, stored, model.query_norm.eps).eval()
    example = (
        torch.zeros(2, model.fusion.seen + model.config.prompt, model.config.width),
        torch.ones(2, dtype=torch.int32),
        torch.arange(model.config.slots, dtype=torch.int32),
    )
    names = ["memory", "lengths", "slots"]
    if model.config.words:
        example, names = (*example, torch.zeros(2, model.config.vocabulary)), [*names, "evidence"]
    free = {name: {0: "batch"} for name in (*names, *_OUTPUTS)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as for the other graphs
        torch.onnx.export(
            graph,
            example,
            str(path),
            input_names=names,
            output_names=list(_OUTPUTS),
            dynamic_axes={
                **free,
                "slots": {0: "slots"},
                **{name: {0: "batch", 1: "slots"} for name in _OUTPUTS},
            },
            opset_version=OPSET,
            dynamo=False,
        )
    exported = onnx.load(str(path))
    _take_weights_from(exported, path.with_name(WEIGHTS))
    onnx.save(exported, str(path))
    onnx.checker.check_model(str(path), full_check=True)


def _take_weights_from(model: onnx.ModelProto, weights: Path) -> None:
    """Have each initialiser that is a weight read from its bytes in a safetensors file."""
    with weights.open("rb") as file:
        start = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(start))
    named = {_buffer(name): name for name in header}
    restoring, added = [], []
    for weight in model.graph.initializer:
        name = named.get(weight.name)
        if name is None:
            continue

        def external(key: str, stored: str) -> TensorProto:
            entry = header[key]
            first, end = entry["data_offsets"]
            tensor = TensorProto(
                name=stored,
                dims=entry["shape"],
                data_type=_TYPES[entry["dtype"]],
                data_location=TensorProto.EXTERNAL,
            )
            for what, value in {
                "location": weights.name,
                "offset": 8 + start + first,
                "length": end - first,
            }.items():
                tensor.external_data.add(key=what, value=str(value))
            return tensor

        plain = f"{weight.name}.stored"
        if f"{name}.scale" in header:
            scale, whole = f"{weight.name}.scale", f"{weight.name}.whole"
            added.append(external(f"{name}.scale", scale))
            restoring += [
                helper.make_node("Cast", [plain], [whole], to=TensorProto.FLOAT),
                helper.make_node("Mul", [whole, scale], [weight.name]),
            ]
        else:
            restoring.append(helper.make_node("Cast", [plain], [weight.name], to=TensorProto.FLOAT))
        weight.CopyFrom(external(name, plain))
    model.graph.initializer.extend(added)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(restoring + nodes)


def _buffer(name: str) -> str:
    """A weight's name as torch lets a buffer have it."""
    return name.replace(".", "__")
