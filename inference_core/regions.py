"""Where objects can be on a frame. Only there does an engine read its memory and decode; elsewhere is background.

An object's region is the rectangle around

* where it was on the frame before, and `MARGIN` blocks of 16 pixels around that, and
* every block that looks like it (`look.match_gaps`), wherever that is.

Inside, the result is exact: the memory is read as far around as the decoder looks (`reach` of the network). So

* an object that **moves fast** or **grows** reaches the border of its region: the frame is then decoded again as a
  whole (`is_touched`), and the next frame starts from there;
* an object that **left** is looked for on the whole frame, until it is seen again: it has no region while it is not on
  the frame before. So an object that **comes back elsewhere** is found as ever;
* a **part** that comes back far from the rest is found where it looks more like the object than like anything else;
  the light engine leaves it out all the same (`inference_core.strays`).

Objects whose regions lie near each other share one, since what they have in common is then computed once.
"""
from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from model.window import Window
from util.types import Rect, Size

CELL = 16
"""Pixels of the working size per side of what regions are made of."""
MARGIN = 1
"""Cells that an object is expected to move at most from frame to frame; more is noticed."""

_THERE = 0.5
_PERHAPS = 0.1
"""Probability above which a pixel of the frame before counts, once the object is there at all."""
_SLACK = 0.25
"""Difference in similarity up to which the second best match is as good as the best: its weight is 0.8 of the other."""
_SHARED = 0.4
"""Of the decoder's work on a frame with one object, what does not depend on the object."""
_AROUND = 2
"""Cells around a region that are computed with it, about."""


def find_regions(previous: Tensor, gaps: Tensor) -> list[Window]:
    """One region per object, in cells.

    Args:
        previous: [A, H, W] probability of each object on the frame before, H and W multiples of `CELL`.
        gaps: [A, h, w] of `match_gaps`; its blocks are one or two cells wide.
    """
    size = Size(*(side // CELL for side in previous.shape[1:]))
    was_there = F.max_pool2d(previous.float(), CELL)
    near = F.max_pool2d((was_there > _PERHAPS).float(), 2 * MARGIN + 1, 1, MARGIN) > 0
    scale = -(-size.height // gaps.shape[1])
    alike = (gaps <= _SLACK).repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    marked = near | alike[:, : size.height, : size.width]
    whole = Window.whole(size)
    is_seen = (was_there > _THERE).flatten(1).any(1).tolist()
    return [around(marks, size) if seen else whole for marks, seen in zip(marked, is_seen, strict=True)]


def around(marks: Tensor, size: Size) -> Window:
    """Everything that is marked in marks, bool [h, w] of a map of this size, at least one cell."""
    rows, columns = (marks.any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    return Window(Rect(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1), size)


def grouped(regions: Sequence[Window], cost: float = _SHARED) -> list[tuple[Window, list[int]]]:
    """Which objects are decoded together, and where: neighbours are joined as long as that saves work.

    Args:
        regions: of every object.
        cost: work on a cell that all objects share, as a share of that for one object.
    """
    groups = [(region, [number]) for number, region in enumerate(regions)]

    def work(region: Window, members: Sequence[int]) -> float:
        height, width = region.grown(_AROUND).shape
        return height * width * (cost + (1 - cost) * len(members))

    def saving(one: int, other: int) -> float:
        joined = _joined(groups[one], groups[other])
        return work(*groups[one]) + work(*groups[other]) - work(*joined)

    while len(groups) > 1:
        pairs = [(i, j) for j in range(len(groups)) for i in range(j)]
        best = max(pairs, key=lambda pair: saving(*pair))
        if saving(*best) < 0:
            break
        one, other = best
        groups[one] = _joined(groups[one], groups[other])
        del groups[other]
    return groups


def _joined(one: tuple[Window, list[int]], other: tuple[Window, list[int]]) -> tuple[Window, list[int]]:
    return Window(one[0].rect.union(other[0].rect), one[0].size), sorted(one[1] + other[1])


def is_touched(probs: Tensor, window: Window, rim: int = 1) -> bool:
    """Whether an object reaches a side of its region beyond which there is more of the frame.

    Args: probs: [K, h, w], the pixels of `window`. rim: how many pixels along a side count as the side.
    """
    (x0, y0, x1, y1), size = window.rect, window.size
    sides = [
        probs[:, :rim] if y0 > 0 else None,
        probs[:, -rim:] if y1 < size.height else None,
        probs[..., :rim] if x0 > 0 else None,
        probs[..., -rim:] if x1 < size.width else None,
    ]
    edges = [side.flatten() for side in sides if side is not None]
    return bool(edges) and bool(torch.cat(edges).max() > _THERE)
