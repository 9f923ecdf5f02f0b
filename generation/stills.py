"""Photographs with label maps as the raw material of training clips; `storage.stills` says how they lie on disk.

    python -m generation.stills --images FOLDER --split heldout

lists a split; generation/heldout.txt is such a list.
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from storage.stills import WHOLE_SETS, Split, find_stills, is_held_out, read_labelled
from util.errors import AppError
from util.types import IGNORE, ImageU8, IndexMask

__all__ = ["WHOLE_SETS", "Split", "Still", "find_stills", "is_held_out", "read_still", "read_stills", "square"]


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


def read_still(set_name: str, file: Path) -> Still:
    """Raises AppError for a file that cannot be read, is no label map, or has another size than its image."""
    image, labels = read_labelled(file)
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
