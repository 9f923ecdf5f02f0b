"""RVOS: recurrent segmentation of several objects, with the key names of the published `encoder.pt` and `decoder.pt`.

Ventura, Bellver, Girbau, Salvador, Marques, Giro-i-Nieto: "RVOS: End-to-End Recurrent Network for Video Object
Segmentation", CVPR 2019. An encoder sees the frame once. A decoder of four ConvLSTM levels, coarse to fine, then finds
one object after the other: in space it goes on from the object before (hidden map and cell), in time from the same
object on the frame before (hidden map only). With `takes_mask` it is told each object's previous mask (one-shot);
without, it finds objects by itself (zero-shot). Networks only: one frame in, tensors out.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.rvos_bases import make_base

SkipMode = Literal["concat", "sum", "mul", "none"]
SKIP_MODES: tuple[str, ...] = get_args(SkipMode)
LEVELS = 4


@dataclass(frozen=True)
class RvosSettings:
    """What a training has fixed; the names are those of its settings.

    Args:
        base_model: one of `model.rvos_bases.BASES`.
        hidden_size: channels of the coarsest ConvLSTM; each finer level has half as many.
        kernel_size: side of the kernels of all levels, odd.
        skip_mode: how a level joins what comes from below with the encoder's map; `none` leaves the map out.
        only_temporal: an object knows nothing of the object before it, except on the first frame.
        only_spatial: an object knows nothing of the frame before.
        maxseqlen: how many objects are looked for where no masks are given.
    """

    base_model: str = "resnet101"
    hidden_size: int = 128
    kernel_size: int = 3
    skip_mode: SkipMode = "concat"
    only_temporal: bool = False
    only_spatial: bool = False
    maxseqlen: int = 10

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """Channels of the ConvLSTMs, coarse to fine."""
        return tuple(self.hidden_size >> level for level in range(LEVELS))

    @property
    def skip_sizes(self) -> tuple[int, ...]:
        """Channels of the encoder's maps, coarse to fine: each as many as what they are joined with."""
        return (self.hidden_size, *self.hidden_sizes[:-1])


class Skips(NamedTuple):
    """What a frame gives without any mask; B is 1 at inference, sides are rounded up at every halving."""

    f32: Tensor
    """[B, hidden_size, H/32, W/32]."""
    f16: Tensor
    """[B, hidden_size, H/16, W/16]."""
    f8: Tensor
    """[B, hidden_size/2, H/8, W/8]."""
    f4: Tensor
    """[B, hidden_size/4, H/4, W/4]."""


Hidden: TypeAlias = tuple[Tensor, ...]
"""What is carried from a frame to the next: per level, coarse to fine, [K, C, h, w] of K objects."""

_State: TypeAlias = tuple[Tensor, Tensor]
"""Hidden map and cell of one object on one level, [1, C, h, w] each."""


def _resized(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear with the corners aligned, as RVOS does everywhere."""
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=True)


class RvosEncoder(nn.Module):
    """The network of `encoder.pt` (654 tensors with ResNet-101, the base's own classifier among them)."""

    def __init__(self, settings: RvosSettings) -> None:
        super().__init__()
        self.base = make_base(settings.base_model)
        kernel = settings.kernel_size
        # Numbered as the stages they stand on: sk5 and bn5 on the coarsest.
        for stage, ins, outs in zip((5, 4, 3, 2), reversed(self.base.channels), settings.skip_sizes, strict=True):
            self.add_module(f"sk{stage}", nn.Conv2d(ins, outs, kernel, padding=kernel // 2))
            self.add_module(f"bn{stage}", nn.BatchNorm2d(outs))

    def forward(self, image: Tensor) -> Skips:
        """image [B, 3, H, W], RGB normalised by the ImageNet mean and deviation, of any size."""
        maps = reversed(self.base.stages(image))
        return Skips(*(
            self.get_submodule(f"bn{stage}")(self.get_submodule(f"sk{stage}")(x))
            for stage, x in zip((5, 4, 3, 2), maps, strict=True)
        ))


class ConvLSTMCell(nn.Module):
    """One level. The cell is carried in space only; the frame before gives its hidden map."""

    def __init__(self, in_channels: int, hidden: int, kernel_size: int) -> None:
        super().__init__()
        self.Gates = nn.Conv2d(in_channels + 2 * hidden, 4 * hidden, kernel_size, padding=kernel_size // 2)
        self._hidden = hidden

    def forward(self, x: Tensor, spatial: _State | None, temporal: Tensor | None) -> _State:
        """x [1, in_channels, h, w]; None stands for zeros."""
        zeros = x.new_zeros(len(x), self._hidden, *x.shape[-2:])
        before, cell = (zeros, zeros) if spatial is None else spatial
        gates = self.Gates(torch.cat([x, before, zeros if temporal is None else temporal], 1))
        enter, forget, output, candidate = gates.chunk(4, 1)
        cell = forget.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
        return output.sigmoid() * cell.tanh(), cell


class RvosDecoder(nn.Module):
    """The network of `decoder.pt` (10 tensors).

    Args:
        takes_mask: whether every level also sees the object's previous mask.
    """

    def __init__(self, settings: RvosSettings, *, takes_mask: bool) -> None:
        super().__init__()
        self.settings = settings
        self.takes_mask = takes_mask
        sizes = settings.hidden_sizes
        inputs = [settings.hidden_size, *((2 if settings.skip_mode == "concat" else 1) * size for size in sizes[:-1])]
        self.clstm_list = nn.ModuleList(
            ConvLSTMCell(ins + takes_mask, size, settings.kernel_size) for ins, size in zip(inputs, sizes, strict=True)
        )
        self.conv_out = nn.Conv2d(sizes[-1], 1, settings.kernel_size, padding=settings.kernel_size // 2)

    def forward(
        self, skips: Skips, size: Sequence[int], count: int, masks: Tensor | None = None, hidden: Hidden | None = None
    ) -> tuple[Tensor, Hidden]:
        """Find `count` objects on one frame, one after the other.

        Args:
            skips: of the frame, B = 1.
            size: H, W of the image the skips are from.
            masks: [K, H, W] soft masks on the frame before, 0..1; None where the decoder takes none.
            hidden: what this returned for the frame before; None on the first frame.

        Returns:
            float32 [K, H, W] logits, independent of each other, and what the next frame needs.
        """
        settings = self.settings
        if (masks is not None) != self.takes_mask:
            raise ValueError("masks have to be given exactly where the decoder takes them")
        pyramid = None if masks is None else mask_pyramid(masks)
        spatial: list[_State | None] = [None] * LEVELS
        found: list[list[Tensor]] = [[] for _ in range(LEVELS)]
        for i in range(count):
            if settings.only_temporal and hidden is not None:
                spatial = [None] * LEVELS
            below: Tensor | None = None
            for level, cell in enumerate(self.clstm_list):
                x = skips[level] if below is None else self._joined(below, skips[level])
                if pyramid is not None:
                    x = torch.cat([x, pyramid[level][i : i + 1].to(x.dtype)], 1)
                is_first = hidden is None or settings.only_spatial
                state = cell(x, spatial[level], None if is_first else hidden[level][i : i + 1].to(x.dtype))
                spatial[level], below = state, state[0]
                found[level].append(below)
        maps = tuple(torch.cat(level) for level in found)
        fine = maps[-1].float()
        logits = self.conv_out(_resized(fine, [2 * side for side in fine.shape[-2:]]))
        return _resized(logits.float(), size)[:, 0], maps

    def _joined(self, below: Tensor, skip: Tensor) -> Tensor:
        below = _resized(below, skip.shape[-2:])
        if self.settings.skip_mode == "none":
            return below
        if self.settings.skip_mode == "concat":
            return torch.cat([below, skip], 1)
        return below + skip if self.settings.skip_mode == "sum" else below * skip


def mask_pyramid(masks: Tensor) -> list[Tensor]:
    """masks [K, H, W] -> [K, 1, h, w] for every level, coarse to fine: the largest value under each cell."""
    x = F.max_pool2d(masks[:, None], 2, ceil_mode=True)
    levels: list[Tensor] = []
    for _ in range(LEVELS):
        x = F.max_pool2d(x, 2, ceil_mode=True)
        levels.insert(0, x)
    return levels


class RVOS(nn.Module):
    """Encoder and decoder of one training.

    Args:
        takes_mask: see `RvosDecoder`.
    """

    def __init__(self, settings: RvosSettings, *, takes_mask: bool) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = RvosEncoder(settings)
        self.decoder = RvosDecoder(settings, takes_mask=takes_mask)
