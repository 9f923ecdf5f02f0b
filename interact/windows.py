"""The part of a frame that a predictor looks at: cut out around object and prompts, at the size it works at."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from interact.prompts import Hint, Point
from interact.seeds import UNKNOWN, prompt_patch, seed_map
from util.types import ImageU8, Rect, Size

Region = NDArray[np.bool_]

MIN_MARGIN = 32
"""Surroundings in the window on each side, in frame pixels, however small the object."""


@dataclass(frozen=True)
class Lens:
    """How a predictor wants to see.

    Args:
        side: longer side of the window, in working pixels.
        max_scale: most working pixels per frame pixel.
        margin: surroundings of the object in the window, as a part of the object's longer side.
        seed_width: diameter of a click and of the thinnest stroke, in working pixels.
    """

    side: int
    max_scale: float
    margin: float
    seed_width: float


@dataclass(frozen=True)
class Window:
    """A part of the frame at working size.

    Args:
        rect: the part, in frame pixels.
        image: uint8 [h, w, 3].
        scale: working pixels per frame pixel.
        prompts: on the frame.
    """

    rect: Rect
    image: ImageU8
    scale: float
    prompts: tuple[Hint, ...]
    lens: Lens

    @classmethod
    def cut(cls, lens: Lens, image: ImageU8, prompts: tuple[Hint, ...], rect: Rect) -> Window:
        scale = min(lens.max_scale, lens.side / max(rect.x1 - rect.x0, rect.y1 - rect.y0))
        size = Size(max(1, round((rect.y1 - rect.y0) * scale)), max(1, round((rect.x1 - rect.x0) * scale)))
        return cls(rect, np.asarray(_resized(image[rect.slices], size), np.uint8), scale, prompts, lens)

    @classmethod
    def whole(cls, lens: Lens, image: ImageU8, prompts: tuple[Hint, ...]) -> Window:
        return cls.cut(lens, image, prompts, Rect.full(Size(*image.shape[:2])))

    @classmethod
    def around(cls, lens: Lens, image: ImageU8, prompts: tuple[Hint, ...], region: Region) -> Window:
        """The object and all prompts, with surroundings to compare with."""
        size = Size(*region.shape)
        ys, xs = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
        rect = Rect(int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1) if len(ys) else Rect(0, 0, 0, 0)
        for prompt in prompts:
            rect = rect.union(prompt_patch(prompt, size).rect)
        margin = max(MIN_MARGIN, round(lens.margin * max(rect.x1 - rect.x0, rect.y1 - rect.y0)))
        return cls.cut(lens, image, prompts, rect.grown(margin).clipped(size))

    @property
    def size(self) -> Size:
        return Size(*self.image.shape[:2])

    def seeds(self) -> NDArray[np.uint8]:
        """uint8 [h, w]: see `interact.seeds.seed_map`."""
        return self._seed_map(self.prompts)

    def patch(self, prompt: Hint) -> Region:
        """bool [h, w]: the pixels of one prompt, at least one inside the window."""
        return np.asarray(self._seed_map([prompt]) != UNKNOWN, np.bool_)

    def _seed_map(self, prompts: Sequence[Hint]) -> NDArray[np.uint8]:
        origin = Point(self.rect.x0, self.rect.y0)
        return seed_map(prompts, self.size, scale=self.scale, origin=origin, min_width=self.lens.seed_width)

    def shrink(self, region: Region) -> Region:
        """bool [h, w]: this part of a mask of the frame."""
        part = region[self.rect.slices].astype(np.uint8) * 255
        return np.asarray(_resized(part, self.size) > 127, np.bool_)


def _resized(part: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """Averaged where it gets smaller, interpolated where it gets larger."""
    how = cv2.INTER_AREA if size.height <= part.shape[0] else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(part), (size.width, size.height), interpolation=how)
    return np.asarray(small, np.uint8)


def touching(region: Region, touch: Region) -> Region:
    """The connected parts of `region` that have a pixel in common with `touch`; bool [h, w] all."""
    count, parts = cv2.connectedComponents(region.astype(np.uint8), connectivity=4)
    keep = np.zeros(count, np.bool_)
    keep[np.unique(parts[touch & region])] = True
    return np.asarray(keep[parts], np.bool_)
