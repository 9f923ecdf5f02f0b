"""The light network: space-time correspondence at stride 8, small enough for a CPU. This project's own.

It differs from STCN in what a small network needs: keys and values at 1/8 with the 1/16 features merged in, and a
decoder that also sees the masks of the previous frame. Networks only: one frame in, tensors out.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.blocks import upsample
from model.checkpoint import load_into, load_state
from model.encoders import BasicBlock, ResNet
from model.window import Window
from util.types import Size

IMAGE_MEAN = (0.45, 0.45, 0.45)
IMAGE_STD = (0.25, 0.25, 0.25)
"""An RGB image in 0..1 is normalised by these; it is padded to a multiple of 16 by repeating its border."""

KEY_CHANNELS = 64
VALUE_CHANNELS = 128
_DECODER_CHANNELS = 128
_STEM_CHANNELS = 64


class LightFeatures(NamedTuple):
    """What a frame gives without any mask; B is 1 at inference."""

    key: Tensor
    """float32 [B, 64, H/8, W/8], compared with the keys in memory."""
    f8: Tensor
    """[B, 128, H/8, W/8], with the context of f16 merged in."""
    f16: Tensor
    """[B, 256, H/16, W/16]."""
    f4: Tensor
    """[B, 64, H/4, W/4]."""


@dataclass(frozen=True)
class _Levels:
    """What the decoder computes at each resolution so that the logits of a window are exact."""

    fuse: Window
    """At 1/16, of what `decode_fuse` is given."""
    fused: Window
    context: Window
    joined: Window
    """At 1/8, where the context comes back."""
    out: Window
    """At 1/4."""
    pred: Window

    @classmethod
    def below(cls, window: Window) -> _Levels:
        """For a window in cells of 1/16."""
        pred = window.finer(16).source(4)
        out = pred.grown(1)
        joined = out.grown(BasicBlock.reach).source(2)
        context = joined.source(2)
        fused = context.grown(BasicBlock.reach)
        return cls(fused.grown(BasicBlock.reach), fused, context, joined, out, pred)

    @property
    def read(self) -> Window:
        """At 1/8: what the memory has to be read for."""
        return self.fuse.finer(2).grown(BasicBlock.reach)


class LightNet(nn.Module):
    """Key encoder, value encoder and decoder.

    Args:
        width: scales the channels of the key encoder (64, 128 and 256 at 1); a multiple of 1/8.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        c4, c8, c16 = (round(channels * width) for channels in (_STEM_CHANNELS, 128, 256))
        v4, v8, v16 = 32, 64, 128
        d8, d4 = _DECODER_CHANNELS, 64
        self.key_encoder = ResNet(BasicBlock, (2, 2, 2), widths=(c4, c8, c16))
        self.key_lateral = nn.Conv2d(c16, c8, 1)
        self.key_merge = BasicBlock(c8, c8)
        self.key_proj = nn.Conv2d(c8, KEY_CHANNELS, 3, padding=1)
        self.value_encoder = ResNet(BasicBlock, (1, 1, 1), widths=(v4, v8, v16), in_channels=5)
        self.value_lateral = nn.Conv2d(v16, v8, 1)
        self.value_fuse = BasicBlock(v8 + c8, VALUE_CHANNELS, joins=True)
        self.value_out = BasicBlock(VALUE_CHANNELS, VALUE_CHANNELS)
        # Where a block meets features of the frame, the per-object channels come first (`conv_with_shared`).
        self.decode_in = BasicBlock(VALUE_CHANNELS + 2 + c8, d8, joins=True)
        self.decode_fuse = BasicBlock(d8 + c16, d8, joins=True)
        self.decode_context = BasicBlock(d8, d8)
        self.decode_skip = nn.Conv2d(c4, d8, 1)
        self.decode_out = BasicBlock(d8, d4)
        self.pred = nn.Conv2d(d4, 1, 3, padding=1)
        self._initialise()

    def _initialise(self) -> None:
        """Start training from residual blocks that pass their input on, and from keys that keep distances."""
        for module in self.modules():
            if isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
        nn.init.orthogonal_(self.key_proj.weight)
        nn.init.zeros_(self.key_proj.bias)

    def encode_key(self, image: Tensor) -> LightFeatures:
        """image [B, 3, H, W], normalised and padded, H and W multiples of 16."""
        f4, f8, f16 = self.key_encoder(image)
        f8 = self.key_merge(F.relu(f8 + upsample(self.key_lateral(f16), 2)))
        return LightFeatures(self.key_proj(f8).float(), f8, f16, f4)

    def encode_value(self, image: Tensor, features: LightFeatures, masks: Tensor, others: Tensor) -> Tensor:
        """What the memory stores for each object.

        Args:
            image: [1, 3, H, W] as given to `encode_key`.
            features: of the same frame, B = 1.
            masks: [K, H, W] soft or hard mask of each object, 0..1.
            others: [K, H, W] sum of the masks of the other objects.

        Returns:
            [K, 128, H/8, W/8].
        """
        planes = torch.cat([image.expand(len(masks), -1, -1, -1), torch.stack([masks, others], 1)], 1)
        _, v8, v16 = self.value_encoder(planes)
        x = F.relu(v8 + upsample(self.value_lateral(v16), 2))
        return self.value_out(self.value_fuse(x, features.f8))

    @staticmethod
    def reach(window: Window) -> Window:
        """The cells of 1/8 on whose readout the logits of a window of cells of 1/16 depend: 14 more on every side."""
        return _Levels.below(window).read

    def decode(
        self,
        readout: Tensor,
        features: LightFeatures,
        previous: Tensor,
        previous_others: Tensor,
        window: Window | None = None,
    ) -> Tensor:
        """Object logits from what the memory returned and where the objects were last.

        Args:
            readout: [K, 128, H/8, W/8], or of a window's `reach`.
            features: of the same frame, B = 1.
            previous: [K, H, W] soft mask of each object on the frame before (in the direction of the pass).
            previous_others: [K, H, W] sum of the masks of the other objects there.
            window: in cells of 1/16, where the logits are wanted; None: everywhere.

        Returns:
            float32 [K, H, W], or the pixels of the window; a sigmoid gives each object's probability, independent of
            the others.
        """
        window = window or Window.whole(Size(*features.f16.shape[-2:]))
        at, read = _Levels.below(window), self.reach(window)
        last = F.interpolate(torch.stack([previous, previous_others], 1), features.f8.shape[-2:], mode="area")
        own = torch.cat([readout, read.cut(last).to(readout.dtype)], 1).to(features.f8.dtype)
        x8 = at.fuse.finer(2)
        x = x8.trim(self.decode_in(own, read.cut(features.f8)), read)
        context = at.fused.trim(self.decode_fuse(F.avg_pool2d(x, 2), at.fuse.cut(features.f16)), at.fuse)
        context = at.context.trim(self.decode_context(context), at.fused)
        x = at.joined.trim(x, x8) + at.joined.trim(upsample(context, 2), at.context.finer(2))
        wide = at.out.grown(BasicBlock.reach)
        x = F.relu(self.decode_skip(wide.cut(features.f4)) + wide.trim(upsample(x, 2), at.joined.finer(2)))
        x = at.pred.trim(self.pred(at.out.trim(self.decode_out(x), wide)), at.out)
        return window.finer(16).trim(upsample(x.float(), 4), at.pred.finer(4))[:, 0]


def load_light(path: Path) -> LightNet:
    """The network of a weight file, as wide as its weights; in eval mode, on the CPU, float32.

    Raises:
        AppError: the file cannot be read or holds something else.
    """
    state = load_state(path)
    stem = state.get("key_encoder.bn1.weight")
    network = LightNet(1.0 if stem is None else len(stem) / _STEM_CHANNELS)
    load_into(network, state, path)
    return network.eval().requires_grad_(False)
