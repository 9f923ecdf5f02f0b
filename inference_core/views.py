"""Where an engine looks: at the whole frame, or at a part of it, enlarged.

A network sees a small object in few cells: at a shorter side of 320 pixels and a stride of 8, one that is a tenth of
the frame high has 4 cells from head to foot. So while all objects of a pass lie in a part of the frame, the engine
looks at that part at the size of a frame, and they look as large to it as others do. All views have the shape of the
frame, so that memory, readout and decoder never know the difference.

* A **key frame** is remembered as a whole and as the view of its objects: in the first lies the background that is not
  seen before the view has moved there, in the second what the objects look like when they are that large.
* A view **follows**: it is chosen from where the objects were on the frame before and how they moved there, with room
  around them, and changes its scale slowly.
* Once an object reaches the border of the view or is nowhere in it, the same frame is **looked at as a whole**, and so
  is every frame until all objects are there again.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from inference_core.regions import around, is_touched
from model.window import Window
from util.types import ImageU8, IndexMask, Rect, Size

Picture = TypeVar("Picture", ImageU8, IndexMask)

_ROOM = 0.7
"""Around the objects on every side, as a share of their size."""
_MAX_SCALE = 3.0
"""Enlargement at most."""
_FINEST = 1.6
"""Working pixels per native pixel at most: there is nothing more to be seen."""
_WORTH = 1.1
"""Enlargement below which the whole frame is looked at."""
_EASE = 0.04
"""The scale changes by this share from frame to frame at most, since memory and query should look alike."""
_RIM = 2
"""Pixels of the working size at the border of a view where no object should be."""
_THERE = 0.5


@dataclass(frozen=True)
class View(Window):
    """A window of the frame's shape, in pixels of the working size."""

    def part_of(self, image: Picture) -> Picture:
        """The part of an image [H, W, 3] or mask [H, W] of whatever size: a view of its pixels."""
        height, width = image.shape[:2]
        down, right = height / self.size.height, width / self.size.width
        x0, y0, x1, y1 = self.rect
        part: Picture = image[round(y0 * down) : round(y1 * down), round(x0 * right) : round(x1 * right)]
        return part

    def enlarge(self, planes: Tensor) -> Tensor:
        """[C, Hp, Wp] of the frame -> [C, Hp, Wp] of the view."""
        return F.interpolate(self.cut(planes)[None], tuple(self.size), mode="bilinear", align_corners=False)[0]

    def put_back(self, prob: Tensor) -> Tensor:
        """Prob [A+1, Hp, Wp] of the view -> of the frame; outside is background."""
        result = torch.zeros_like(prob)
        result[0] = 1
        self.cut(result)[:] = F.interpolate(prob[None], tuple(self.shape), mode="area")[0]
        return result

    def loses(self, planes: Tensor) -> bool:
        """Whether an object of planes [A, Hp, Wp], as put back, is not there or reaches a border beyond which there is
        more of the frame."""
        return not _all_there(planes > _THERE) or is_touched(self.cut(planes), self, _RIM)


class ViewFinder:
    """Follows objects with a view, from frame to frame of a pass.

    Args:
        native, working: sizes of the frames and of what the network is given.
    """

    def __init__(self, native: Size, working: Size) -> None:
        self._working = working
        self._max_scale = min(_MAX_SCALE, _FINEST * native.height / working.height)
        self.restart()

    def restart(self) -> None:
        """Forget where the objects were and how large."""
        self._middle: tuple[float, float] | None = None
        self._scale: float | None = None

    def next(self, planes: Tensor) -> View | None:
        """Where to look for objects that were last as planes [A, Hp, Wp] say; None: everywhere."""
        is_there = planes > _THERE
        if not _all_there(is_there):
            self.restart()
            return None
        x0, y0, x1, y1 = around(is_there.any(0), self._working).rect
        middle = (x0 + x1) / 2, (y0 + y1) / 2
        moved = (0.0, 0.0) if self._middle is None else (middle[0] - self._middle[0], middle[1] - self._middle[1])
        width, height = x1 - x0, y1 - y0
        room = 2 * _ROOM * (width * height) ** 0.5
        fits = min(
            self._working.width / (width + room + 2 * abs(moved[0])),
            self._working.height / (height + room + 2 * abs(moved[1])),
            self._max_scale,
        )
        if self._scale is not None:
            fits = min(max(fits, self._scale * (1 - _EASE)), self._scale * (1 + _EASE))
        self._middle, self._scale = middle, fits
        if fits < _WORTH:
            return None
        return self._around(middle[0] + moved[0], middle[1] + moved[1], fits)

    def _around(self, x: float, y: float, scale: float) -> View:
        """The view of this scale whose middle is as near to x, y as the frame's borders allow."""
        size = self._working
        width, height = round(size.width / scale), round(size.height / scale)
        left = min(max(0, round(x - width / 2)), size.width - width)
        top = min(max(0, round(y - height / 2)), size.height - height)
        return View(Rect(left, top, left + width, top + height), size)


def _all_there(is_there: Tensor) -> bool:
    """Whether there is an object in bool [A, Hp, Wp] and none without a pixel."""
    return len(is_there) > 0 and bool(is_there.flatten(1).any(1).all())
