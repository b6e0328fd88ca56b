"""Torch modules to ONNX files whose weights are stored as f16 and computed with as f32.

Each large weight becomes an f16 initialiser with a Cast behind it, which onnxruntime folds when
a session is created: half the download, and no operator has to support f16.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

OPSET = 17
_SMALLEST_STORED_AS_F16 = 256
"""Elements; biases and scalars stay f32."""


def export(
    module: nn.Module, inputs: dict[str, Tensor], output: str, path: Path, *, f16: bool = True
) -> None:
    """Write `module` to `path`. Every input's and the output's first axis is a free batch axis."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The TorchScript exporter needs no further package, and these graphs are static.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes={name: {0: "batch"} for name in [*inputs, output]},
            opset_version=OPSET,
            dynamo=False,
        )
    if f16:
        model = onnx.load(str(path))
        _store_weights_as_f16(model)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, str(path))


@torch.no_grad()
def round_weights(module: nn.Module) -> None:
    """Give `module` the weights that its exported file holds, so that only arithmetic differs."""
    for parameter in module.parameters():
        if parameter.numel() >= _SMALLEST_STORED_AS_F16:
            parameter.copy_(parameter.half())


def _store_weights_as_f16(model: onnx.ModelProto) -> None:
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < _SMALLEST_STORED_AS_F16:
            continue
        stored = weight.name + ".f16"
        casts.append(helper.make_node("Cast", [stored], [weight.name], to=TensorProto.FLOAT))
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), stored))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
