"""From what the memory returned to object logits: the decoder that STM and STCN share."""
from __future__ import annotations

from typing import Protocol

import torch.nn.functional as F
from torch import Tensor, nn

from model.blocks import ResidualBlock, conv3x3, upsample


class DecoderFeatures(Protocol):
    """What a frame itself brings to the decoder; B = 1."""

    @property
    def thin(self) -> Tensor:
        """[1, 512, H/16, W/16], half of the decoder's input."""

    @property
    def f8(self) -> Tensor:
        """[1, 512, H/8, W/8]."""

    @property
    def f4(self) -> Tensor:
        """[1, 256, H/4, W/4]."""


class UpsampleBlock(nn.Module):
    """Doubles the resolution and adds the frame's features of that resolution."""

    def __init__(self, skip_channels: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.skip_conv = conv3x3(skip_channels, in_channels)
        self.out_conv = ResidualBlock(in_channels, out_channels)

    def forward(self, skip: Tensor, x: Tensor) -> Tensor:
        """skip [1, skip_channels, 2h, 2w] of the frame, x [K, in_channels, h, w] -> [K, out_channels, 2h, 2w]."""
        return self.out_conv(self.skip_conv(skip) + upsample(x, 2))


class RefinedUpsampleBlock(nn.Module):
    """The same with a residual block on the way of the frame's features (STM)."""

    def __init__(self, skip_channels: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.skip_conv1 = conv3x3(skip_channels, in_channels)
        self.skip_conv2 = ResidualBlock(in_channels, in_channels)
        self.out_conv = ResidualBlock(in_channels, out_channels)

    def forward(self, skip: Tensor, x: Tensor) -> Tensor:
        """See `UpsampleBlock`."""
        return self.out_conv(self.skip_conv2(self.skip_conv1(skip)) + upsample(x, 2))


class Decoder(nn.Module):
    """Args: block: how the frame's features join at 1/8 and 1/4."""

    def __init__(self, block: type[UpsampleBlock] | type[RefinedUpsampleBlock]) -> None:
        super().__init__()
        self.compress = ResidualBlock(1024, 512)
        self.up_16_8 = block(512, 512, 256)
        self.up_8_4 = block(256, 256, 256)
        self.pred = nn.Conv2d(256, 1, 3, padding=1)

    def forward(self, readout: Tensor, features: DecoderFeatures) -> Tensor:
        """readout [K, 512, H/16, W/16] and features of the same frame -> float32 logits [K, H, W]."""
        x = self.compress(readout, features.thin)
        x = self.up_16_8(features.f8, x)
        x = self.up_8_4(features.f4, x)
        return upsample(self.pred(F.relu(x)).float(), 4)[:, 0]
