"""Vision in 8 bits: a graph of convolutions says about the same, and by integers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from training.shipping import onnx_files
from training.shipping.vision_int8 import in_8_bits, model_with, unlike


class Eyes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1),
            nn.ReLU6(),
            nn.Conv2d(16, 16, 3, 1, 1, groups=16),
            nn.ReLU6(),
            nn.Conv2d(16, 24, 1),
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.layers(pixels).flatten(2).transpose(1, 2)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "eyes.onnx"
    example = torch.zeros(2, 3, 16, 16)
    onnx_files.export(Eyes().eval(), {"pixels": example}, ["features"], path, "f16")
    return path


def photos(seed: int, count: int) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    return [generator.normal(size=(3, 16, 16)).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize(("depthwise", "kept"), [(True, 0), (False, 1)])
def test_about_the_same_by_integers(
    graph: Path, tmp_path: Path, depthwise: bool, kept: int
) -> None:
    path = tmp_path / "int8.onnx"
    in_8_bits(graph, path, photos(1, 8), depthwise=depthwise)
    nodes = onnx.load(path).graph.node
    made = {name: node.op_type for node in nodes for name in node.output}
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    in_floats = [n for n in convolutions if made.get(n.input[1]) != "DequantizeLinear"]
    assert (len(convolutions), len(in_floats)) == (3, kept)
    share, cosine = unlike(graph, path, photos(2, 4))
    assert 0 < share < 0.1
    assert cosine > 0.99


def test_a_model_differs_by_its_vision_alone(graph: Path, tmp_path: Path) -> None:
    shipped, folder = tmp_path / "shipped", tmp_path / "made"
    shipped.mkdir()
    for name in ("vision.onnx", "fusion.onnx"):
        (shipped / name).write_bytes(name.encode())
    files = {name: {"bytes": 0, "sha256": ""} for name in ("vision.onnx", "fusion.onnx")}
    (shipped / "manifest.json").write_text(json.dumps({"name": "a", "files": files}))
    model_with(graph, shipped, folder)
    assert (folder / "vision.onnx").read_bytes() == graph.read_bytes()
    assert (folder / "fusion.onnx").read_bytes() == b"fusion.onnx"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["name"] == "a"
    assert manifest["files"]["vision.onnx"]["bytes"] == graph.stat().st_size
    assert len(manifest["files"]["vision.onnx"]["sha256"]) == 64


def test_no_photos(graph: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got none"):
        in_8_bits(graph, tmp_path / "int8.onnx", [], depthwise=True)
