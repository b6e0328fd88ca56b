"""How shipped weights are stored: f16, or int8 with a scale for each output channel.

Everything is computed with in f32 all the same; only the download gets smaller.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

Precision = Literal["f16", "int8"]

SMALLEST = 256
"""Elements; smaller tensors stay f32 in ONNX files."""
WORTH_INT8 = 32_768
"""Elements; smaller matrices stay f16. Of the backbone those, its depthwise convolutions among
them, are 8 % of the weights and bring two thirds of what rounding does to its features."""


def worth_int8(weight: Tensor | np.ndarray) -> bool:
    return math.prod(weight.shape) >= WORTH_INT8


def quantise(weight: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """int8 [like weight] and the f32 scale [channels] of each channel along `axis`, symmetric:
    weight is about int8 * scale."""
    others = [d for d in range(weight.ndim) if d != axis % weight.ndim]
    scale = weight.abs().amax(dim=others, keepdim=True).clamp(min=1e-12) / 127
    return (weight / scale).round().to(torch.int8), scale.flatten()


@torch.no_grad()
def round_weights(module: nn.Module, precision: Precision) -> None:
    """Give `module` the weights that its exported files hold, so that only arithmetic differs."""
    rounded: set[nn.Parameter] = set()
    if precision == "int8":
        for layer in module.modules():
            matrix = isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding)
            if matrix and worth_int8(layer.weight):
                stored, scale = quantise(layer.weight, 0)
                layer.weight.copy_(stored * scale.view(-1, *[1] * (layer.weight.ndim - 1)))
                rounded.add(layer.weight)
    for parameter in module.parameters():
        if parameter.numel() >= SMALLEST and parameter not in rounded:
            parameter.copy_(parameter.half())
    for buffer in module.buffers():
        if not buffer.is_floating_point() or buffer.numel() < SMALLEST:
            continue
        # Matrices that are multiplied with from the right.
        if precision == "int8" and buffer.ndim == 2 and worth_int8(buffer):
            stored, scale = quantise(buffer, 1)
            buffer.copy_(stored * scale)
        else:
            buffer.copy_(buffer.half())
