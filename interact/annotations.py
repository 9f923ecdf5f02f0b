"""Masks that a person brings along: which frames they belong to, and whether they can be used."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from storage.image_folder import natural_key
from storage.mask_io import read_mask
from util.errors import AppError
from util.types import IGNORE, IndexMask, Size

_LISTED = 5


class NamedFrames(Protocol):
    """What is needed of a video; `storage.frame_store.FrameStore` is one."""

    @property
    def size(self) -> Size: ...
    def __len__(self) -> int: ...
    def stem(self, frame: int) -> str: ...


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
        files = _files_by_frame(path, frames)
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


def _files_by_frame(folder: Path, frames: NamedFrames) -> dict[int, Path]:
    """frame -> mask file, in order of frames. AppError unless every mask names a frame."""
    files = mask_files(folder)
    if not files:
        raise AppError(f"{folder}: holds no PNG masks.", f"They are called like their frames: {_examples(frames)}.")
    frame_of = {frames.stem(frame): frame for frame in range(len(frames))}
    strangers = [file.name for file in files.values() if file.stem not in frame_of]
    if strangers:
        raise AppError(
            f"{folder}: no frame is called like the mask {some(strangers)}; masks for this video are called "
            f"{_examples(frames)}.",
            "Rename them: a mask has the name of its frame, to the digit.",
        )
    return {frame_of[stem]: files[stem] for stem in sorted(files, key=lambda stem: frame_of[stem])}


def mask_files(folder: Path) -> dict[str, Path]:
    """Stem -> PNG file, in natural order. AppError when the folder cannot be read or two files share a stem."""
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: natural_key(entry.name))
    except OSError as error:
        raise AppError(f"{folder}: cannot be read ({error.strerror or error}).", "Check the path.") from error
    found: dict[str, Path] = {}
    for file in entries:
        if file.suffix.lower() != ".png" or file.name.startswith(".") or not file.is_file():
            continue
        if file.stem in found:
            raise AppError(f"{file}: {found[file.stem].name} is a mask of the same frame.", "Remove one of them.")
        found[file.stem] = file
    return found


def some(names: Sequence[str]) -> str:
    """A few of the names, and how many more there are."""
    listed = ", ".join(names[:_LISTED])
    return listed if len(names) <= _LISTED else f"{listed} and {len(names) - _LISTED} more"


def _examples(frames: NamedFrames) -> str:
    first, last = frames.stem(0), frames.stem(len(frames) - 1)
    return f"{first}.png" if first == last else f"{first}.png to {last}.png"
