"""The light fusion network: chooses between two results pixel by pixel, with sight of the whole object. Our own.

It has the inputs of the published one (Cheng, Tai, Tang: "Modular Interactive Video Object Segmentation", CVPR 2021),
which sees 13 pixels around each; which of two results is right shows in the shape of the parts on which they differ.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.blocks import upsample
from model.encoders import BasicBlock
from model.fusion_net import NEW, OLD, OLD_DISTANCE, PLANES, planes_of

_WIDTHS = (16, 32, 48, 64)
_DIVISOR = 16
_SURE = 1e-3
"""Probabilities are kept this far from 0 and 1: what both networks are sure of can still be overruled."""


class LightFusionNet(nn.Module):
    """An encoder to 1/16 and a decoder back to 1/2, which say for every pixel how much either result counts.

    It chooses and does no more: one that could also add to the log-odds of both won a little more on most clips, and on
    one made a mask far worse than either.
    """

    def __init__(self) -> None:
        super().__init__()
        c2, c4, c8, c16 = _WIDTHS
        self.stem = _layer(PLANES, c2, stride=2)
        self.down4 = BasicBlock(c2, c4, 2)
        self.down8 = BasicBlock(c4, c8, 2)
        self.down16 = BasicBlock(c8, c16, 2)
        self.up8 = _layer(c16 + c8, c8)
        self.up4 = _layer(c8 + c4, c4)
        self.up2 = _layer(c4 + c2, c2)
        self.choice = nn.Conv2d(c2 + PLANES, 1, 3, padding=1)
        # Training starts from log-odds weighed by distance.
        nn.init.zeros_(self.choice.weight)
        nn.init.zeros_(self.choice.bias)

    def forward(
        self, image: Tensor, old: Tensor, new: Tensor, attention: Tensor, old_distance: float, new_distance: float
    ) -> Tensor:
        """As `FusionNet.forward`: float32 [K, H, W] logits of the fused objects."""
        return self.fused(planes_of(image, old, new, attention, old_distance, new_distance))

    def fused(self, planes: Tensor) -> Tensor:
        """Fuse objects that may be of different frames: [K, PLANES, H, W] (`planes_of`) -> float32 [K, H, W] logits."""
        height, width = planes.shape[2:]
        x = F.pad(planes, (0, -width % _DIVISOR, 0, -height % _DIVISOR)).contiguous(memory_format=torch.channels_last)
        f2 = self.stem(x)
        f4 = self.down4(f2)
        f8 = self.down8(f4)
        y = self.up8(torch.cat([upsample(self.down16(f8), 2), f8], 1))
        y = self.up4(torch.cat([upsample(y, 2), f4], 1))
        y = self.up2(torch.cat([upsample(y, 2), f2], 1))
        choice = self.choice(torch.cat([upsample(y, 2), x], 1))[..., :height, :width].float()
        # The farther the old key frame, the more the new result counts to begin with.
        old, new, by_distance = (torch.logit(planes[:, i].float(), _SURE) for i in (OLD, NEW, OLD_DISTANCE))
        share = torch.sigmoid(by_distance + choice[:, 0])
        return torch.lerp(old, new, share)


def _layer(in_channels: int, channels: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU())
