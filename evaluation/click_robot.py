"""Prompts that a user would give, computed from the truth: clicks and scribbles where the mask is most wrong.

Deterministic, so that every predictor is asked the same and a figure can be had again. The click is the one of the
interactive segmentation literature (Xu et al., CVPR 2016; in the form of Sofiiuk et al., CVPR 2020): the pixel deepest
inside the missing or the superfluous region. The scribble runs along the middle of the largest wrong part, as the robot
of Caelles et al. (arXiv 1803.00557) draws it.

Pixels that do not count (an ignore label) are made to agree by the caller: `np.where(ignored, gt, prediction)`.
"""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from interact.prompts import Click, Hint, Point, Stroke

Region = NDArray[np.bool_]
_Pixel = tuple[int, int]

STROKE_WIDTH = 3.0
"""Image pixels that a scribble of the robot says for sure across its line."""
_SKELETON_SIDE = 64
"""A part is thinned at this longer side: the middle of a large region does not need its every pixel."""
_END_DEPTH = 0.5
"""A scribble stops where the region is narrower than this share of its widest place on the way."""
_STROKE_POINTS = 24
_TURN_8 = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""The eight neighbours of a pixel, (row, column), clockwise from the one above."""


def next_click(gt: Region, prediction: Region, clicked: Sequence[Click] = ()) -> Click | None:
    """Where a user would click next.

    Args:
        gt, prediction: bool [h, w], the true and the present mask.
        clicked: the clicks so far; their pixels are not clicked again.

    Returns:
        The middle of the pixel that is farthest from the border of its region, missing (positive) or superfluous
        (negative); the border of the image is one too, the first such pixel in row order wins, and negative ones win
        a tie. None when no pixel is wrong that has not been clicked.
    """
    missing, extra = _depth(gt & ~prediction), _depth(prediction & ~gt)
    for click in clicked:
        missing[int(click.y), int(click.x)] = extra[int(click.y), int(click.x)] = 0.0
    positive = bool(missing.max() > extra.max())
    depth = missing if positive else extra
    row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
    if depth[row, column] == 0.0:
        return None
    return Click(float(column) + 0.5, float(row) + 0.5, positive)


def next_scribble(gt: Region, prediction: Region) -> Stroke | None:
    """The line a user would draw next: along the middle of the largest connected missing or superfluous part.

    Args:
        gt, prediction: bool [h, w], the true and the present mask.

    Returns:
        A stroke whose every point lies in that part (a single point where the part is tiny); None when all is right.
    """
    missing, extra = _largest_part(gt & ~prediction), _largest_part(prediction & ~gt)
    positive = bool(np.count_nonzero(missing) >= np.count_nonzero(extra))
    part = missing if positive else extra
    return Stroke(tuple(_middle_line(part)), positive, STROKE_WIDTH) if part.any() else None


def next_prompt(gt: Region, prediction: Region, given: Sequence[Hint], *, scribble: bool) -> Hint | None:
    """One more prompt of the kind that is asked for; None when there is nothing left to say."""
    if scribble:
        return next_scribble(gt, prediction)
    return next_click(gt, prediction, [prompt for prompt in given if isinstance(prompt, Click)])


def _depth(region: Region) -> NDArray[np.float32]:
    """float32 [h, w]: distance of each pixel of `region` to the nearest one outside it, as is what is off the image."""
    padded = np.pad(region, 1).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1], np.float32)


def _largest_part(region: Region) -> Region:
    """The largest 8-connected part; the first in row order wins a tie."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.asarray(parts == 1 + int(np.argmax(areas)), np.bool_) if len(areas) else region


def _middle_line(part: Region) -> list[Point]:
    """Points along the longest way through the skeleton of a connected region that is not empty."""
    x, y, width, height = cv2.boundingRect(part.view(np.uint8))
    window = part[y : y + height, x : x + width]
    scale = min(1.0, _SKELETON_SIDE / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(window.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST), np.bool_)
    depth = _depth(small)
    way = _longest_way(_largest_part(_thin(small)))
    depths = [float(depth[pixel]) for pixel in way]
    wide = [i for i, value in enumerate(depths) if value >= _END_DEPTH * max(depths)]
    if wide:
        way = way[wide[0] : wide[-1] + 1]
    chosen = [way[i] for i in sorted({round(i) for i in np.linspace(0, len(way) - 1, _STROKE_POINTS)})] if way else []
    columns = [min(width - 1, int((column + 0.5) * width / size[0])) for _, column in chosen]
    rows = [min(height - 1, int((row + 0.5) * height / size[1])) for row, _ in chosen]
    points = [Point(x + c + 0.5, y + r + 0.5) for r, c in zip(rows, columns, strict=True) if window[r, c]]
    if points:
        return points
    row, column = np.unravel_index(int(np.argmax(_depth(window))), window.shape)
    return [Point(x + float(column) + 0.5, y + float(row) + 0.5)]


def _thin(region: Region) -> Region:
    """Lines one pixel wide in the middle of bool [h, w], by the parallel algorithm of Zhang and Suen (CACM 1984)."""
    lines = np.pad(region, 1)
    while True:
        removed = False
        for step in (0, 1):
            ring = np.stack([np.roll(lines, (-row, -column), (0, 1)) for row, column in _TURN_8])
            count = ring.sum(axis=0)
            starts = (~ring & np.roll(ring, -1, axis=0)).sum(axis=0)
            up, right, down, left = ring[0], ring[2], ring[4], ring[6]
            holds = right & down & (up | left) if step == 0 else up & left & (right | down)
            goes = lines & (count >= 2) & (count <= 6) & (starts == 1) & ~holds
            removed = removed or bool(goes.any())
            lines = lines & ~goes
        if not removed:
            return np.asarray(lines[1:-1, 1:-1], np.bool_)


def _longest_way(lines: Region) -> list[_Pixel]:
    """The way, (row, column) by (row, column), between the two pixels of a skeleton that are farthest apart on it."""
    pixels = {(int(row), int(column)) for row, column in np.argwhere(lines)}
    if not pixels:
        return []
    end, _ = _walk(pixels, min(pixels))
    other, came_from = _walk(pixels, end)
    way = [other]
    while way[-1] != end:
        way.append(came_from[way[-1]])
    return way


def _walk(pixels: set[_Pixel], start: _Pixel) -> tuple[_Pixel, dict[_Pixel, _Pixel]]:
    """The pixel reached last, breadth first, and from where each was reached."""
    came_from: dict[_Pixel, _Pixel] = {start: start}
    queue = [start]
    for row, column in queue:
        for down, right in _TURN_8:
            near = (row + down, column + right)
            if near in pixels and near not in came_from:
                came_from[near] = (row, column)
                queue.append(near)
    return queue[-1], came_from
