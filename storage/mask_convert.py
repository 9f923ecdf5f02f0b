"""From the pixels of somebody's picture to object ids. Pure arrays: no files, any thread.

Masks come from many programs. What they mean is decided here, once:

- grey values and palette indices are ids; 0 is background, 255 is *ignore*;
- a mask whose only non-zero value is the largest one (255, 65535, one-bit) is binary: object 1;
- colours are ids by the DAVIS palette; antialiased edge pixels, grey or coloured, take a neighbour's id;
- everything that would invent objects is refused.
"""
from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from util.errors import AppError
from util.palette import davis_palette
from util.types import IGNORE, MAX_OBJECT_ID, ImageU8, IndexMask

_EDGE_REACH = 2  # pixels: an antialiased pixel lies this near to a clean one
_MAX_EDGE_SHARE = 0.10  # of the picture
_MIN_RAMP = 3  # grey levels between 0 and 255 that make an edge; fewer are small objects beside an ignored area
_MAX_FLAT_SHARE = 0.5  # of the pixels between black and white
_FAR = 1 << 20  # more than any two colours are apart, squared
_PALETTE_HINT = "Save the mask as a palette or grey PNG, or use exactly the colours of the DAVIS palette."


Color = tuple[int, int, int]


class UnknownColorsError(AppError):
    """A mask in colours that are no ids by themselves."""


def from_indices(values: IndexMask) -> IndexMask:
    """Ids from palette indices, uint8 [H, W]: taken as they are, except that 255 alone is object 1."""
    present = present_values(values)
    if present == (IGNORE,):
        return np.asarray(values == IGNORE, np.uint8)
    return values


def from_grey(values: IndexMask) -> IndexMask:
    """Ids from 8-bit grey, uint8 [H, W]; the soft edge of a binary mask is cut at the middle."""
    if _is_soft_binary(values):
        return (values >= 128).astype(np.uint8)
    return from_indices(values)


def from_deep_grey(values: NDArray[np.integer], path: Path) -> IndexMask:
    """Ids from grey of more than 8 bits, [H, W]. Raises AppError for ids that do not fit."""
    low, high = int(values.min()), int(values.max())
    if low < 0:
        raise AppError(f"{path}: holds the value {low}; object ids are 0..{MAX_OBJECT_ID}.", _PALETTE_HINT)
    if high <= IGNORE:
        return from_grey(values.astype(np.uint8))
    present = np.unique(values)
    if high == 65535 and set(present.tolist()) <= {0, 65535}:
        return (values > 0).astype(np.uint8)
    num_objects = int(np.count_nonzero(present))
    raise AppError(
        f"{path}: holds {num_objects} object ids up to {high}; ids run from 1 to {MAX_OBJECT_ID}.",
        f"Renumber the objects from 1 and keep at most {MAX_OBJECT_ID}.",
    )


def from_rgb(image: ImageU8, path: Path) -> IndexMask:
    """Ids from colours, uint8 [H, W, 3] -> uint8 [H, W].

    Raises:
        UnknownColorsError: colours that are not in the DAVIS palette and are more than a thin antialiased edge.
    """
    ids, is_known = _look_up(image)
    if is_known.all():
        return from_indices(ids)
    if (image == image[..., :1]).all():
        return from_grey(np.ascontiguousarray(image[..., 0]))
    # A half-transparent edge of one colour may hit another palette colour by chance (64,0,0 lies between black and
    # 128,0,0), so only colours that fill a 2x2 block somewhere count as objects.
    clean = [0, *_solid_ids(ids)]
    is_clean = is_known & np.isin(ids, clean)
    _check_edges(image, is_clean, len(clean) > 1, path)
    return from_indices(_snap(image, ids, is_clean, {i: davis_palette()[i] for i in clean}))


def solid_colors(image: ImageU8) -> dict[Color, int]:
    """The colours of uint8 [H, W, 3] that fill a 2x2 block somewhere -> the number of such blocks."""
    packed = _pack(image)
    found, counts = np.unique(packed[1:, 1:][_flat_blocks(packed)], return_counts=True)
    return {
        (value >> 16, value >> 8 & 255, value & 255): count
        for value, count in zip(found.tolist(), counts.tolist(), strict=True)
    }


def from_colors(image: ImageU8, colors: Mapping[int, Color]) -> IndexMask:
    """Ids from colours, uint8 [H, W, 3] -> uint8 [H, W]: a pixel of another colour takes the nearest one.

    Args:
        colors: id -> RGB; black is background. Colours within two pixels go before others.
    """
    table = {0: (0, 0, 0), **colors}
    packed = _pack(image)
    ids = np.zeros(packed.shape, np.uint8)
    is_clean = np.zeros(packed.shape, np.bool_)
    for object_id, color in table.items():
        is_it = packed == _pack(np.array(color, np.uint8))
        ids[is_it] = object_id
        is_clean |= is_it
    return ids if is_clean.all() else _snap(image, ids, is_clean, {i: np.array(c) for i, c in table.items()})


def present_values(mask: IndexMask) -> tuple[int, ...]:
    """The non-zero values of uint8 [H, W], ascending. About 1 ms for a 1080p mask (np.unique: 8 ms)."""
    histogram = cv2.calcHist([np.ascontiguousarray(mask)], [0], None, [256], [0, 256])
    return tuple(int(value) for value in np.flatnonzero(histogram) if value)


def _near(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool [H, W]: pixels at most `_EDGE_REACH` from a true one."""
    kernel = np.ones((2 * _EDGE_REACH + 1, 2 * _EDGE_REACH + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel), bool)


def _is_soft_binary(values: IndexMask) -> bool:
    """True for black and white with an antialiased or feathered edge, which must not become a crowd of objects.

    A ramp has levels that follow each other in thin lines; objects are flat.
    """
    levels = present_values(values)
    if len(levels) <= _MIN_RAMP or levels[-1] != IGNORE or values.min() > 0:
        return False
    between = (values != IGNORE) & (values != 0)
    blocks = _flat_blocks(values)
    is_flat = np.zeros(values.shape, bool)
    for rows, cols in itertools.product((slice(1, None), slice(None, -1)), repeat=2):
        is_flat[rows, cols] |= blocks
    return bool((is_flat & between).sum() < _MAX_FLAT_SHARE * between.sum())


def _flat_blocks(values: NDArray[np.unsignedinteger]) -> NDArray[np.bool_]:
    """bool [H-1, W-1]: the 2x2 block whose last corner is at (+1, +1) has one value."""
    corner = values[1:, 1:]
    is_flat = (corner == values[:-1, :-1]) & (corner == values[1:, :-1]) & (corner == values[:-1, 1:])
    return np.asarray(is_flat, bool)


@lru_cache(maxsize=1)
def _palette_order() -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    packed = _pack(davis_palette())
    order = np.argsort(packed)
    return packed[order], order.astype(np.uint8)


def _pack(colors: NDArray[np.uint8]) -> NDArray[np.uint32]:
    wide = colors.astype(np.uint32)
    return np.asarray((wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2], np.uint32)


def _look_up(image: ImageU8) -> tuple[IndexMask, NDArray[np.bool_]]:
    """(ids uint8 [H, W], known bool [H, W]); ids are 0 where the colour is unknown."""
    palette, order = _palette_order()
    packed = _pack(image)
    place = np.minimum(np.searchsorted(palette, packed), len(palette) - 1)
    is_known = palette[place] == packed
    return np.where(is_known, order[place], 0).astype(np.uint8), is_known


def _solid_ids(ids: IndexMask) -> list[int]:
    """Non-zero ids that fill a 2x2 block somewhere (unknown pixels have id 0)."""
    return [int(value) for value in np.unique(ids[1:, 1:][_flat_blocks(ids)]) if value]


def _check_edges(image: ImageU8, is_clean: NDArray[np.bool_], has_objects: bool, path: Path) -> None:
    """AppError unless the unclean pixels are few and lie along clean areas."""
    stray = ~is_clean & ~_near(is_clean)
    share = 1 - is_clean.mean()
    if has_objects and share <= _MAX_EDGE_SHARE and not stray.any():
        return
    rows, cols = np.nonzero(stray if stray.any() else ~is_clean)
    red, green, blue = (int(value) for value in image[rows[0], cols[0]])
    num_colors = len(np.unique(_pack(image[~is_clean])))
    raise UnknownColorsError(
        f"{path}: {num_colors} colours over {share:.0%} of the picture are not in the DAVIS palette, for example "
        f"#{red:02x}{green:02x}{blue:02x} at x {cols[0]}, y {rows[0]}.",
        _PALETTE_HINT,
    )


def _snap(
    image: ImageU8, ids: IndexMask, is_clean: NDArray[np.bool_], colors: Mapping[int, NDArray[np.integer]]
) -> IndexMask:
    """`ids` with every unclean pixel given the nearest of the colours of its id; those within reach go before."""
    rows, cols = np.nonzero(~is_clean)
    pixels = image[rows, cols].astype(np.int32)
    best = np.full(len(rows), np.iinfo(np.int32).max, np.int32)
    chosen = np.zeros(len(rows), np.uint8)
    for object_id, color in colors.items():
        distance = ((pixels - color.astype(np.int32)) ** 2).sum(axis=1, dtype=np.int32)
        is_near = _near(is_clean & (ids == object_id))[rows, cols]
        distance += np.where(is_near, 0, _FAR).astype(np.int32)
        is_better = distance < best
        best[is_better] = distance[is_better]
        chosen[is_better] = object_id
    snapped = ids.copy()
    snapped[rows, cols] = chosen
    return snapped
