"""Masks that a person brings along: which frames they belong to, and whether they can be used."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from storage.mask_folder import NamedFrames, files_by_frame
from storage.mask_io import read_mask
from util.errors import AppError
from util.types import IGNORE, IndexMask


def load_annotations(path: Path, frames: NamedFrames, wanted: range) -> dict[int, IndexMask]:
    """The masks to start from, all of them checked.

    Args:
        path: a folder of PNG masks named exactly like their frames, or one mask for the first wanted frame.
        frames: the video.
        wanted: frames to load; a mask of another frame of the video is left aside.

    Returns:
        frame -> uint8 [H, W] of the video's size, in order of frames.

    Raises:
        AppError: no such path; no mask in the folder or for the wanted frames; a name that is no frame's; a mask that
            cannot be read, is of another size or holds ids over 254; no object in any mask.
    """
    if path.is_dir():
        files = files_by_frame(path, frames)
        outside = next(iter(files.values())).name
        files = {frame: file for frame, file in files.items() if frame in wanted}
        if not files:
            raise AppError(
                f"{path}: no mask belongs to the frames {frames.stem(wanted[0])} to {frames.stem(wanted[-1])} "
                f"(there is, for example, {outside}).",
                "Choose a range with at least one annotated frame.",
            )
    elif path.is_file():
        files = {wanted[0]: path}
    else:
        raise AppError(f"{path}: no such file or folder.", "Give a folder of PNG masks, or one mask file.")
    masks = {frame: read_mask(file, frames.size) for frame, file in files.items()}
    if not any(object_ids(mask) for mask in masks.values()):
        raise AppError(f"{path}: no object is marked, all pixels are background.", "Mark at least one object.")
    return masks


def object_ids(mask: IndexMask) -> frozenset[int]:
    """The objects (1..254) in a mask."""
    return frozenset(int(value) for value in np.unique(mask)) - {0, IGNORE}
