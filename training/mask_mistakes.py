"""Masks as a propagation that went wrong would have left them, made of good ones.

In batches on the training device, soft, and with the gradient kept; `prompt_simulation.spoiled` is for single finished
masks, whose mistakes lie along their outlines.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_LOST = 0.15
"""How often nothing is left of the object."""
_MOVED, _FARTHEST = 0.3, 0.15
"""How often it lies elsewhere, and how far at most, as a share of the frame."""
_FIELD_CELLS = 5
_CUT, _LEAK = (-0.5, 2.0), (0.5, 2.5)
"""Smooth noise above a level drawn from these takes a part away, or adds one near the object."""
_NEARBY, _CELL = 0.25, 8
"""Leaks lie within a window of this share of the frame around the object, measured in cells of so many pixels."""


def mistaken(masks: Tensor, gen: torch.Generator) -> Tensor:
    """[N, H, W] soft masks in 0..1 -> the same with parts lost, leaked, moved, or nothing left."""
    num = len(masks)
    chances = torch.rand(num, 3, device=masks.device, generator=gen).tolist()
    moved = torch.stack([_moved(mask, *chance) for mask, chance in zip(masks, chances, strict=True)])
    around = _surroundings(moved)
    keep = _field(moved, gen) < _level(num, _CUT, gen)
    leak = around & (_field(moved, gen) > _level(num, _LEAK, gen))
    is_left = torch.rand(num, 1, 1, device=masks.device, generator=gen) >= _LOST
    return (moved * keep).maximum(leak.to(moved.dtype)) * is_left


def _moved(mask: Tensor, chance: float, *far: float) -> Tensor:
    """[H, W], by chance moved by `far`: down and across, 0..1 from the farthest up and left to the farthest back."""
    if chance >= _MOVED:
        return mask
    shifts = [round((2 * share - 1) * _FARTHEST * side) for share, side in zip(far, mask.shape, strict=True)]
    return mask.roll(shifts, (0, 1))


def _surroundings(masks: Tensor) -> Tensor:
    # Coarse: a large window that slides over every pixel would take longer than the network.
    cells = F.max_pool2d(masks[:, None], _CELL, ceil_mode=True)
    reach = round(_NEARBY * cells.shape[2]) | 1
    return F.interpolate(F.max_pool2d(cells, reach, 1, reach // 2), masks.shape[1:])[:, 0] > 0


def _field(like: Tensor, gen: torch.Generator) -> Tensor:
    coarse = torch.randn(len(like), 1, _FIELD_CELLS, _FIELD_CELLS, device=like.device, generator=gen)
    return F.interpolate(coarse, like.shape[1:], mode="bicubic", align_corners=True)[:, 0]


def _level(num: int, ends: tuple[float, float], gen: torch.Generator) -> Tensor:
    low, high = ends
    return low + (high - low) * torch.rand(num, 1, 1, device=gen.device, generator=gen)
