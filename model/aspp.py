"""Atrous spatial pyramid pooling (Chen et al., 2017), shared by the DeepLab networks."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def conv_norm_relu(in_channels: int, out_channels: int, kernel: int = 1, dilation: int = 1) -> nn.Sequential:
    """Convolution without bias that keeps the size, batch normalisation, ReLU."""
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=padding, dilation=dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.ReLU())


class ASPP(nn.Module):
    """Looks at a feature map at several distances at once, and at its mean.

    Args:
        rates: dilation of each 3x3 branch.
        branches: attribute name of the list of branches; the published networks call it differently.
        pool: name of the pooling branch below its place in the list, None where it has none of its own.
        dropout: after the projection, in training.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        rates: Sequence[int],
        *,
        branches: str = "convs",
        pool: str | None = None,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        pooling = nn.Sequential(nn.AdaptiveAvgPool2d(1), *conv_norm_relu(in_channels, channels))
        local = [conv_norm_relu(in_channels, channels)]
        local += [conv_norm_relu(in_channels, channels, 3, rate) for rate in rates]
        everything = [*local, pooling if pool is None else nn.Sequential(OrderedDict([(pool, pooling)]))]
        self._branches = branches
        self.add_module(branches, nn.ModuleList(everything))
        joined = conv_norm_relu(channels * len(everything), channels)
        self.project = nn.Sequential(*joined, nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        """[B, in_channels, h, w] -> [B, channels, h, w]."""
        *local, pooling = self.get_submodule(self._branches).children()
        maps = [branch(x) for branch in local]
        mean = pooling(x)  # one pixel: whatever the interpolation, it becomes a constant map
        return self.project(torch.cat([*maps, mean.expand(-1, -1, *x.shape[-2:])], 1))
