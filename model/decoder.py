"""From what the memory returned to object logits: the decoder that STM and STCN share."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch.nn.functional as F
from torch import Tensor, nn

from model.blocks import ResidualBlock, conv3x3, upsample
from model.window import Window
from util.types import Size

_CELL = 16
"""Pixels per cell and side of the memory."""


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

    def forward(self, skip: Tensor, x: Tensor, have: Window, want: Window) -> Tensor:
        """One step up, for a part of the frame. The frame's features are convolved once for all K objects.

        Args:
            skip: [1, skip_channels, 2h, 2w], of the whole frame.
            x: [K, in_channels, *have.shape], whose outermost cells may be off (see `model.window`).
            have: of the map of h x w cells. want: of 2h x 2w, such that `want.grown(out_conv.reach).source(2)` lies
                in `have`.

        Returns:
            [K, out_channels, *want.shape].
        """
        return _step_up(self.skip_conv, 1, self.out_conv, skip, x, have, want)


class RefinedUpsampleBlock(nn.Module):
    """The same with a residual block on the way of the frame's features (STM)."""

    def __init__(self, skip_channels: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.skip_conv1 = conv3x3(skip_channels, in_channels)
        self.skip_conv2 = ResidualBlock(in_channels, in_channels)
        self.out_conv = ResidualBlock(in_channels, out_channels)

    def forward(self, skip: Tensor, x: Tensor, have: Window, want: Window) -> Tensor:
        """See `UpsampleBlock`."""

        def refine(maps: Tensor) -> Tensor:
            return self.skip_conv2(self.skip_conv1(maps))

        return _step_up(refine, 1 + self.skip_conv2.reach, self.out_conv, skip, x, have, want)


def _step_up(
    refine: Callable[[Tensor], Tensor],
    reach: int,
    out: ResidualBlock,
    skip: Tensor,
    x: Tensor,
    have: Window,
    want: Window,
) -> Tensor:
    """`UpsampleBlock.forward`. Args: refine: of the frame's features; sees `reach` cells around."""
    wide = want.grown(out.reach)
    seen = wide.grown(reach)
    shared = wide.trim(refine(seen.cut(skip)), seen)
    return want.trim(out(shared + wide.trim(upsample(x, 2), have.finer(2))), wide)


@dataclass(frozen=True)
class _Levels:
    """What the decoder computes at each resolution so that the logits of a window are exact."""

    at16: Window
    """Of `compress`."""
    at8: Window
    at4: Window
    pred: Window
    """At 1/4, too."""

    @classmethod
    def below(cls, window: Window) -> _Levels:
        """For a window in cells of 1/16."""
        pred = window.finer(_CELL).source(4)
        at4 = pred.grown(1)
        at8 = at4.grown(ResidualBlock.reach).source(2)
        return cls(at8.grown(ResidualBlock.reach).source(2), at8, at4, pred)

    @property
    def read(self) -> Window:
        """What the memory has to be read for."""
        return self.at16.grown(ResidualBlock.reach)


class Decoder(nn.Module):
    """Args: block: how the frame's features join at 1/8 and 1/4."""

    def __init__(self, block: type[UpsampleBlock] | type[RefinedUpsampleBlock]) -> None:
        super().__init__()
        self.compress = ResidualBlock(1024, 512)
        self.up_16_8 = block(512, 512, 256)
        self.up_8_4 = block(256, 256, 256)
        self.pred = nn.Conv2d(256, 1, 3, padding=1)

    @staticmethod
    def reach(window: Window) -> Window:
        """The cells of 1/16 on whose readout the logits of a window depend."""
        return _Levels.below(window).read

    def forward(self, readout: Tensor, features: DecoderFeatures, window: Window | None = None) -> Tensor:
        """Object logits.

        Args:
            readout: [K, 512, *reach(window).shape].
            features: of the same frame, whole.
            window: in cells of 1/16, where the logits are wanted; None: everywhere.

        Returns:
            float32 [K, h, w], the pixels of the window.
        """
        window = window or Window.whole(Size(*features.thin.shape[-2:]))
        levels = _Levels.below(window)
        read, pixels = levels.read, window.finer(_CELL)
        x = levels.at16.trim(self.compress(readout, read.cut(features.thin)), read)
        x = self.up_16_8(features.f8, x, levels.at16, levels.at8)
        x = self.up_8_4(features.f4, x, levels.at8, levels.at4)
        x = levels.pred.trim(self.pred(F.relu(x)), levels.at4)
        return pixels.trim(upsample(x.float(), 4), levels.pred.finer(4))[:, 0]
