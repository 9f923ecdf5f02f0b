"""HRNetV2 (Wang et al., TPAMI 2020): branches at 1/4 to 1/32 that run side by side and exchange what they see."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.aspp import conv_norm_relu
from model.click.parts import resize, size_of
from model.encoders import BasicBlock, Bottleneck

_STEM_CHANNELS = 64


@dataclass(frozen=True)
class HRNetShape:
    """Sizes of one variant.

    Args:
        width: channels at 1/4; twice as many at each further scale.
        blocks: per branch of a module, and in the first stage.
        modules: in the second, third and fourth stage.
    """

    width: int
    blocks: int = 4
    modules: tuple[int, int, int] = (1, 4, 3)

    @classmethod
    def of(cls, width: int, *, small: bool) -> HRNetShape:
        """The published variants, W18s being small."""
        return cls(width, 2, (1, 3, 2)) if small else cls(width)


def _shrink(in_channels: int, out_channels: int) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, 3, 2, 1, bias=False)
    return [conv, nn.BatchNorm2d(out_channels)]


def _to_smaller(in_channels: int, out_channels: int, steps: int) -> nn.Sequential:
    """Halve the size `steps` times; the channels change at the last."""
    halvings = [nn.Sequential(*_shrink(in_channels, in_channels), nn.ReLU()) for _ in range(steps - 1)]
    return nn.Sequential(*halvings, nn.Sequential(*_shrink(in_channels, out_channels)))


def _to_larger(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels))


class Exchange(nn.Module):
    """Some blocks on each branch, then every branch gets the sum of all."""

    def __init__(self, channels: Sequence[int], blocks: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(count, count) for _ in range(blocks))) for count in channels
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(self._path(channels, source, target) for source in range(len(channels)))
            for target in range(len(channels))
        )

    @staticmethod
    def _path(channels: Sequence[int], source: int, target: int) -> nn.Module:
        if source == target:
            return nn.Identity()
        if source > target:
            return _to_larger(channels[source], channels[target])
        return _to_smaller(channels[source], channels[target], target - source)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """One [B, C, h, w] per branch, largest first."""
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        fused = []
        for target, paths in enumerate(self.fuse_layers):
            total = None
            for source, path in enumerate(paths):
                part = path(maps[source])
                if source > target:
                    part = resize(part, size_of(maps[target]))
                total = part if total is None else total + part
            fused.append(F.relu(total))
        return fused


class HRNet(nn.Module):
    """Stem and four stages."""

    def __init__(self, shape: HRNetShape) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, _STEM_CHANNELS, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(_STEM_CHANNELS)
        self.conv2 = nn.Conv2d(_STEM_CHANNELS, _STEM_CHANNELS, 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(_STEM_CHANNELS)
        blocks = [Bottleneck(_STEM_CHANNELS, 64)]
        channels = 64 * Bottleneck.expansion
        blocks += [Bottleneck(channels, 64) for _ in range(shape.blocks - 1)]
        self.layer1 = nn.Sequential(*blocks)
        widths = [shape.width << scale for scale in range(4)]
        self.out_channels = sum(widths)
        first = nn.Sequential(nn.Sequential(*_shrink(channels, widths[1]), nn.ReLU()))
        self.transition1 = nn.ModuleList([conv_norm_relu(channels, widths[0], 3), first])
        self.stage2 = self._stage(shape.modules[0], widths[:2], shape.blocks)
        self.transition2 = self._new_branch(widths[:3])
        self.stage3 = self._stage(shape.modules[1], widths[:3], shape.blocks)
        self.transition3 = self._new_branch(widths)
        self.stage4 = self._stage(shape.modules[2], widths, shape.blocks)

    @staticmethod
    def _stage(modules: int, channels: Sequence[int], blocks: int) -> nn.Sequential:
        return nn.Sequential(*(Exchange(channels, blocks) for _ in range(modules)))

    @staticmethod
    def _new_branch(channels: Sequence[int]) -> nn.ModuleList:
        """The branches there are go on as they are; the new one comes from the smallest of them."""
        new = nn.Sequential(nn.Sequential(*_shrink(channels[-2], channels[-1]), nn.ReLU()))
        return nn.ModuleList([*(nn.Identity() for _ in channels[:-1]), new])

    def features(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        """All branches at the size of the largest.

        Args:
            x: [B, 3, H, W].
            added: [B, 64, H/2, W/2], added to what the first convolution sees.

        Returns:
            [B, 15 width, H/4, W/4].
        """
        x = F.relu(self.bn1(self.conv1(x)))
        x = x if added is None else x + added
        x = self.layer1(F.relu(self.bn2(self.conv2(x))))
        maps = [transition(x) for transition in self.transition1]
        maps = self.stage2(maps)
        maps = self.stage3([*maps, self.transition2[-1](maps[-1])])
        maps = self.stage4([*maps, self.transition3[-1](maps[-1])])
        size = size_of(maps[0])
        return torch.cat([maps[0], *(resize(smaller, size) for smaller in maps[1:])], 1)
