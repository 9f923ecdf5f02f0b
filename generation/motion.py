"""How layers of a clip move: affine, perspective and smooth bending, from one frame to the next.

All warps map a place in the frame to a place on the layer, both in -1..1, so that the same numbers that fetch a pixel
also say which pixels of two frames show the same point: the correspondence is exact.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_STD = (0.35, 0.22, 0.15, 0.12, 0.45, 0.35, 0.12, 0.12)
"""Of turn (radians), log scale, shear, log stretch, shift x and y, perspective x and y, per unit of time."""
_START_STD = (0.15, 0.0, 0.05, 0.05, 0.0, 0.0, 0.05, 0.05)
_JITTER = 0.25
_START_REACH = 0.65
"""How far from the middle a pasted layer starts."""
_BEND_GRID = 5
_BEND, _BEND_BACK = 0.09, 0.04
"""Bending of pasted layers and of the background, in half frame sides."""
_BEND_SHARE = 0.7
_FAST_SHARE, _FAST = 0.12, 2.0
"""Share of layers that move and change size this much more, and how much."""
_NEAR, _NEAR_SPREAD = 0.03, 0.2
"""Time between neighbouring frames of a film: at least, and how much more."""
_NEAR_JITTER = 0.3
"""How much of the jitter is new there."""
_VISIT_SHARE, _VISIT = 0.08, 1.6
"""Share of pasted layers that are away in a frame between, and how far."""


@dataclass(frozen=True)
class Warps:
    """Of N layers over T frames.

    Args:
        place: [N, T, s*s, 2] where on its layer each pixel of the frame lies, x before y; the layer spans -1..1.
    """

    place: Tensor


def random_warps(
    num_clips: int, num_layers: int, frames: int, side: int, hard: float, gen: torch.Generator, near: float = 0.0
) -> Warps:
    """Motion of `num_layers` layers (the first is the background) in each of `num_clips` clips.

    Args:
        hard: scales all motion; 1 is the normal amount.
        near: share of the steps that are those of neighbouring frames of a film; the others leave frames out.
        gen: source of all randomness, on the device of the result.
    """
    device, count = gen.device, num_clips * num_layers

    def rand(*size: int) -> Tensor:
        return torch.rand(*size, device=device, generator=gen)

    def randn(*size: int) -> Tensor:
        return torch.randn(*size, device=device, generator=gen)

    is_back = (torch.arange(count, device=device) % num_layers == 0).view(count, 1, 1)
    amount = hard * rand(num_clips, 1).expand(-1, num_layers).reshape(count, 1, 1) * (0.3 + 0.7 * rand(count, 1, 1))
    amount = amount * torch.where((rand(count, 1, 1) < _FAST_SHARE) & ~is_back, _FAST, 1.0)
    steps, fresh = 0.3 + rand(num_clips, frames - 1), torch.ones(num_clips, frames, device=device)
    if near:
        is_near = rand(num_clips, frames - 1) < near
        steps = torch.where(is_near, _NEAR + _NEAR_SPREAD * rand(num_clips, frames - 1), steps)
        fresh[:, 1:][is_near] = _NEAR_JITTER
    fresh = fresh.repeat_interleave(num_layers, 0)
    time = torch.cat([torch.zeros(num_clips, 1, device=device), steps.cumsum(1)], 1)
    time = time[:, None].expand(-1, num_layers, -1).reshape(count, frames, 1)

    std = torch.tensor(_STD, device=device)
    pose = amount * std * (time * randn(count, 1, 8) + _JITTER * _wandering(randn(count, frames, 8), fresh))
    start = torch.tensor(_START_STD, device=device) * randn(count, 1, 8)
    start[..., 4:6] = torch.where(is_back, 0.0, _START_REACH * (2 * rand(count, 1, 2) - 1))
    pose = pose + start
    pose[..., 4:6] += _visits(count, frames, is_back, rand, randn)

    grid = _BEND_GRID
    bend = time[..., None, None] * randn(count, 1, 2, grid, grid)
    bend = bend + 0.3 * _wandering(randn(count, frames, 2, grid, grid), fresh)
    bend = bend * amount[..., None, None] * (rand(count, 1, 1, 1, 1) < _BEND_SHARE)
    bend = bend * torch.where(is_back, _BEND_BACK, _BEND)[..., None, None]
    bend = F.interpolate(bend.flatten(0, 1), (side, side), mode="bicubic", align_corners=True)

    axis = (torch.arange(side, device=device) + 0.5) / side * 2 - 1
    pixel = torch.stack([axis.expand(side, side), axis[:, None].expand(side, side)], -1).view(1, 1, -1, 2)
    shifted = pixel + bend.view(count, frames, 2, -1).transpose(2, 3) - pose[:, :, None, 4:6]
    depth = (1 + (shifted * pose[:, :, None, 6:8]).sum(-1, keepdim=True)).clamp(0.4)
    flat = (shifted[..., None, :] * _linear(pose)).sum(-1) / depth
    flip = torch.where(rand(count, 1, 1, 1) < 0.5, -1.0, 1.0)
    return Warps(flat * torch.cat([flip, torch.ones_like(flip)], -1))


def _wandering(noise: Tensor, fresh: Tensor) -> Tensor:
    """Noise [N, T, ...] of unit variance of which only a part is new in every frame: fresh [N, T], 1 all of it."""
    moved = [noise[:, 0]]
    for frame in range(1, noise.shape[1]):
        new = fresh[:, frame].view(-1, *[1] * (noise.dim() - 2))
        moved.append((1 - new.square()).sqrt() * moved[-1] + new * noise[:, frame])
    return torch.stack(moved, 1)


def _linear(pose: Tensor) -> Tensor:
    """Turn, scale, shear and stretch of pose [N, T, 8] as matrices [N, T, 1, 2, 2]."""
    angle, scale, shear, stretch = pose[..., 0], pose[..., 1].exp(), pose[..., 2], pose[..., 3].exp()
    cos, sin = angle.cos() * scale, angle.sin() * scale
    rows = torch.stack([cos * stretch, -sin + shear * cos, sin * stretch, cos + shear * sin], -1)
    return rows.view(*pose.shape[:2], 1, 2, 2)


def _visits(
    count: int, frames: int, is_back: Tensor, rand: Callable[..., Tensor], randn: Callable[..., Tensor]
) -> Tensor:
    """Shifts [N, T, 2] that take some layers out of the picture in one frame between, and back."""
    if frames < 3:
        return torch.zeros(count, frames, 2, device=is_back.device)
    away = (rand(count, 1, 1) < _VISIT_SHARE) & ~is_back
    moment = 1 + (rand(count, 1, 1) * (frames - 2)).floor().long()
    now = torch.arange(frames, device=is_back.device).view(1, frames, 1) == moment
    direction = F.normalize(randn(count, 1, 2), dim=-1)
    return torch.where(away & now, _VISIT * direction, 0.0)
