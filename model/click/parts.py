"""What the click networks have in common: how clicks join the image, and where f-BRS may reach in."""
from __future__ import annotations

from collections import OrderedDict
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from util.types import Size

Place = Literal["A", "B", "C"]
"""Where f-BRS scales and shifts features: after the backbone, after the context module, before the last layers."""


class Cut(NamedTuple):
    """A network stopped at a `Place`."""

    features: Tensor
    """[B, C, h, w]: what f-BRS may change."""
    rest: Tensor | None = None
    """What the rest of the network needs besides."""


def resize(x: Tensor, size: Size) -> Tensor:
    """Bilinear with the corner pixels aligned, as in all of these networks."""
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=True)


def size_of(x: Tensor) -> Size:
    return Size(*x.shape[-2:])


def separable(in_channels: int, out_channels: int) -> nn.Sequential:
    """Depthwise 3x3 and pointwise convolution, normalised."""
    return nn.Sequential(
        OrderedDict(
            body=nn.Sequential(
                nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
                nn.Conv2d(in_channels, out_channels, 1, bias=False),
                nn.BatchNorm2d(out_channels),
                nn.ReLU(),
            )
        )
    )


def _activation(leaky: bool) -> nn.Module:
    return nn.LeakyReLU(0.2) if leaky else nn.ReLU()


def rgb_conv(planes: int, *, norm_first: bool = False, leaky: bool = True) -> nn.Sequential:
    """Mixes the planes of the clicks into the image: 3 + planes channels in, 3 out.

    Args:
        norm_first: the normalisation stands before the activation (RITM), not after it (f-BRS).
    """
    hidden = 6 + planes
    between: list[nn.Module] = [_activation(leaky), nn.BatchNorm2d(hidden)]
    if norm_first:
        between.reverse()
    return nn.Sequential(nn.Conv2d(3 + planes, hidden, 1), *between, nn.Conv2d(hidden, 3, 1))


class Magnitude(nn.Module):
    """Multiplies by the absolute value of one learnt number."""

    def __init__(self, initial: float = 0.05) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), initial))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale.abs()


def maps_transform(planes: int, *, leaky: bool) -> nn.Sequential:
    """Turns the planes of the clicks into features at 1/2, which are added to those of the image (RITM)."""
    return nn.Sequential(
        nn.Conv2d(planes, 16, 1), _activation(leaky), nn.Conv2d(16, 64, 3, stride=2, padding=1), Magnitude()
    )
