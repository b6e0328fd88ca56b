"""Where torch has no CUDA, the registries' torchvision, which `timm` imports, cannot load its own
operators, and says so by failing over the two whose shapes it declares. Nothing here calls them."""

from __future__ import annotations

import torch

if torch.version.cuda is None:
    _OPERATORS = torch.library.Library("torchvision", "FRAGMENT")
    for _name in ("nms", "qnms"):
        _OPERATORS.define(f"{_name}(Tensor boxes, Tensor scores, float iou_threshold) -> Tensor")
