"""Torch modules to ONNX files whose weights are stored small and computed with as f32.

Each large weight becomes an f16 initialiser with a Cast behind it, or an int8 one with a Cast and
a Mul, which onnxruntime folds when a session is created: no operator has to support either type.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from training.shipping.precision import SMALLEST, Precision, quantise, worth_int8

OPSET = 17


def export(
    module: nn.Module,
    inputs: dict[str, Tensor],
    outputs: Sequence[str],
    path: Path,
    precision: Precision,
) -> None:
    """Write `module` to `path`. Every input's and output's first axis is a free batch axis."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The TorchScript exporter needs no further package, and these graphs are static.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: {0: "batch"} for name in [*inputs, *outputs]},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    _store_weights(model, precision)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def _store_weights(model: onnx.ModelProto, precision: Precision) -> None:
    channels = _channel_axes(model)
    restoring, scales = [], []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < SMALLEST:
            continue
        name, axis = weight.name, channels.get(weight.name)
        if precision == "int8" and axis is not None and worth_int8(values):
            stored, scale = quantise(torch.from_numpy(values.copy()), axis)
            shape = [1] * values.ndim
            shape[axis] = -1
            scales.append(numpy_helper.from_array(scale.numpy().reshape(shape), name + ".scale"))
            restoring += [
                helper.make_node("Cast", [name + ".i8"], [name + ".whole"], to=TensorProto.FLOAT),
                helper.make_node("Mul", [name + ".whole", name + ".scale"], [name]),
            ]
            weight.CopyFrom(numpy_helper.from_array(stored.numpy(), name + ".i8"))
        else:
            restoring.append(
                helper.make_node("Cast", [name + ".f16"], [name], to=TensorProto.FLOAT)
            )
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + ".f16"))
    model.graph.initializer.extend(scales)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(restoring + nodes)


def _channel_axes(model: onnx.ModelProto) -> dict[str, int]:
    """The axis of output channels of each weight matrix, by what reads it."""
    axes: dict[str, int] = {}
    for node in model.graph.node:
        if node.op_type == "Conv":
            axes[node.input[1]] = 0
        elif node.op_type == "MatMul":
            axes[node.input[1]] = 1
        elif node.op_type == "Gemm":
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            axes[node.input[1]] = 0 if transposed else 1
        elif node.op_type == "Gather":
            axes[node.input[0]] = 0
    return axes
