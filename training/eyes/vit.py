"""A vision transformer of `timm`, by its name and with its weights from a file.

`timm` is an extra (`requirements-timm.txt`): the shipped model needs none of it.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from training.eyes.backbone import MEAN, STD
from training.paths import DATA


def _created(name: str, photo: int, **options: object) -> nn.Module:
    try:
        import timm
    except (ImportError, RuntimeError) as error:  # torchvision of another build says the latter
        raise SystemExit(
            f"backbone {name!r} is of timm: pip install -r training/requirements-timm.txt ({error})"
        ) from error
    if name not in timm.list_models(module="vision_transformer"):
        raise SystemExit(f"expected a vision transformer of timm {timm.__version__}, got {name!r}")
    return timm.create_model(name, num_classes=0, img_size=photo, **options)


@cache
def grid(name: str, photo: int) -> tuple[int, int]:
    """Rows of features and their width, found without a weight."""
    with torch.device("meta"):
        model = _created(name, photo)
    return model.patch_embed.num_patches, model.num_features


class VisionTransformer(nn.Module):
    """Pixels [B, 3, photo, photo], normalised by MEAN and STD, to the last layer's patches
    [B, cells, channels], frozen. Positions are stretched over a photo of another size than the
    weights know."""

    def __init__(self, name: str, weights: str, photo: int) -> None:
        super().__init__()
        file = DATA / weights
        if not weights or not file.is_file():
            raise SystemExit(f"backbone {name!r} needs `weights`, a file: {file} is none")
        overlay = {"file": str(file)}
        self.model = _created(name, photo, pretrained=True, pretrained_cfg_overlay=overlay)
        mean, std = (
            torch.tensor(self.model.pretrained_cfg[key]).view(3, 1, 1) for key in ("mean", "std")
        )
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.eval().requires_grad_(False)

    def forward(self, pixels: Tensor) -> Tensor:
        rows = self.model.forward_features((pixels * STD + MEAN - self.mean) / self.std)
        return rows[:, self.model.num_prefix_tokens :]
