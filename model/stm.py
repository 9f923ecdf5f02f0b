"""STM: space-time memory network, with the key names of the published `propagation_model.pth` (MiVOS).

Oh, Lee, Xu, Kim: "Video Object Segmentation using Space-Time Memory Networks", ICCV 2019, in the form of Cheng, Tai,
Tang: "Modular Interactive Video Object Segmentation", CVPR 2021. Unlike STCN a memory key depends on the object's mask,
so that every object has keys of its own. Networks only: one frame in, tensors out.
"""
from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.blocks import conv3x3
from model.checkpoint import load_into, load_state
from model.decoder import Decoder, RefinedUpsampleBlock
from model.encoders import IMAGENET_MEAN, IMAGENET_STD, Bottleneck, ResNet
from model.window import Window

IMAGE_MEAN, IMAGE_STD = IMAGENET_MEAN, IMAGENET_STD
"""An RGB image in 0..1 is normalised by these BEFORE it is padded (with zeros) to a multiple of 16."""


class QueryFeatures(NamedTuple):
    """What a frame gives without any mask; B is 1 at inference."""

    key: Tensor
    """[B, 128, H/16, W/16], compared with the keys in memory."""
    thin: Tensor
    """[B, 512, H/16, W/16], the frame's own value: half of the decoder's input."""
    f8: Tensor
    """[B, 512, H/8, W/8]."""
    f4: Tensor
    """[B, 256, H/4, W/4]."""


class MemoryEntry(NamedTuple):
    """What the memory stores of a frame, for each of K objects."""

    key: Tensor
    """[K, 128, H/16, W/16]."""
    value: Tensor
    """[K, 512, H/16, W/16]."""


class KeyValue(nn.Module):
    """Key and value from features at 1/16."""

    def __init__(self) -> None:
        super().__init__()
        self.key_proj = conv3x3(1024, 128)
        self.val_proj = conv3x3(1024, 512)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.key_proj(x), self.val_proj(x)


class STM(nn.Module):
    """The network of `propagation_model.pth` (597 tensors)."""

    def __init__(self) -> None:
        super().__init__()
        self.mask_rgb_encoder = ResNet(Bottleneck, (3, 4, 6), in_channels=5, bias=True)
        self.rgb_encoder = ResNet(Bottleneck, (3, 4, 6), names=("res2", "layer2", "layer3"))
        self.kv_m_f16 = KeyValue()
        self.kv_q_f16 = KeyValue()
        self.decoder = Decoder(RefinedUpsampleBlock)

    def encode_query(self, image: Tensor) -> QueryFeatures:
        """image [B, 3, H, W], normalised and padded, H and W multiples of 16."""
        f4, f8, f16 = self.rgb_encoder(image)
        return QueryFeatures(*self.kv_q_f16(f16), f8, f4)

    def encode_memory(self, image: Tensor, masks: Tensor, others: Tensor) -> MemoryEntry:
        """What the memory stores for each object.

        Args:
            image: [1, 3, H, W] as given to `encode_query`.
            masks: [K, H, W] soft or hard mask of each object, 0..1.
            others: [K, H, W] sum of the masks of the other objects, not clamped.
        """
        planes = torch.cat([image.expand(len(masks), -1, -1, -1), torch.stack([masks, others], 1)], 1)
        return MemoryEntry(*self.kv_m_f16(self.mask_rgb_encoder(planes).f16))

    def reach(self, window: Window) -> Window:
        """The cells of 1/16 on whose readout the logits of a window of such cells depend."""
        return self.decoder.reach(window)

    def decode(self, readout: Tensor, features: QueryFeatures, window: Window | None = None) -> Tensor:
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


def load_stm(path: Path) -> STM:
    """The network of a published file; in eval mode, on the CPU, float32.

    Raises:
        AppError: the file cannot be read or holds something else.
    """
    network = STM()
    load_into(network, load_state(path), path)
    return network.eval().requires_grad_(False)
