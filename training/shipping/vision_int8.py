"""A vision graph whose convolutions are computed in 8 bits, beside the shipped one, whose weights
alone are: an experiment, which no model is shipped of.

Weights are int8 with a scale each output channel, as in the shipped file, and activations uint8
with one scale a tensor, found on photos. onnxruntime fuses what stands between QuantizeLinear and
DequantizeLinear into integer kernels, where it has some.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)


def in_8_bits(graph: Path, into: Path, photos: list[np.ndarray], *, depthwise: bool) -> None:
    """Write `graph` with its convolutions in 8 bits; `depthwise` those of single channels too.

    `photos` are float32 [3, side, side], as the graph's input `pixels` takes them.
    """
    if not photos:
        raise ValueError("expected photos to find the activations' scales on, got none")
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        _fold(graph, plain)
        nodes = onnx.load(plain).graph.node
        single = [n for n in nodes if n.op_type == "Conv" and _groups(n) > 1]
        wide = {name for n in single for name in n.output}
        # Before its ReLU6 what a convolution says is wide: rounded there, little would be left.
        behind = [n for n in nodes if n.op_type == "Clip" and n.input[0] in wide]
        quantize_static(
            plain,
            into,
            _Photos(photos),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Clip", "Add"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[] if depthwise else [n.name for n in (*single, *behind)],
            calibrate_method=CalibrationMethod.MinMax,
        )


def model_with(vision: Path, shipped: Path, folder: Path) -> None:
    """Write a model folder that is `shipped` but for its vision graph."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = json.loads((shipped / "manifest.json").read_text(encoding="utf-8"))
    for name in manifest["files"]:
        source = vision if name == "vision.onnx" else shipped / name
        data = source.read_bytes()
        (folder / name).write_bytes(data)
        manifest["files"][name] = {
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def unlike(graph: Path, other: Path, photos: list[np.ndarray]) -> tuple[float, float]:
    """How far the features of two graphs are apart: root of the mean square difference, in shares
    of the first one's root mean square, and the least cosine of a cell's."""
    one, two = (features(path, photos) for path in (graph, other))
    share = np.sqrt(np.mean((one - two) ** 2) / np.mean(one**2))
    products = (one * two).sum(-1)
    cosine = products / (np.linalg.norm(one, axis=-1) * np.linalg.norm(two, axis=-1))
    return float(share), float(cosine.min())


def features(graph: Path, photos: list[np.ndarray]) -> np.ndarray:
    """[photos, cells, channels], as the graph says: integer kernels that onnxruntime would put in
    its place saturate on CPUs without VNNI, which is their affair and no browser's."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    rows = [session.run(["features"], {"pixels": photo[None]})[0] for photo in photos]
    return np.concatenate(rows)


class _Photos(CalibrationDataReader):
    def __init__(self, photos: list[np.ndarray]) -> None:
        self._left: Iterator[np.ndarray] = iter(photos)

    def get_next(self) -> dict[str, np.ndarray] | None:
        photo = next(self._left, None)
        return None if photo is None else {"pixels": photo[None]}


def _fold(graph: Path, into: Path) -> None:
    """Weights as they are computed with: in the file a Cast and a scale stand behind each."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(into)
    onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _groups(node: onnx.NodeProto) -> int:
    return next((a.i for a in node.attribute if a.name == "group"), 1)
