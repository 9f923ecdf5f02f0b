"""One ResNet implementation for every encoder of the project.

The published networks differ in small ways that their checkpoints fix: the names of the stages, a bias in every
convolution or in none, the number of input planes, a stem of three convolutions, stages that widen their view by
dilation instead of a stride. Weights always come from a checkpoint; nothing is downloaded.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.blocks import conv_with_shared

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""The published networks see an RGB image in 0..1 normalised by these."""


class Pyramid(NamedTuple):
    """Features at 1/4, 1/8 and 1/16 of the image."""

    f4: Tensor
    f8: Tensor
    f16: Tensor


def _projection(in_channels: int, out_channels: int, stride: int, bias: bool) -> nn.Sequential:
    """The skip path of a block whose input does not have the output's shape."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=bias), nn.BatchNorm2d(out_channels))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions (ResNet-18 and -34).

    Args:
        dilations: of the first and of the second convolution.
        joins: the block is called with `shared` features, so its skip path is a projection whatever the shapes.
    """

    expansion: ClassVar[int] = 1
    reach: ClassVar[int] = 2
    """How many cells away a cell of the result still depends on the input, without stride and dilation."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        *,
        bias: bool = False,
        dilations: tuple[int, int] = (1, 1),
        joins: bool = False,
    ) -> None:
        super().__init__()
        first, second = dilations
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, first, first, bias=bias)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, second, second, bias=bias)
        self.bn2 = nn.BatchNorm2d(channels)
        same = stride == 1 and in_channels == channels and not joins
        self.downsample = None if same else _projection(in_channels, channels, stride, bias)

    def forward(self, x: Tensor, shared: Tensor | None = None) -> Tensor:
        """x [K, C, H, W], and what all K share, [1, S, H, W] (C + S = in_channels) -> [K, channels, H/s, W/s]."""
        y = F.relu_(self.bn1(conv_with_shared(self.conv1, x, shared)))
        y = self.bn2(self.conv2(y))
        if self.downsample is None:
            return F.relu_(y.add_(x))
        project, norm = self.downsample
        return F.relu_(y.add_(norm(conv_with_shared(project, x, shared))))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions (ResNet-50 and deeper); stride and the first of `dilations` are in the 3x3."""

    expansion: ClassVar[int] = 4

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        *,
        bias: bool = False,
        dilations: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=bias)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, dilations[0], dilations[0], bias=bias)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=bias)
        self.bn3 = nn.BatchNorm2d(out_channels)
        same = stride == 1 and in_channels == out_channels
        self.downsample = None if same else _projection(in_channels, out_channels, stride, bias)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu_(self.bn1(self.conv1(x)))
        y = F.relu_(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu_(y.add_(x if self.downsample is None else self.downsample(x)))


def _deep_stem(in_channels: int, width: int) -> nn.Sequential:
    """Three 3x3 convolutions in place of one of 7x7; the network's own `bn1` follows the last."""
    return nn.Sequential(
        nn.Conv2d(in_channels, width, 3, 2, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, 1, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, 1, 1, bias=False),
    )


class ResNet(nn.Module):
    """A ResNet from the stem to its last convolution: three stages down to 1/16, or four.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        depths: blocks per stage.
        widths: channels per stage, before the block's expansion; the first is the stem's too.
        in_channels: input planes.
        bias: give every convolution a bias.
        names: attribute names of the stages; by default `layer1`, `layer2`...
        dilations: of each stage, None for none. A stage with a dilation above 1 keeps the size of its input; its first
            block sees half as far as the others.
        deep_stem: begin with three small convolutions, twice as many channels coming out.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: Sequence[int],
        *,
        widths: Sequence[int] = (64, 128, 256),
        in_channels: int = 3,
        bias: bool = False,
        names: Sequence[str] | None = None,
        dilations: Sequence[int] | None = None,
        deep_stem: bool = False,
    ) -> None:
        super().__init__()
        channels = 2 * widths[0] if deep_stem else widths[0]
        self.conv1: nn.Module = (
            _deep_stem(in_channels, widths[0]) if deep_stem else nn.Conv2d(in_channels, channels, 7, 2, 3, bias=bias)
        )
        self.bn1 = nn.BatchNorm2d(channels)
        self._stages = tuple(names or (f"layer{number}" for number in range(1, len(depths) + 1)))
        for index, (name, depth, width) in enumerate(zip(self._stages, depths, widths, strict=True)):
            dilation = 1 if dilations is None else dilations[index]
            stride = 1 if index == 0 or dilation > 1 else 2
            blocks = [block(channels, width, stride, bias=bias, dilations=(max(1, dilation // 2), dilation))]
            channels = width * block.expansion
            blocks += [block(channels, width, bias=bias, dilations=(dilation, dilation)) for _ in range(depth - 1)]
            self.add_module(name, nn.Sequential(*blocks))

    def stages(self, x: Tensor) -> list[Tensor]:
        """x [B, in_channels, H, W] -> the output of every stage; the first is at 1/4."""
        return self.stages_after(F.relu_(self.bn1(self.conv1(x))))

    def stages_after(self, x: Tensor) -> list[Tensor]:
        """The same from what the stem gives, x [B, C, H/2, W/2]."""
        x = F.max_pool2d(x, 3, 2, 1)
        outputs = []
        for name in self._stages:
            x = self.get_submodule(name)(x)
            outputs.append(x)
        return outputs

    def forward(self, x: Tensor) -> Pyramid:
        """For a network of three stages without dilation. x [B, in_channels, H, W], H and W multiples of 16."""
        return Pyramid(*self.stages(x))


class NormalisingResNet(ResNet):
    """A ResNet whose file holds the colours' mean and deviation: it is given RGB in 0..1. Arguments as `ResNet`."""

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: Sequence[int],
        *,
        widths: Sequence[int] = (64, 128, 256),
        names: Sequence[str] | None = None,
    ) -> None:
        super().__init__(block, depths, widths=widths, names=names)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))

    def normalise(self, image: Tensor) -> Tensor:
        """[B, 3, H, W] in 0..1 -> the same with mean 0 and deviation 1, about."""
        return (image - self.mean) / self.std
