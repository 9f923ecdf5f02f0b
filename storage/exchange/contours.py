"""Regions as polygons whose corners are pixels: a polygon's pixels are those inside it and on its line.

That is what OpenCV's `fillPoly` and Pillow's polygon with an outline draw, and with them labelme and YOLO's trainers.
"""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from util.types import Size

Ring = NDArray[np.int32]
"""int32 [n, 2]: the corners (x, y) of a closed line."""


def rings(region: NDArray[np.bool_]) -> list[tuple[Ring, list[Ring]]]:
    """Every connected part of bool [H, W] (pixels that touch at a corner are connected): its outline, its holes."""
    lines, tree = cv2.findContours(region.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not lines:
        return []
    parents = np.asarray(tree).reshape(-1, 4)[:, 3].tolist()
    parts: dict[int, tuple[Ring, list[Ring]]] = {}
    for place, parent in enumerate(parents):
        if parent < 0:
            parts[place] = (_ring(lines[place]), [])
    for place, parent in enumerate(parents):
        if parent >= 0:
            parts[parent][1].append(_ring(lines[place]))
    return list(parts.values())


def fill(outlines: Sequence[Ring], size: Size) -> NDArray[np.bool_]:
    """bool [H, W]: inside an odd number of the outlines, or on one of them."""
    canvas = np.zeros(size, np.uint8)
    cv2.fillPoly(canvas, [np.asarray(outline, np.int32).reshape(-1, 1, 2) for outline in outlines], (1,))
    return canvas.astype(np.bool_)


def joined(region: NDArray[np.bool_]) -> Ring | None:
    """One closed line around all parts and holes of bool [H, W]; None for an empty region.

    Parts and holes are joined by bridges, lines there and back between their nearest corners. The pixels under a
    bridge are inside, so a region of several parts gets a thin line between them.
    """
    pieces = [ring for outline, holes in rings(region) for ring in (outline, *holes)]
    if not pieces:
        return None
    pieces.sort(key=len, reverse=True)
    line, left = pieces[0], pieces[1:]
    gaps = [_gap(line, piece) for piece in left]
    while left:
        place = min(range(len(left)), key=lambda i: gaps[i][0])
        piece, (_, at, start) = left.pop(place), gaps.pop(place)
        where = int(np.flatnonzero((line == at).all(axis=1))[0])
        turned = np.roll(piece, -start, axis=0)
        line = np.concatenate((line[: where + 1], turned, turned[:1], line[where:]))
        gaps = [min(gap, _gap(piece, other), key=lambda g: g[0]) for gap, other in zip(gaps, left, strict=True)]
    return line


def _ring(line: ArrayLike) -> Ring:
    return np.asarray(line, np.int32).reshape(-1, 2)


def _gap(line: Ring, piece: Ring) -> tuple[float, Ring, int]:
    """(squared distance, corner of the line, number of the corner of the piece) where the two are nearest."""
    best = (np.inf, line[0], 0)
    for begin in range(0, len(line), 1024):  # bounds the table of distances
        part = line[begin : begin + 1024].astype(np.float64)
        table = ((part[:, None] - piece[None]) ** 2).sum(axis=2)
        row, column = np.unravel_index(int(table.argmin()), table.shape)
        if table[row, column] < best[0]:
            best = (float(table[row, column]), line[begin + int(row)], int(column))
    return best
