"""What a model sees with: how large its photos are, and whether a detector looks too."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.eyes import vit
from training.eyes.backbone import CELL, FEATURES, MEAN, STD, Backbone
from training.eyes.detector import CLASSES, Detector


@dataclass(frozen=True)
class Eyes:
    photo: int
    """Pixels of a photo's side, squashed to a square."""
    detector: bool
    tuned: str = ""
    """Which of the recipe's tuned eyes; ImageNet's if empty."""
    backbone: str = ""
    """A vision transformer of `timm`; EfficientNet-Lite2 if empty."""
    weights: str = ""
    """The file of its weights, below `$NARVL_DATA`."""

    def __str__(self) -> str:
        parts = [str(self.photo), self.backbone, self.tuned, "detector" if self.detector else ""]
        return "-".join(part for part in parts if part)

    @property
    def cells(self) -> int:
        """Rows of features, one for each square of CELL pixels a side, or for each patch."""
        if self.backbone:
            return vit.grid(self.backbone, self.photo)[0]
        if self.photo % CELL:
            raise ValueError(f"expected a photo's side in multiples of {CELL}, got {self.photo}")
        return (self.photo // CELL) ** 2

    @property
    def channels(self) -> int:
        """Of each cell: the backbone's, and then the detector's."""
        if self.backbone:
            return vit.grid(self.backbone, self.photo)[1]
        return FEATURES + (CLASSES if self.detector else 0)

    def network(self) -> nn.Module:
        """Pixels [B, 3, photo, photo], normalised by MEAN and STD, to features
        [B, cells, channels]."""
        if self.backbone:
            return vit.VisionTransformer(self.backbone, self.weights, self.photo)
        backbone = Backbone(self.photo, self.tuned)
        return _Both(backbone, Detector(CELL)) if self.detector else backbone


class _Both(nn.Module):
    def __init__(self, backbone: Backbone, detector: Detector) -> None:
        super().__init__()
        self.backbone, self.detector = backbone, detector

    def forward(self, pixels: Tensor) -> Tensor:
        objects = self.detector((pixels * STD + MEAN) * 255).flatten(2).transpose(1, 2)
        return torch.cat([self.backbone(pixels), objects], -1)
