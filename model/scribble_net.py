"""S2M, scribble to mask: a DeepLabV3+ over image, previous mask and prompts, with the key names of `s2m.pth`.

Cheng, Tai, Tang: "Modular Interactive Video Object Segmentation", CVPR 2021, on Chen et al.: "Encoder-Decoder with
Atrous Separable Convolution for Semantic Image Segmentation", ECCV 2018. One object per row. Networks only, tensors in
and out.
"""
from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.aspp import ASPP, conv_norm_relu
from model.checkpoint import load_into, load_state
from model.encoders import IMAGENET_MEAN, IMAGENET_STD, Bottleneck, ResNet

IMAGE_MEAN, IMAGE_STD = IMAGENET_MEAN, IMAGENET_STD
"""An RGB image in 0..1 is normalised by these BEFORE it is padded (with zeros) to a multiple of 16."""

MULTIPLE = 16


def _resized(x: Tensor, like: Tensor) -> Tensor:
    """Bilinear to the rows and columns of `like`, pixel areas aligned (not corners)."""
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)


class DeepLabHead(nn.Module):
    """Features at 1/16 seen at several distances, joined with features at 1/4 for the outline."""

    def __init__(self, low_channels: int, high_channels: int) -> None:
        super().__init__()
        self.project = conv_norm_relu(low_channels, 48)
        self.aspp = ASPP(high_channels, 256, (6, 12, 18))
        self.classifier = nn.Sequential(*conv_norm_relu(48 + 256, 256, 3), nn.Conv2d(256, 1, 1))

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """low [B, low_channels, H/4, W/4], high [B, high_channels, H/16, W/16] -> logits [B, 1, H/4, W/4]."""
        outline = self.project(low)
        return self.classifier(torch.cat([outline, _resized(self.aspp(high), outline)], 1))


class ScribbleNet(nn.Module):
    """The network of `s2m.pth` (368 tensors)."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = ResNet(
            Bottleneck, (3, 4, 6, 3), widths=(64, 128, 256, 512), in_channels=6, dilations=(1, 1, 1, 2)
        )
        self.classifier = DeepLabHead(256, 2048)

    def forward(self, image: Tensor, previous: Tensor, hints: Tensor) -> Tensor:
        """Segment one object per row.

        Args:
            image: [B, 3, H, W], normalised and padded, H and W multiples of 16.
            previous: [B, 1, H, W] 0/1, the object before these prompts; zeros where there is none.
            hints: [B, 2, H, W] 0/1, pixels that positive and negative prompts cover.

        Returns:
            float32 [B, H, W] logits of the object.
        """
        low, _, _, high = self.backbone.stages(torch.cat([image, previous, hints], 1))
        return _resized(self.classifier(low, high).float(), image)[:, 0]


def load_scribble_net(path: Path) -> ScribbleNet:
    """The network of a published file; in eval mode, on the CPU, float32.

    Raises:
        AppError: the file cannot be read or holds something else.
    """
    network = ScribbleNet()
    load_into(network, load_state(path), path)
    return network.eval().requires_grad_(False)
