"""Writes rendered clips with their exact masks as a data set in the DAVIS layout.

    python -m generation.sequences --pack heldout.npz --out DIR --count 20 --frames 24 --side 256 [--film]

`DIR/JPEGImages/480p/NAME/00000.jpg` and `DIR/Annotations/480p/NAME/00000.png` are where the public tools look for
frames and masks, whatever their size. The same pack and numbers give the same clips. Frames are as far apart as in
training, less so the more there are; with `--film`, neighbours are as near as in a film. `--turning`: pasted objects
show sides that were not seen on the first frame.
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from generation.clips import ClipBatch, ClipRenderer
from generation.pack import load_pack
from storage.atomic_file import write_atomic
from storage.mask_io import write_mask
from util.errors import AppError
from util.flags import integer

IMAGES, MASKS = Path("JPEGImages", "480p"), Path("Annotations", "480p")
SIDE_STEP = 16
"""Sides are multiples of this."""

_JPEG_QUALITY = 92
_SEED = 7
"""Apart from what trainings and their scores use."""
_CALM = 6
"""Clips of more frames move less from one frame to the next, so that objects stay in the picture as long."""
_AREA = (1.0, 100.0)
_TRIES = 40
"""Clips looked at for every clip written, at most."""
_GLANCE = 64
"""Side at which clips are looked at before they are rendered: a batch shows the same at every side."""


def write_sequences(
    pack: Path,
    out: Path,
    *,
    count: int,
    frames: int,
    side: int,
    is_film: bool = False,
    is_turning: bool = False,
    objects: int = 2,
    area: tuple[float, float] = _AREA,
) -> list[str]:
    """Render `count` clips of side x side pixels into `out`; returns their names.

    Args:
        is_film: frames are as near to each other as those of a film.
        is_turning: pasted objects show other sides of themselves later on.
        objects: followed at most.
        area: of the first frame that the objects cover, in percent, from and to.

    Raises:
        AppError: `pack` is none, `side` does not suit, or something cannot be written.
    """
    if side < SIDE_STEP or side % SIDE_STEP:
        raise AppError(f"--side {side}: the side of a clip is a multiple of {SIDE_STEP}.", "Take 192 or 256.")
    hard, near = (1.0, 1.0) if is_film else (min(1.0, _CALM / frames), 0.0)
    renderer = ClipRenderer(
        load_pack(pack), torch.device("cpu"), seed=_SEED, frames=frames, objects=objects,
        hard=hard, near=near, turning=float(is_turning),
    )
    names: list[str] = []
    for number in range(count * _TRIES):
        covered = 100 * float(renderer.batch(number, 1, _GLANCE).mask[0, 0].sum()) / _GLANCE**2
        if area[0] <= covered <= area[1]:
            names.append(f"clip{len(names):03d}")
            _write(renderer.batch(number, 1, side), out, names[-1])
        if len(names) == count:
            return names
    raise AppError(f"{pack}: hardly a clip shows objects of {area[0]:g} to {area[1]:g} %.", "Choose another --area.")


def _write(clip: ClipBatch, out: Path, name: str) -> None:
    for folder in (out / IMAGES / name, out / MASKS / name):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AppError(f"{folder}: cannot make this folder ({error.strerror}).", "Choose another --out.") from error
    numbers = torch.arange(1, clip.mask.shape[2] + 1).view(1, -1, 1, 1)
    pictures = (clip.image[0].permute(0, 2, 3, 1) * 255).round().byte().numpy()
    labels = (clip.mask[0] * numbers).sum(1).byte().numpy()
    for frame, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        write_atomic(out / IMAGES / name / f"{frame:05d}.jpg", _jpeg(picture))
        write_mask(out / MASKS / name / f"{frame:05d}.png", label)


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert done
    return data.tobytes()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m generation.sequences", description="Write clips with their masks.")
    parser.add_argument("--pack", type=Path, required=True, help="pack of pictures (python -m generation.pack)")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--count", type=integer(1), default=20, help="clips (default: 20)")
    parser.add_argument("--frames", type=integer(2), default=24, help="frames of each (default: 24)")
    parser.add_argument("--side", type=integer(1), default=256, help="height and width in pixels (default: 256)")
    parser.add_argument("--film", action="store_true", help="frames as near to each other as those of a film")
    parser.add_argument("--turning", action="store_true", help="pasted objects show other sides of themselves later on")
    parser.add_argument("--objects", type=int, choices=(1, 2), default=2, help="followed at most (default: 2)")
    parser.add_argument(
        "--area", type=float, nargs=2, metavar=("FROM", "TO"), default=_AREA,
        help="of the first frame that the objects cover, in percent (default: 1 100)",
    )
    given = parser.parse_args(argv)
    try:
        names = write_sequences(
            given.pack, given.out, count=given.count, frames=given.frames, side=given.side,
            is_film=given.film, is_turning=given.turning, objects=given.objects, area=tuple(given.area),
        )
    except AppError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(names)} clips of {given.frames} frames: {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
