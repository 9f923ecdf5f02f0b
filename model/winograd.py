"""3x3 convolutions with a quarter of the multiplications, for processors.

Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray: "Fast Algorithms for Convolutional Neural Networks", CVPR
2016): 4x4 pixels of the result come from 6x6 of the input by 36 multiplications per pair of channels instead of 144;
before and after stand linear maps whose cost does not grow with the product of the channels. The result differs from
the direct one by rounding, about 1e-5 of its largest value. On a GPU the vendor's library chooses by itself.
"""
from __future__ import annotations

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_Module = TypeVar("_Module", bound=nn.Module)

_TILE = 4
_SEEN = _TILE + 2
"""Pixels per side that a tile of the result is made of."""

_INPUT = (
    (4.0, 0.0, -5.0, 0.0, 1.0, 0.0),
    (0.0, -4.0, -4.0, 1.0, 1.0, 0.0),
    (0.0, 4.0, -4.0, -1.0, 1.0, 0.0),
    (0.0, -2.0, -1.0, 2.0, 1.0, 0.0),
    (0.0, 2.0, -1.0, -2.0, 1.0, 0.0),
    (0.0, 4.0, 0.0, -5.0, 0.0, 1.0),
)
_FILTER = (
    (1 / 4, 0.0, 0.0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0.0, 0.0, 1.0),
)
_OUTPUT = (
    (1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
    (0.0, 1.0, -1.0, 2.0, -2.0, 0.0),
    (0.0, 1.0, 1.0, 4.0, 4.0, 0.0),
    (0.0, 1.0, -1.0, 8.0, -8.0, 1.0),
)

MIN_CHANNELS = 64
"""Of input and output, from which on it is faster."""

_STRIP_BYTES = 8 << 20
"""Of transformed pixels at a time: what stays in the cache."""


class WinogradConv(nn.Module):
    """Computes what a 3x3 convolution of stride 1 with a padding of 1 does; inference in float32 on a CPU."""

    weight: Tensor
    into: Tensor
    back: Tensor

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        step = torch.tensor(_FILTER, dtype=torch.float64)
        weight = torch.einsum("ai,bj,ocij->abco", step, step, conv.weight.detach().double())
        self.register_buffer("weight", weight.flatten(0, 1).float().contiguous())
        self.register_buffer("into", torch.kron(torch.tensor(_INPUT), torch.tensor(_INPUT)))
        self.register_buffer("back", torch.kron(torch.tensor(_OUTPUT), torch.tensor(_OUTPUT)))
        self.bias = conv.bias

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, O, H, W], channels last."""
        return self._biased(self._convolved(x, self.weight))

    def with_shared(self, own: Tensor, shared: Tensor) -> Tensor:
        """Of [K, C - S, H, W] and [1, S, H, W] one after the other: see `blocks.conv_with_shared`."""
        weight_own, weight_shared = self.weight[:, : own.shape[1]], self.weight[:, own.shape[1] :]
        return self._convolved(own, weight_own) + self._biased(self._convolved(shared, weight_shared))

    def _biased(self, x: Tensor) -> Tensor:
        return x if self.bias is None else x.add_(self.bias[:, None, None])

    def _convolved(self, x: Tensor, weight: Tensor) -> Tensor:
        """[B, C, H, W] by weight [36, C, O]: strip of tiles by strip, each with a product per place in a tile."""
        batch, channels, height, width = x.shape
        rows, columns = -(-height // _TILE), -(-width // _TILE)
        right, bottom = _TILE * columns + 1 - width, _TILE * rows + 1 - height
        padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, right, 1, bottom))
        line = padded.shape[2] * channels
        result = x.new_empty(batch, _TILE * rows, _TILE * columns, weight.shape[2])
        bytes_per_row = 4 * _SEEN * _SEEN * columns * max(weight.shape[1:])
        at_once = max(1, _STRIP_BYTES // bytes_per_row)
        for image, target in zip(padded, result, strict=True):
            for first in range(0, rows, at_once):
                count = min(at_once, rows - first)
                seen = image[_TILE * first :].as_strided(
                    (_SEEN, _SEEN, count, columns, channels),
                    (line, channels, _TILE * line, _TILE * channels, 1),
                )
                spread = (self.into @ seen.reshape(_SEEN * _SEEN, -1)).view(_SEEN * _SEEN, -1, channels)
                tiles = self.back @ torch.bmm(spread, weight).flatten(1)
                strip = target[_TILE * first : _TILE * (first + count)]
                places = strip.view(count, _TILE, columns, _TILE, -1)
                places.copy_(tiles.view(_TILE, _TILE, count, columns, -1).permute(2, 0, 3, 1, 4))
        return result[:, :height, :width].permute(0, 3, 1, 2)


def _pays(conv: nn.Module) -> bool:
    return (
        isinstance(conv, nn.Conv2d)
        and (conv.kernel_size, conv.stride, conv.padding, conv.dilation) == ((3, 3), (1, 1), (1, 1), (1, 1))
        and conv.groups == 1
        and min(conv.in_channels, conv.out_channels) >= MIN_CHANNELS
    )


def use_winograd(module: _Module) -> _Module:
    """Replace the convolutions of a network that become faster, in place; their weights need four times the memory.

    Args:
        module: with its weights loaded and batch normalisation folded; afterwards the state dict has other tensors.
    """
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if _pays(child):
                assert isinstance(child, nn.Conv2d)
                setattr(parent, name, WinogradConv(child))
    return module
