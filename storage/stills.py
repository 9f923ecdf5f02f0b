"""Photographs with label maps on disk, and which of them are kept for measuring.

A folder of stills holds `<set>/<name>.jpg` with `<set>/<name>.png` beside it, or the pairs themselves. A label map has
one index per object or part, 0 for background and 255 for pixels nobody labelled.
"""
from __future__ import annotations

import zlib
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from util.errors import AppError
from util.types import ImageU8, IndexMask

Split = Literal["train", "heldout"]

HELD_OUT_PERCENT = 15
WHOLE_SETS = frozenset({"ccp"})
"""Sets whose labelled pixels together are one object (a person in tagged clothes)."""


def is_held_out(set_name: str, name: str) -> bool:
    """Whether a still is kept for measuring: a fixed 15 % of every set, by its name alone.

    `generation/heldout.txt` lists what this selects from the sets that the embedded weights were trained on.
    """
    return zlib.crc32(f"{set_name}/{name}".encode()) % 100 < HELD_OUT_PERCENT


def find_stills(folder: Path, split: Split) -> list[tuple[str, Path]]:
    """(set name, image file) of one split, in a fixed order. Raises AppError if there are none."""
    images = sorted(folder.glob("*/*.jpg")) or sorted(folder.glob("*.jpg"))
    found = [(file.parent.name, file) for file in images if file.with_suffix(".png").is_file()]
    chosen = [(name, file) for name, file in found if is_held_out(name, file.stem) == (split == "heldout")]
    if not chosen:
        raise AppError(
            f"{folder}: no stills of the split {split} here.", "Expected: SET/NAME.jpg with SET/NAME.png beside it."
        )
    return chosen


def read_labelled(file: Path) -> tuple[ImageU8, IndexMask]:
    """A photograph and its label map, of the same size.

    Raises:
        AppError: a file cannot be read, is no label map, or has another size than its image.
    """
    try:
        with Image.open(file) as picture:
            image = np.asarray(picture.convert("RGB"))
        with Image.open(file.with_suffix(".png")) as picture:
            labels = np.asarray(picture)
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise AppError(f"{file} and its label map cannot be read: {error}") from error
    if labels.dtype != np.uint8 or labels.shape != image.shape[:2]:
        raise AppError(f"{file.with_suffix('.png')}: not a map of 8-bit labels of the size of its image.")
    return image, labels
