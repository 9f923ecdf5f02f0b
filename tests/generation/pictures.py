"""Tiny folders of stills, and packs made of them."""
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from generation.pack import Pack, build_pack
from generation.stills import Split, is_held_out
from util.types import ImageU8, IndexMask

SIDE = 64


def ramp(side: int = SIDE) -> ImageU8:
    """Red grows to the right, green downwards: a colour tells where in the picture it is."""
    row, col = np.mgrid[:side, :side] * (235 / side) + 10
    return np.stack([col, row, np.full((side, side), 128.0)], -1).astype(np.uint8)


def blocks(side: int = SIDE) -> IndexMask:
    """Segments 1 (a square in the middle) and 2 (one touching it)."""
    labels = np.zeros((side, side), np.uint8)
    labels[side // 4 : side // 2, side // 4 : side // 2] = 1
    labels[side // 4 : side // 2, side // 2 : 3 * side // 4] = 2
    return labels


def names(split: Split, count: int, set_name: str = "set") -> list[str]:
    """The first names of a split."""
    both = (f"{number:04d}" for number in range(1000))
    chosen = [name for name in both if is_held_out(set_name, name) == (split == "heldout")]
    return chosen[:count]


def write_still(folder: Path, name: str, image: ImageU8, labels: IndexMask) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{name}.jpg"), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
    cv2.imwrite(str(folder / f"{name}.png"), labels)


def write_stills(folder: Path, train: int = 3, heldout: int = 2) -> Path:
    """`folder/set` with so many ramps of both splits."""
    for name in names("train", train) + names("heldout", heldout):
        write_still(folder / "set", name, ramp(), blocks())
    return folder


def tiny_pack(folder: Path, split: Split = "train", *, scenes: int = 0, shapes: int = 0) -> Pack:
    """Pack of the ramps, whose colours tell places."""
    return build_pack(write_stills(folder), split, side=SIDE, quality=98, scenes=scenes, shapes=shapes)
