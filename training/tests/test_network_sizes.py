"""What the manifest says of the graphs before they are there is what they hold."""

from __future__ import annotations

import json

import onnx
from onnx import TensorProto, helper

from training.paths import MODEL
from training.shipping.network_sizes import vision_sizes


def test_the_shipped_manifest_says_the_sizes_of_its_vision() -> None:
    promised = json.loads((MODEL / "manifest.json").read_text(encoding="utf-8"))["network"]
    assert vision_sizes(onnx.load(MODEL / "vision.onnx").graph) == promised["vision"]


def test_nothing_is_said_of_a_graph_of_another_kind() -> None:
    names = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4, 8, 8]) for n in "xy"]
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 4, 1, 1], [1.0] * 16)
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[1, 1])
    graph = helper.make_graph([node], "plain", names[:1], names[1:], [weight])
    assert vision_sizes(graph) is None
