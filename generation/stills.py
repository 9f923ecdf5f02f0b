"""Photographs with label maps: the raw material of training clips, and which of them are kept for measuring.

A folder of stills holds `<set>/<name>.jpg` with `<set>/<name>.png` beside it, or the pairs themselves. A label map has
one index per object or part, 0 for background and 255 for pixels nobody labelled.

    python -m generation.stills --images FOLDER --split heldout

lists a split; generation/heldout.txt is such a list.
"""
from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from util.errors import AppError
from util.types import IGNORE, ImageU8, IndexMask

Split = Literal["train", "heldout"]

HELD_OUT_PERCENT = 15
WHOLE_SETS = frozenset({"ccp"})
"""Sets whose labelled pixels together are one object (a person in tagged clothes)."""


@dataclass(frozen=True)
class Still:
    """One photograph.

    Args:
        set_name: the folder it lies in, name: its file name without the ending.
        image: RGB. labels: of the same size, 0 where nothing or nobody knows.
    """

    set_name: str
    name: str
    image: ImageU8
    labels: IndexMask


def is_held_out(set_name: str, name: str) -> bool:
    """Whether a still is kept for measuring: a fixed 15 % of every set, by its name alone.

    `heldout.txt` lists what this selects from the sets that the embedded weights were trained on.
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


def read_still(set_name: str, file: Path) -> Still:
    """Raises AppError for a file that cannot be read, is no label map, or has another size than its image."""
    try:
        with Image.open(file) as picture:
            image = np.asarray(picture.convert("RGB"))
        with Image.open(file.with_suffix(".png")) as picture:
            labels = np.asarray(picture)
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise AppError(f"{file} and its label map cannot be read: {error}") from error
    if labels.dtype != np.uint8 or labels.shape != image.shape[:2]:
        raise AppError(f"{file.with_suffix('.png')}: not a map of 8-bit labels of the size of its image.")
    return Still(set_name, file.stem, image, np.where(labels == IGNORE, 0, labels).astype(np.uint8))


def read_stills(folder: Path, split: Split) -> Iterator[Still]:
    for set_name, file in find_stills(folder, split):
        yield read_still(set_name, file)


def square(picture: ImageU8 | IndexMask, side: int) -> ImageU8 | IndexMask:
    """Stretched to side x side; labels are not mixed."""
    how = cv2.INTER_AREA if picture.ndim == 3 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, (side, side), interpolation=how), np.uint8)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m generation.stills", description="List the stills of one split, SET/NAME each."
    )
    parser.add_argument("--images", type=Path, required=True, help="folder of SET/NAME.jpg with SET/NAME.png beside it")
    parser.add_argument("--split", choices=["train", "heldout"], required=True)
    given = parser.parse_args()
    try:
        stills = find_stills(given.images, given.split)
    except AppError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(f"{set_name}/{file.stem}" for set_name, file in stills))
    return 0


if __name__ == "__main__":
    sys.exit(main())
