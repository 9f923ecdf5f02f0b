"""Building blocks of the STM/STCN family. Attribute names are fixed by the published checkpoints."""
from __future__ import annotations

from collections import OrderedDict
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.winograd import WinogradConv


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


def upsample(x: Tensor, scale: int) -> Tensor:
    """Bilinear enlargement with pixel areas aligned (not corners)."""
    return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)


def conv_with_shared(conv: nn.Conv2d | WinogradConv, own: Tensor, shared: Tensor | None) -> Tensor:
    """`conv(cat([own, shared], 1))`, with the part that all objects have in common computed once.

    A convolution is linear in its input channels, so the frame's features, which are the same for every object, need
    not be convolved once per object; they are most of the channels where objects meet the frame.

    Args:
        conv: convolution over C + S channels, the per-object ones first.
        own: [K, C, H, W], one per object.
        shared: [1, S, H, W], of the frame; None when S = 0.

    Returns:
        [K, out_channels, ...].
    """
    if shared is None:
        return conv(own)
    if isinstance(conv, WinogradConv):
        return conv.with_shared(own, shared)
    weight_own, weight_shared = conv.weight.split([own.shape[1], shared.shape[1]], 1)
    common = F.conv2d(shared, weight_shared, conv.bias, conv.stride, conv.padding, conv.dilation)
    return F.conv2d(own, weight_own, None, conv.stride, conv.padding, conv.dilation) + common


class ResidualBlock(nn.Module):
    """Pre-activation block of two 3x3 convolutions, without normalisation."""

    reach: ClassVar[int] = 2
    """How many cells away a cell of the result still depends on the input."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.downsample = None if in_channels == out_channels else conv3x3(in_channels, out_channels)
        self.conv1 = conv3x3(in_channels, out_channels)
        self.conv2 = conv3x3(out_channels, out_channels)

    def forward(self, x: Tensor, shared: Tensor | None = None) -> Tensor:
        """x [K, C, H, W] and what all objects share, [1, S, H, W] (C + S = in_channels) -> [K, out_channels, H, W].

        Sharing needs a block with different numbers of input and output channels.
        """
        active = None if shared is None else F.relu(shared)
        residual = self.conv2(F.relu(conv_with_shared(self.conv1, F.relu(x), active)))
        # The skip path takes the input as it is: only the residual path is activated.
        return residual + (x if self.downsample is None else conv_with_shared(self.downsample, x, shared))


class ChannelGate(nn.Module):
    """Weighs channels by what their average and their maximum over the image say."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = channels // reduction
        self.mlp = nn.Sequential(nn.Flatten(), nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.mlp(F.adaptive_avg_pool2d(x, 1)) + self.mlp(F.adaptive_max_pool2d(x, 1))
        return x * weight.sigmoid()[:, :, None, None]


class SpatialGate(nn.Module):
    """Weighs places by the maximum and the average over the channels, in this order."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial = nn.Sequential(OrderedDict(conv=nn.Conv2d(2, 1, 7, padding=3)))

    def forward(self, x: Tensor) -> Tensor:
        summary = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
        return x * self.spatial(summary).sigmoid()


class BlockAttention(nn.Module):
    """CBAM: channel gate, then spatial gate."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ChannelGate = ChannelGate(channels)
        self.SpatialGate = SpatialGate()

    def forward(self, x: Tensor) -> Tensor:
        return self.SpatialGate(self.ChannelGate(x))


class FeatureFusion(nn.Module):
    """Joins the features of an object's mask with the features of the frame."""

    def __init__(self, object_channels: int, frame_channels: int, out_channels: int, *, attention: bool) -> None:
        super().__init__()
        self.block1 = ResidualBlock(object_channels + frame_channels, out_channels)
        self.attention = BlockAttention(out_channels) if attention else None
        self.block2 = ResidualBlock(out_channels, out_channels)

    def forward(self, x: Tensor, frame: Tensor) -> Tensor:
        """x [K, object_channels, h, w], frame [1, frame_channels, h, w] -> [K, out_channels, h, w]."""
        y = self.block1(x, frame)
        return self.block2(y if self.attention is None else y + self.attention(y))
