"""TensorFlow.js graphs as they are computed here, against numbers worked out by hand."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from training.eyes.detector import Graph


def text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def write(folder: Path, nodes: list[dict], constants: dict[str, np.ndarray]) -> Path:
    """A graph whose constants are kept in f16, as the detector's are."""
    path = folder / "graph.json"
    nodes = [*nodes, *({"name": name, "op": "Const"} for name in constants)]
    listed = [
        {
            "name": name,
            "shape": list(value.shape),
            "dtype": "float32",
            "quantization": {"dtype": "float16", "original_dtype": "float32"},
        }
        for name, value in constants.items()
    ]
    manifest = [{"paths": ["graph.bin"], "weights": listed}]
    path.write_text(json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": manifest}))
    path.with_suffix(".bin").write_bytes(
        b"".join(value.astype(np.float16).tobytes() for value in constants.values())
    )
    return path


def convolution(name: str, operator: str, inputs: list[str], stride: int, fused: list[str]) -> dict:
    return {
        "name": name,
        "op": operator,
        "input": inputs,
        "attr": {
            "strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}},
            "padding": {"s": text("SAME")},
            "fused_ops": {"list": {"s": [text(f) for f in fused]}},
        },
    }


IMAGE = {"name": "image", "op": "Placeholder"}


def test_pads_behind_and_fuses(tmp_path: Path) -> None:
    nodes = [IMAGE, convolution("out", "_FusedConv2D", ["image", "kernel", "bias"], 2, ["BiasAdd"])]
    constants = {"kernel": np.ones((3, 3, 1, 1)), "bias": np.array([0.5])}
    graph = Graph(write(tmp_path, nodes, constants), "out")
    # Of four points in steps of two, TensorFlow pads one row and column behind and none in front.
    image = torch.arange(16.0).view(1, 1, 4, 4)
    expected = [[0 + 1 + 2 + 4 + 5 + 6 + 8 + 9 + 10 + 0.5, 2 + 3 + 6 + 7 + 10 + 11 + 0.5]]
    expected += [[8 + 9 + 10 + 12 + 13 + 14 + 0.5, 10 + 11 + 14 + 15 + 0.5]]
    assert graph(image)[0, 0].tolist() == expected


def test_depthwise_channels_stay_apart(tmp_path: Path) -> None:
    nodes = [
        IMAGE,
        convolution("deep", "FusedDepthwiseConv2dNative", ["image", "kernel"], 1, ["Relu"]),
        {"name": "scaled", "op": "Mul", "input": ["deep", "scale"]},
    ]
    constants = {"kernel": np.array([[[[2.0], [-1.0]]]]), "scale": np.array([1.0, 3.0])}
    graph = Graph(write(tmp_path, nodes, constants), "scaled")
    image = torch.tensor([[[[1.0]], [[-4.0]]]])
    assert graph(image).flatten().tolist() == [2.0, 12.0]


def test_resizes_without_half_pixels(tmp_path: Path) -> None:
    resize = {"align_corners": {"b": False}, "half_pixel_centers": {"b": False}}
    nodes = [
        IMAGE,
        {"name": "larger", "op": "ResizeBilinear", "input": ["image", "size"], "attr": resize},
    ]
    graph = Graph(write(tmp_path, nodes, {"size": np.zeros(2)}), "larger")
    larger = graph(torch.tensor([[[[0.0, 4.0], [8.0, 12.0]]]]))
    assert larger[0, 0].tolist() == [[0, 2, 4, 4], [4, 6, 8, 8], [8, 10, 12, 12], [8, 10, 12, 12]]


def test_names_an_operator_that_it_lacks(tmp_path: Path) -> None:
    nodes = [IMAGE, {"name": "out", "op": "Softmax", "input": ["image"]}]
    with pytest.raises(ValueError, match=r"out: expected one of .*, got Softmax"):
        Graph(write(tmp_path, nodes, {}), "out")(torch.zeros(1, 1, 1, 1))
