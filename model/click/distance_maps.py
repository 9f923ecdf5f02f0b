"""Clicks as planes: how far every pixel is from the nearest one (f-BRS), or a disk around each (RITM)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from util.types import Size

_NO_CLICK = 1e6
"""Squared distance, in units of the radius, where there is no click of this sign."""

Coding = Literal["exact", "rounded", "disks"]


@dataclass(frozen=True)
class ClickCoding:
    """What a click network was trained to see of the clicks.

    Args:
        kind: "exact" distances from the clicks as they are; "rounded" distances from their pixels, where clicks
            outside the image do not count (what the published programs do on a CPU); "disks" around the clicks.
        radius: in pixels: the unit of distances, or the disks' radius.
        with_previous: the mask found so far is another plane, before these.
    """

    kind: Coding
    radius: float
    with_previous: bool

    @property
    def num_planes(self) -> int:
        """Planes that the network sees besides the image."""
        return 3 if self.with_previous else 2

    def planes(self, points: Tensor, size: Size) -> Tensor:
        """Positive and negative plane.

        Args:
            points: [B, 2P, 2 or more], (row, column, ...) of P positive clicks, then of P negative ones; rows of
                (-1, -1) fill up.
            size: of the image.

        Returns:
            float32 [B, 2, H, W]: 0 at a click and towards 1 far from all, or 1 on disks and 0 elsewhere.
        """
        clicks = points[..., :2].float().unflatten(1, (2, -1))
        is_click = clicks.amax(-1) >= 0
        if self.kind == "rounded":
            clicks = clicks.round()
            limit = clicks.new_tensor(size)
            is_click = ((clicks >= 0) & (clicks < limit)).all(-1)
        if self.kind == "disks":
            return (_nearest(clicks, is_click, size, 1.0) <= self.radius**2).float()
        return (2 * _nearest(clicks, is_click, size, self.radius).sqrt()).tanh()


def _nearest(clicks: Tensor, is_click: Tensor, size: Size, unit: float) -> Tensor:
    """Squared distance to the nearest click, float32 [B, 2, H, W]; clicks [B, 2, P, 2], is_click bool [B, 2, P]."""
    axes = [torch.arange(length, device=clicks.device, dtype=torch.float32) for length in size]
    rows, columns = (((axis - clicks[..., i, None]) / unit).square() for i, axis in enumerate(axes))
    rows = rows.masked_fill(~is_click[..., None], _NO_CLICK)
    nearest = rows.new_full((*clicks.shape[:2], *size), _NO_CLICK)
    for index in range(clicks.shape[2]):  # one click at a time: all at once would need P such planes of memory
        torch.minimum(nearest, rows[:, :, index, :, None] + columns[:, :, index, None, :], out=nearest)
    return nearest
