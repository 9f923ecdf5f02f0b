"""STCN: space-time correspondence network, with the key names of the published `stcn.pth`.

Networks only: one frame in, tensors out. The memory and the loop over frames are in `inference_core`.
"""
from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.blocks import FeatureFusion, conv3x3
from model.checkpoint import load_into, load_state
from model.decoder import Decoder, UpsampleBlock
from model.encoders import IMAGENET_MEAN, IMAGENET_STD, BasicBlock, Bottleneck, ResNet
from model.window import Window

IMAGE_MEAN, IMAGE_STD = IMAGENET_MEAN, IMAGENET_STD
"""An RGB image in 0..1 is normalised by these BEFORE it is padded (with zeros) to a multiple of 16."""


class KeyFeatures(NamedTuple):
    """What a frame gives without any mask; B is 1 at inference."""

    key: Tensor
    """[B, 64, H/16, W/16], compared with the keys in memory."""
    thin: Tensor
    """[B, 512, H/16, W/16], the frame's own part of the decoder's input."""
    f16: Tensor
    """[B, 1024, H/16, W/16]."""
    f8: Tensor
    """[B, 512, H/8, W/8]."""
    f4: Tensor
    """[B, 256, H/4, W/4]."""


class ValueEncoder(ResNet):
    """ResNet-18 over image, mask and other masks, joined with the frame's key features."""

    def __init__(self, *, attention: bool) -> None:
        super().__init__(BasicBlock, (2, 2, 2), in_channels=5, bias=True)
        self.fuser = FeatureFusion(256, 1024, 512, attention=attention)

    def encode(self, image: Tensor, f16: Tensor, masks: Tensor, others: Tensor) -> Tensor:
        planes = torch.cat([image.expand(len(masks), -1, -1, -1), torch.stack([masks, others], 1)], 1)
        return self.fuser(self(planes).f16, f16)


class STCN(nn.Module):
    """The network of `stcn.pth` (405 tensors).

    Args:
        attention: False for the published variant without block attention in the value encoder (399 tensors).
    """

    def __init__(self, *, attention: bool = True) -> None:
        super().__init__()
        self.value_encoder = ValueEncoder(attention=attention)
        self.key_encoder = ResNet(Bottleneck, (3, 4, 6), names=("res2", "layer2", "layer3"))
        self.key_proj = nn.Sequential(OrderedDict(key_proj=conv3x3(1024, 64)))
        self.key_comp = conv3x3(1024, 512)
        self.decoder = Decoder(UpsampleBlock)

    def encode_key(self, image: Tensor) -> KeyFeatures:
        """image [B, 3, H, W], normalised and padded, H and W multiples of 16."""
        f4, f8, f16 = self.key_encoder(image)
        return KeyFeatures(self.key_proj(f16), self.key_comp(f16), f16, f8, f4)

    def encode_value(self, image: Tensor, f16: Tensor, masks: Tensor, others: Tensor) -> Tensor:
        """What the memory stores for each object.

        Args:
            image: [1, 3, H, W] as given to `encode_key`.
            f16: [1, 1024, H/16, W/16] of the same frame.
            masks: [K, H, W] soft or hard mask of each object, 0..1.
            others: [K, H, W] sum of the masks of the other objects, not clamped.

        Returns:
            [K, 512, H/16, W/16].
        """
        return self.value_encoder.encode(image, f16, masks, others)

    def reach(self, window: Window) -> Window:
        """The cells of 1/16 on whose readout the logits of a window of such cells depend."""
        return self.decoder.reach(window)

    def decode(self, readout: Tensor, features: KeyFeatures, window: Window | None = None) -> Tensor:
        """Object logits from what the memory returned.

        Args:
            readout: [K, 512, H/16, W/16], or of a window's `reach`.
            features: of the same frame, B = 1.
            window: in cells of 1/16, where the logits are wanted; None: everywhere.

        Returns:
            float32 [K, H, W], or the pixels of the window; a sigmoid gives each object's probability, independent of
            the others.
        """
        return self.decoder(readout, features, window)


def load_stcn(path: Path) -> STCN:
    """The network of a published file, with or without block attention; in eval mode, on the CPU, float32.

    Raises:
        AppError: the file cannot be read or holds something else.
    """
    state = load_state(path)
    has_fuser = "value_encoder.fuser.block1.conv1.weight" in state
    has_attention = any(key.startswith("value_encoder.fuser.attention.") for key in state)
    network = STCN(attention=has_attention or not has_fuser)
    load_into(network, state, path)
    return network.eval().requires_grad_(False)
