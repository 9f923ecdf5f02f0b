"""AFB-URR: keys and values like STM's, and a decoder that looks twice where objects are hard to tell apart.

Liang, Li, Jafari, Chen: "Video Object Segmentation with Adaptive Feature Bank and Uncertain-Region Refinement",
NeurIPS 2020, with the key names of its published checkpoints. The background is an object like any other: channel 0
wherever objects are counted, so K objects here include it. The bank itself is `inference_core.feature_bank`.

Networks only: one frame in, tensors out. Frames are RGB in 0..1, padded with zeros BEFORE the network normalises them.
"""
from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.blocks import ResidualBlock, conv3x3, conv_with_shared, upsample
from model.checkpoint import load_into, load_state
from model.encoders import Bottleneck, NormalisingResNet
from model.folding import fold_batch_norm

EPSILON = 1e-7
"""Probabilities are kept so far from 0 and 1 before they become logits."""
_NAMES = ("res2", "res3", "res4")
_WINDOW = 7
"""Side of the neighbourhood, at half resolution, from which a pixel's object is told anew."""


class QueryFeatures(NamedTuple):
    """What a frame gives without any mask; B = 1."""

    key: Tensor
    """[1, 128, H/16, W/16], compared with the keys in the bank."""
    value: Tensor
    """[1, 512, H/16, W/16], the frame's own value: half of the decoder's input."""
    f8: Tensor
    """[1, 512, H/8, W/8]."""
    f4: Tensor
    """[1, 256, H/4, W/4]."""
    f2: Tensor
    """[1, 64, H/2, W/2], for the refinement."""


class MemoryEntry(NamedTuple):
    """What the bank is given of a frame, for each of K objects."""

    key: Tensor
    """[K, 128, H/16, W/16]."""
    value: Tensor
    """[K, 512, H/16, W/16]."""


class MemoryEncoder(NormalisingResNet):
    """A frame with one object's mask and the inverse of that mask; the three meet behind the first convolution."""

    def __init__(self) -> None:
        super().__init__(Bottleneck, (3, 4, 6), names=_NAMES)
        self.conv1_m = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
        self.conv1_o = nn.Conv2d(1, 64, 7, 2, 3, bias=False)

    def encode(self, image: Tensor, masks: Tensor) -> Tensor:
        """image [1, 3, H, W] in 0..1, masks [K, H, W] -> [K, 1024, H/16, W/16]."""
        own = self.conv1_m(masks[:, None]) + self.conv1_o((1 - masks[:, None]).clamp(0, 1))
        stem = F.relu(self.bn1(self.conv1(self.normalise(image)) + own))
        return self.stages_after(stem)[-1]


class KeyValue(nn.Module):
    """Key and value from features at 1/16; the memory and the query share it."""

    def __init__(self) -> None:
        super().__init__()
        self.Key = conv3x3(1024, 128)
        self.Value = conv3x3(1024, 512)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.Key(x), self.Value(x)


class Refine(nn.Module):
    """Doubles the resolution and adds the frame's features of that resolution."""

    def __init__(self, frame_channels: int, channels: int) -> None:
        super().__init__()
        self.convFS = conv3x3(frame_channels, channels)
        self.ResFS = ResidualBlock(channels, channels)
        self.ResMM = ResidualBlock(channels, channels)

    def forward(self, frame: Tensor, x: Tensor) -> Tensor:
        """frame [1, frame_channels, 2h, 2w], x [K, channels, h, w] -> [K, channels, 2h, 2w]."""
        return self.ResMM(self.ResFS(self.convFS(frame)) + upsample(x, 2))


class Decoder(nn.Module):
    """A rough answer at 1/4, then the uncertain pixels again at 1/2, told by their neighbourhood."""

    def __init__(self) -> None:
        super().__init__()
        self.convFM = conv3x3(1024, 256)
        self.ResMM = ResidualBlock(256, 256)
        self.RF3 = Refine(512, 256)
        self.RF2 = Refine(256, 256)
        self.pred2 = conv3x3(256, 2)
        self.local_convFM = conv3x3(128, 32)
        self.local_ResMM = ResidualBlock(32, 32)
        self.local_pred2 = conv3x3(32, 2)

    def forward(self, read: Tensor, features: QueryFeatures) -> Tensor:
        """read [K, 512, H/16, W/16] and features of the same frame -> probability of each object, float32 [K, H, W]."""
        x = self.ResMM(conv_with_shared(self.convFM, read, features.value))
        x = self.RF2(features.f4, self.RF3(features.f8, x))
        pair = upsample(self.pred2(F.relu(x)).float(), 2)
        rough = pair.softmax(1)[:, 1].softmax(0)  # over probabilities, not logits: as it was trained
        pair = pair + uncertainty(rough) * self._refined(features.f2, rough[:, None])
        return upsample(pair, 2).softmax(1)[:, 1]

    def _refined(self, frame: Tensor, rough: Tensor) -> Tensor:
        """What to add: frame [1, 64, h, w], rough [K, 1, h, w] -> [K, 2, h, w], little where the object is not near."""
        pad = _WINDOW // 2
        amount = F.avg_pool2d(rough, _WINDOW, 1, pad)
        typical = F.avg_pool2d(frame * rough, _WINDOW, 1, pad) / (amount + 1e-8)
        own = frame.expand(len(rough), -1, -1, -1)
        x = self.local_ResMM(self.local_convFM(torch.cat([own, typical], 1)))
        return F.max_pool2d(rough, _WINDOW, 1, pad) * self.local_pred2(F.relu(x)).float()


def uncertainty(prob: Tensor) -> Tensor:
    """How near the second best of at least two objects is: prob [K, H, W] -> [H, W], 1 where two are equal."""
    best, second = prob.topk(2, 0).values
    return torch.exp(1 - best / (second + 1e-8))


class AfbUrr(nn.Module):
    """The network of the published checkpoints (562 tensors)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder_m = MemoryEncoder()
        self.encoder_q = NormalisingResNet(Bottleneck, (3, 4, 6), names=_NAMES)
        self.keyval_r4 = KeyValue()
        self.decoder = Decoder()

    def encode_query(self, image: Tensor) -> QueryFeatures:
        """image [1, 3, H, W] in 0..1, padded, H and W multiples of 16."""
        encoder = self.encoder_q
        f2 = F.relu(encoder.bn1(encoder.conv1(encoder.normalise(image))))
        f4, f8, f16 = encoder.stages_after(f2)
        return QueryFeatures(*self.keyval_r4(f16), f8, f4, f2)

    def encode_memory(self, image: Tensor, masks: Tensor) -> MemoryEntry:
        """image as given to `encode_query`, masks [K, H, W] soft or hard, 0..1."""
        return MemoryEntry(*self.keyval_r4(self.encoder_m.encode(image, masks)))

    def decode(self, read: Tensor, features: QueryFeatures) -> Tensor:
        """Scores of the objects from what the bank returned.

        Args:
            read: [K, 512, H/16, W/16], the background's first.
            features: of the same frame.

        Returns:
            float32 [K, H, W] logits of independent probabilities; a softmax over the objects gives the distribution.
        """
        return torch.logit(self.decoder(read, features), EPSILON)


def folded(network: AfbUrr) -> AfbUrr:
    """Batch norms folded into their convolutions, in place, for inference.

    The memory encoder's first one stays: it follows the sum of three convolutions.
    """
    fold_batch_norm(network.encoder_q)
    for name in _NAMES:
        fold_batch_norm(network.encoder_m.get_submodule(name))
    return network


def load_afb_urr(path: Path) -> AfbUrr:
    """The network of a published file; in eval mode, on the CPU, float32. Tensors it does not know are left out.

    Raises:
        AppError: the file cannot be read or holds something else.
    """
    network = AfbUrr()
    load_into(network, load_state(path), path, may_have=None)
    return network.eval().requires_grad_(False)
