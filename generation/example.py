"""Renders the example video with its ground truth: `python -m generation.example [--output examples]`.

Writes `example.mp4` and one palette PNG per frame in `masks/`. The pictures and masks are the same every time; the
video file may differ by a few bytes between versions of the encoder.
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from generation.scene import Scene
from storage.mask_io import write_mask
from storage.video_writer import VideoWriter
from util.errors import AppError

HEIGHT = 480
NUM_FRAMES = 96
RATE = Fraction(24)


def write_example(folder: Path) -> None:
    """Render everything into `folder`, which is made when missing; AppError when it cannot be written."""
    masks = folder / "masks"
    try:
        masks.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AppError(f"{masks}: cannot make this folder ({error.strerror}).", "Choose another --output.") from error
    scene = Scene(HEIGHT, NUM_FRAMES)
    with VideoWriter(folder / "example.mp4", scene.size, RATE) as video:
        for number in range(NUM_FRAMES):
            frame = scene.render(number)
            video.write(frame.image)
            write_mask(masks / f"{number:05d}.png", frame.mask)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m generation.example", description="Render the example video.")
    parser.add_argument("--output", type=Path, default=Path("examples"), help="folder to write to (default: examples)")
    folder = parser.parse_args(argv).output
    try:
        write_example(folder)
    except AppError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{NUM_FRAMES} frames: {folder / 'example.mp4'}, ground truth in {folder / 'masks'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
