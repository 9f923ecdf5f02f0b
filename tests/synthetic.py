"""A small synthetic video with exact masks: textured shapes that move over a textured background.

The size is odd in both directions, so that every engine has to pad, and object 2 passes in front of object 1.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from util.palette import davis_palette
from util.types import ImageU8, IndexMask, Size

NUM_FRAMES = 12
SIZE = Size(65, 97)


@dataclass(frozen=True)
class SyntheticVideo:
    """Frames with their ground truth.

    Args:
        frames: read-only uint8 [65, 97, 3] each, RGB.
        masks: read-only uint8 [65, 97] each; 0 background, 1 a disc, 2 a rectangle in front of it, 3 a turning bar.
    """

    frames: tuple[ImageU8, ...]
    masks: tuple[IndexMask, ...]

    @property
    def size(self) -> Size:
        return SIZE

    @property
    def object_ids(self) -> tuple[int, ...]:
        return (1, 2, 3)

    def __len__(self) -> int:
        return len(self.frames)

    def write_frames(self, folder: Path) -> Path:
        """Write `00000.png` ... into `folder` (made when missing), losslessly; returns `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, frame in enumerate(self.frames):
            Image.fromarray(frame).save(folder / f"{number:05d}.png")
        return folder

    def write_masks(self, folder: Path) -> Path:
        """Write the ground truth as palette PNGs of the same names; returns `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, mask in enumerate(self.masks):
            image = Image.fromarray(mask)
            image.putpalette(davis_palette().tobytes())
            image.save(folder / f"{number:05d}.png")
        return folder


def _texture(rng: np.random.Generator, size: Size, color: tuple[int, int, int], cell: int) -> NDArray[np.float32]:
    """float32 [H, W, 3]: blocks of `cell` pixels around one colour, so that shapes have an inside to track."""
    rows, cols = -(-size.height // cell), -(-size.width // cell)
    blocks = rng.uniform(-45, 45, (rows, cols, 1)) + rng.uniform(-12, 12, (rows, cols, 3))
    full = np.repeat(np.repeat(blocks, cell, axis=0), cell, axis=1)[: size.height, : size.width]
    return (full + np.asarray(color)).astype(np.float32)


def _shapes(frame: int) -> list[tuple[int, NDArray[np.bool_], tuple[int, int]]]:
    """(object id, area bool [H, W], offset (x, y) that its texture has moved by), from back to front."""
    row, col = np.mgrid[: SIZE.height, : SIZE.width].astype(np.float64) + 0.5
    disc_x, disc_y = 26 + 2 * frame, 30 + round(4 * np.sin(frame / 3))
    disc = (col - disc_x) ** 2 + (row - disc_y) ** 2 < 14.5**2
    box_x, box_y = 66 - 3 * frame, 34
    box = (col >= box_x) & (col < box_x + 20) & (row >= box_y) & (row < box_y + 17)
    angle = 0.08 * frame
    bar_x, bar_y = col - 78, row - 13
    along = bar_x * np.cos(angle) + bar_y * np.sin(angle)
    across = -bar_x * np.sin(angle) + bar_y * np.cos(angle)
    bar = (np.abs(along) < 13) & (np.abs(across) < 4.5)
    return [(3, bar, (0, 0)), (1, disc, (disc_x, disc_y)), (2, box, (box_x, box_y))]


@lru_cache(maxsize=1)
def make_synthetic_video() -> SyntheticVideo:
    """The same video every time: T=12, 65x97 (height x width), three objects, all of them visible in every frame."""
    rng = np.random.default_rng(20)
    background = _texture(rng, SIZE, (105, 120, 95), 6)
    textures = {
        1: _texture(rng, SIZE, (190, 80, 60), 3),
        2: _texture(rng, SIZE, (60, 90, 190), 3),
        3: _texture(rng, SIZE, (205, 190, 90), 3),
    }
    frames, masks = [], []
    for number in range(NUM_FRAMES):
        image = np.roll(background, (0, -number // 2), axis=(0, 1))
        mask = np.zeros(SIZE, np.uint8)
        for object_id, area, (x, y) in _shapes(number):
            image = np.where(area[..., None], np.roll(textures[object_id], (y, x), axis=(0, 1)), image)
            mask[area] = object_id
        noisy = image + rng.normal(0, 2, image.shape)
        frames.append(np.clip(noisy, 0, 255).round().astype(np.uint8))
        masks.append(mask)
    for array in (*frames, *masks):
        array.setflags(write=False)
    return SyntheticVideo(tuple(frames), tuple(masks))
