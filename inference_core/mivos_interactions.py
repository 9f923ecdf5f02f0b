"""What the published MiVOS window makes of scribbles, clicks, free-hand strokes and local regions, to the pixel.

The counterpart of `CompatPolicy.published` for interactions: soft planes of all objects compete after every prompt,
where this program's own tools lay one object over the others. Cheng, Tai, Tang: "Modular Interactive Video Object
Segmentation", CVPR 2021, and its published code's behaviour.

K objects; planes are float32 [K, Hp, Wp] object probabilities at the padded size, a prob has the background first.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference_core.geometry import Geometry
from model.aggregate import aggregate
from util.types import Rect, Size

Path: TypeAlias = Sequence[tuple[float, float]]
"""(x, y) in image pixels."""

UNLABELLED = 255
SCRIBBLE_WIDTH = 3
_PASTE_MARGIN = 3
"""Pixels along a region's border that are not pasted back: the network saw too little around them."""


def scribble_map(strokes: Sequence[tuple[Path, int]], size: Size) -> NDArray[np.uint8]:
    """What the scribble network is shown: uint8 [H, W], the object under each stroke (0 background), else 255."""
    drawn = np.full(size, UNLABELLED, np.uint8)
    for path, object_id in strokes:
        _draw(drawn, path, object_id, SCRIBBLE_WIDTH)
    return drawn


def after_scribble(planes: Tensor) -> Tensor:
    """Prob [K+1, Hp, Wp] of what the scribble network answered for each object."""
    return aggregate(planes, hard=True)


def after_click(planes: Tensor, slot: int, region: Tensor) -> Tensor:
    """Prob [K+1, Hp, Wp] after a click on one object was answered by `region`, bool [Hp, Wp]."""
    replaced = planes.clone()
    replaced[slot] = region.to(planes.dtype)
    return aggregate(replaced, background="constant", hard=True)


def draw_free_hand(planes: Tensor, path: Path, slot: int | None, width: int, geometry: Geometry) -> Tensor:
    """Planes after a stroke that gives its pixels to one object, or to none (None)."""
    native = np.ascontiguousarray(geometry.to_native(planes).numpy()).copy()
    for number, plane in enumerate(native):
        _draw(plane, path, float(number == slot), width)
    return geometry.to_working(torch.from_numpy(native))


def after_edit(planes: Tensor) -> Tensor:
    """Prob [K+1, Hp, Wp] of planes that were drawn into, of a local region and of the frame it was pasted into."""
    return aggregate(planes, background="constant")


def _draw(canvas: NDArray[np.generic], path: Path, value: float, width: int) -> None:
    points = [(round(x), round(y)) for x, y in path]
    for start, end in zip(points, points[1:], strict=False):
        cv2.line(canvas, start, end, value, width)


@dataclass(frozen=True)
class LocalRegion:
    """A part of a frame that is worked on by itself, padded to a multiple of 16 of its own.

    Args:
        frame: how the frame is padded, its native size kept.
        box: the part, in frame pixels.
    """

    frame: Geometry
    box: Rect

    @property
    def geometry(self) -> Geometry:
        """How the part is padded."""
        return Geometry.padded(Size(self.box.y1 - self.box.y0, self.box.x1 - self.box.x0), None)

    def cut(self, planes: Tensor) -> Tensor:
        """The part of planes [C, Hp, Wp] of the frame (a normalised image too): [C, hp, wp], padded with zeros."""
        rows, columns = self.box.slices
        return self.geometry.to_working(self.frame.to_native(planes)[:, rows, columns])

    def paste(self, planes: Tensor, local: Tensor) -> Tensor:
        """Planes [K, Hp, Wp] of the frame with the local ones [K, hp, wp] in their place."""
        native, part, box = self.frame.to_native(planes).clone(), self.geometry.to_native(local), self.box
        if min(box.x1 - box.x0, box.y1 - box.y0) > 2 * _PASTE_MARGIN + 1:
            box = box.grown(-_PASTE_MARGIN)
            part = part[:, _PASTE_MARGIN:-_PASTE_MARGIN, _PASTE_MARGIN:-_PASTE_MARGIN]
        rows, columns = box.slices
        native[:, rows, columns] = part
        return self.frame.to_working(native)
