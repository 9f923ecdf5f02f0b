"""The light interaction network: an image, the object so far and prompts become the object. This project's own.

One network for clicks and scribbles: prompts are pixels that are inside or outside, whatever drew them. Built for a
window of about 256 pixels around the object, where a pass takes a few hundredths of a second on a CPU.
"""
from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.blocks import upsample
from model.checkpoint import load_into, load_state
from model.encoders import BasicBlock, ResNet
from model.light import IMAGE_MEAN, IMAGE_STD, LightNet

__all__ = ["IMAGE_MEAN", "IMAGE_STD", "InteractionNet", "load_interaction_net"]

_PLANES = 6
"""Colours, the previous mask, positive and negative prompts."""
_CONTEXT = 192
_WIDTHS = (64, 128, 256)
_DETAIL = 16


class InteractionNet(nn.Module):
    """An encoder to 1/32 with a summary of the whole window, and a decoder that returns to 1/2 of the image."""

    def __init__(self) -> None:
        super().__init__()
        c4, c8, c16 = _WIDTHS
        self.encoder = ResNet(BasicBlock, (2, 2, 2), widths=_WIDTHS, in_channels=_PLANES)
        self.context = BasicBlock(c16, _CONTEXT, 2)
        self.summary = nn.Linear(_CONTEXT, _CONTEXT)
        self.context_lateral = nn.Conv2d(_CONTEXT, 128, 1)
        self.lateral16 = nn.Conv2d(c16, 128, 1)
        self.block16 = BasicBlock(128, 128)
        self.lateral8 = nn.Conv2d(c8, 64, 1)
        self.reduce8 = nn.Conv2d(128, 64, 1)
        self.block8 = BasicBlock(64, 64)
        self.lateral4 = nn.Conv2d(c4, 64, 1)
        self.block4 = BasicBlock(64, 32)
        fine = nn.Conv2d(_PLANES, _DETAIL, 3, 2, 1, bias=False)
        self.detail = nn.Sequential(fine, nn.BatchNorm2d(_DETAIL), nn.ReLU())
        self.block2 = BasicBlock(32 + _DETAIL, _DETAIL)
        self.pred = nn.Conv2d(_DETAIL, 1, 3, padding=1)

    def forward(self, image: Tensor, previous: Tensor, hints: Tensor) -> Tensor:
        """Segment one window per row.

        Args:
            image: [B, 3, H, W], normalised; H and W multiples of 32.
            previous: [B, 1, H, W] 0/1, the object before the latest prompt; zeros where there is none.
            hints: [B, 2, H, W] 0/1, pixels that positive and negative prompts cover.

        Returns:
            float32 [B, H, W] logits of the object.
        """
        planes = torch.cat([image, previous, hints], 1)
        f4, f8, f16 = self.encoder(planes)
        context = self.context(f16)
        context = context + self.summary(context.mean((2, 3)))[:, :, None, None]
        x = self.block16(F.relu(self.lateral16(f16) + upsample(self.context_lateral(context), 2)))
        x = self.block8(F.relu(self.lateral8(f8) + upsample(self.reduce8(x), 2)))
        x = self.block4(F.relu(self.lateral4(f4) + upsample(x, 2)))
        x = self.block2(torch.cat([upsample(x, 2), self.detail(planes)], 1))
        return upsample(self.pred(x).float(), 2)[:, 0]

    def start_from(self, light: LightNet) -> None:
        """Take over the image encoder of a propagation network; planes it does not know start without effect."""
        source = light.key_encoder.state_dict()
        stem = self.encoder.conv1.weight.detach().clone()
        stem[:, :3] = source["conv1.weight"]
        stem[:, 3:] = 0
        self.encoder.load_state_dict(source | {"conv1.weight": stem})


def load_interaction_net(path: Path) -> InteractionNet:
    """The network of a weight file; in eval mode, on the CPU, float32. AppError if the file holds something else."""
    network = InteractionNet()
    load_into(network, load_state(path), path)
    return network.eval().requires_grad_(False)
