"""A picture of where masks are right and wrong: the best, the middle and the worst frames of every sequence.

    python -m evaluation.error_sheet --images DIR --gt DIR --pred DIR --out sheet.png [--worst 3]

Every sequence gets a row: its best frame, the one in the middle, and the worst ones, at least a tenth of the sequence
apart so that they are not one mistake seen again and again. What is right is tinted green, what is missing red, what is
too much blue; the object ids do not matter, pixels given to another object than the true one are missing and too much
at once (magenta). Figures tell how bad a result is, a look tells why.
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from evaluation.metrics import region_similarity
from evaluation.sequences import SequencePair, find_sequences
from storage.atomic_file import write_atomic
from storage.frame_source import open_source
from storage.mask_convert import present_values
from storage.mask_io import read_mask
from util.errors import AppError
from util.flags import OneLineParser, integer
from util.types import IGNORE, ImageU8, IndexMask

TILE_WIDTH = 320
RIGHT, MISSING, TOO_MUCH, CONFUSED = (40, 200, 40), (230, 30, 30), (40, 90, 255), (230, 30, 230)
"""RGB of the tints."""
_TINT = 0.6


def frame_quality(gt: IndexMask, pred: IndexMask) -> float:
    """Mean J over the objects in either mask, 0..1; pixels marked IGNORE in `gt` count as background."""
    ids = sorted((set(present_values(gt)) | set(present_values(pred))) - {IGNORE})
    return float(np.mean([region_similarity(gt == i, pred == i) for i in ids])) if ids else 1.0


def choose(qualities: Sequence[float], worst: int) -> list[int]:
    """Positions of the best frame, the middle one, and up to `worst` of the worst that lie apart, best first."""
    order = sorted(range(len(qualities)), key=lambda at: -qualities[at])
    apart = max(1, len(qualities) // 10)
    chosen: list[int] = []
    for at in reversed(order):
        if len(chosen) < worst and all(abs(at - other) >= apart for other in chosen):
            chosen.append(at)
    return list(dict.fromkeys([order[0], order[len(order) // 2], *reversed(chosen)]))


def tinted(image: ImageU8, gt: IndexMask, pred: IndexMask) -> ImageU8:
    """uint8 [H, W, 3]: the picture with its hits and mistakes; ignored pixels stay as they are."""
    counted = gt != IGNORE
    is_right = (gt == pred) & (gt > 0)
    colors = np.zeros((*gt.shape, 3), np.float32)
    shown = np.zeros(gt.shape, np.bool_)
    for where, color in (
        (is_right, RIGHT),
        ((gt > 0) & (pred == 0), MISSING),
        ((gt == 0) & (pred > 0), TOO_MUCH),
        ((gt > 0) & (pred > 0) & (gt != pred), CONFUSED),
    ):
        colors[where & counted] = color
        shown |= where & counted
    mixed = np.where(shown[..., None], image * (1 - _TINT) + colors * _TINT, image)
    return np.asarray(mixed.round(), np.uint8)


def sequence_row(pair: SequencePair, images: Path, worst: int) -> ImageU8:
    """One row of tiles. Raises AppError for pictures or masks that cannot be read or do not fit each other."""
    with closing(open_source(images)) as source:
        frames = {source.stem(frame): frame for frame in range(len(source))}
        absent = [stem for stem in pair.stems if stem not in frames]
        if absent:
            raise AppError(f"{images}: has no frame {absent[0]}.", "Give the frames that the masks belong to.")
        masks = {stem: (read_mask(pair.gt[stem], source.size), read_mask(pair.pred[stem], source.size))
                 for stem in pair.stems}
        qualities = [frame_quality(*masks[stem]) for stem in pair.stems]
        tiles = [
            _tile(tinted(source.read(frames[stem]), *masks[stem]), f"{pair.name} {stem}  J {100 * qualities[at]:.0f}")
            for at in choose(qualities, worst) for stem in (pair.stems[at],)
        ]
    blank = [np.zeros_like(tiles[0])] * (2 + worst - len(tiles))
    return np.concatenate([*tiles, *blank], 1)


def _tile(picture: ImageU8, caption: str) -> ImageU8:
    height = round(TILE_WIDTH * picture.shape[0] / picture.shape[1])
    tile = cv2.resize(picture, (TILE_WIDTH, height), interpolation=cv2.INTER_AREA)
    for color, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(tile, caption, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.42, color, thickness, cv2.LINE_AA)
    return np.asarray(tile, np.uint8)


def draw(images: Path, gt: Path, pred: Path, worst: int) -> bytes:
    """The sheet as PNG; the folders hold one sequence, or a folder for each. Raises AppError."""
    pairs = find_sequences(gt, pred)
    alone = len(pairs) == 1 and not (images / pairs[0].name).is_dir()
    rows = [sequence_row(pair, images if alone else images / pair.name, worst) for pair in pairs]
    height = max(len(row) for row in rows)
    sheet = np.concatenate([np.pad(row, ((0, height - len(row)), (0, 0), (0, 0))) for row in rows])
    is_written, png = cv2.imencode(".png", sheet[..., ::-1])
    assert is_written
    return png.tobytes()


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = OneLineParser(prog="python -m evaluation.error_sheet", description="Where masks are right and wrong.",
                           formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="frames, or a folder of sequences")
    parser.add_argument("--gt", type=Path, required=True, help="true masks, laid out alike")
    parser.add_argument("--pred", type=Path, required=True, help="masks to be looked at, laid out alike")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    parser.add_argument("--worst", type=integer(1, 20), default=3, help="bad frames of every sequence")
    given = parser.parse_args(argv)
    try:
        write_atomic(given.out, draw(given.images, given.gt, given.pred, given.worst))
    except AppError as error:
        print(f"evaluation.error_sheet: {error}", file=sys.stderr)
        return 2
    print(given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
