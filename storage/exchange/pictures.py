"""Mask pictures of any program: indices, greys or the DAVIS colours where they are that, else colours as they come."""
from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.exchange.format import Label, MaskReader
from storage.exchange.index_png import PngReader
from storage.mask_convert import Color, UnknownColorsError, from_colors, solid_colors
from storage.mask_io import read_colors, read_mask
from util.errors import AppError
from util.palette import davis_palette
from util.types import MAX_OBJECT_ID, IndexMask, Size

# A colour between two others, in RGB of 0..255, that fills this share of the rarer one's area at most, is their edge.
_EDGE_SHARE = 0.05
_EDGE_WIDTH = 12.0
# Colours nearer than this to a more frequent one are the same, coded with loss.
_SAME = 24.0
_BLACK: Color = (0, 0, 0)


@dataclass(frozen=True)
class ColorReader:
    """One picture per frame in colours of its own."""

    files: Mapping[int, Path]
    size: Size
    colors: Mapping[int, Color]
    notes: Sequence[str]
    title: str = "pictures in colours"

    @property
    def frames(self) -> Sequence[int]:
        return list(self.files)

    @property
    def labels(self) -> Mapping[int, Label]:
        return {value: Label("#{:02x}{:02x}{:02x}".format(*color), color) for value, color in self.colors.items()}

    def mask(self, frame: int) -> IndexMask:
        return from_colors(read_colors(self.files[frame], self.size), self.colors)


def open_pictures(files: Mapping[int, Path], size: Size) -> Generator[int, None, MaskReader]:
    """Find out what the pictures are; yields how many were looked at.

    Pictures whose values are ids are taken at their word. If one of them is in other colours, all are read by colour.

    Args:
        files: frame -> file.

    Raises:
        AppError: a picture is damaged or of another size, or there are too many colours.
    """
    try:
        for done, file in enumerate(files.values(), 1):
            read_mask(file, size)
            yield done
    except UnknownColorsError:
        blocks: Counter[Color] = Counter()
        for done, file in enumerate(files.values(), 1):
            blocks.update(solid_colors(read_colors(file, size)))
            if len(blocks) > 1 << 16:
                raise AppError(f"{file}: has the colours of a photograph.", "Choose masks.") from None
            yield done
        colors, num_snapped = main_colors(blocks)
        if not 1 <= len(colors) <= MAX_OBJECT_ID:
            raise AppError(
                f"{next(iter(files.values())).parent}: the masks are in {len(colors)} colours; 1 to {MAX_OBJECT_ID} "
                "are read.", "Save the masks in plain colours, one per object, on black.",
            ) from None
        notes = [f"{num_snapped} colours of edges were taken for the nearest of the others."] if num_snapped else []
        return ColorReader(files, size, _numbered(colors), notes)
    return PngReader(files, size)


def main_colors(blocks: Mapping[Color, int]) -> tuple[list[Color], int]:
    """The colours that are objects, most frequent first, and how many others there are. Black is background.

    Args:
        blocks: colour -> how many 2x2 blocks it fills: edges are thin and fill few.
    """
    kept: list[Color] = []
    for color, count in sorted(blocks.items(), key=lambda item: (-item[1], item[0])):
        others = [*kept, _BLACK]
        if color == _BLACK or any(_distance(color, other) < _SAME for other in others):
            continue
        if len(kept) <= MAX_OBJECT_ID and not _is_edge(color, count, others, blocks):
            kept.append(color)
    return kept, len(set(blocks) - {_BLACK}) - len(kept)


def _is_edge(color: Color, count: int, others: Sequence[Color], blocks: Mapping[Color, int]) -> bool:
    """Whether a colour is a mixture of two others and fills little."""
    for a, b in itertools.combinations(others, 2):
        rarer = min(blocks[other] for other in (a, b) if other != _BLACK)
        if count <= _EDGE_SHARE * rarer and _off_line(color, a, b) < _EDGE_WIDTH:
            return True
    return False


def _off_line(color: Color, a: Color, b: Color) -> float:
    """Distance of a colour from the mixtures of two others."""
    start, way = _vector(a), _vector(b) - _vector(a)
    share = float(np.clip(np.dot(_vector(color) - start, way) / np.dot(way, way), 0, 1))
    return float(np.linalg.norm(_vector(color) - start - share * way))


def _distance(a: Color, b: Color) -> float:
    return float(np.linalg.norm(_vector(a) - _vector(b)))


def _vector(color: Color) -> NDArray[np.float64]:
    return np.array(color, np.float64)


def _numbered(colors: Sequence[Color]) -> dict[int, Color]:
    """Colours of the DAVIS palette keep its numbers, the others get those that are left."""
    palette = {(r, g, b): number for number, (r, g, b) in enumerate(davis_palette()[: MAX_OBJECT_ID + 1].tolist())}
    own = {palette[color]: color for color in colors if color in palette}
    free = (number for number in range(1, MAX_OBJECT_ID + 1) if number not in own)
    return dict(sorted({**own, **{next(free): color for color in colors if color not in palette}}.items()))
