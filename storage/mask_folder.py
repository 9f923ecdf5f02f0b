"""Folders of mask pictures that are called like the frames of a video."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from storage.image_folder import natural_key
from storage.io_errors import reason
from util.errors import AppError
from util.types import Size

_LISTED = 5


class NamedFrames(Protocol):
    """What is needed of a video; `storage.frame_store.FrameStore` is one."""

    @property
    def size(self) -> Size: ...
    def __len__(self) -> int: ...
    def stem(self, frame: int) -> str: ...


def mask_files(folder: Path) -> dict[str, Path]:
    """Stem -> PNG file, in natural order. AppError when the folder cannot be read or two files share a stem."""
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: natural_key(entry.name))
    except OSError as error:
        raise AppError(f"{folder}: cannot be read ({reason(error)}).", "Check the path.") from error
    found: dict[str, Path] = {}
    for file in entries:
        if file.suffix.lower() != ".png" or file.name.startswith(".") or not file.is_file():
            continue
        if file.stem in found:
            raise AppError(f"{file}: {found[file.stem].name} is a mask of the same frame.", "Remove one of them.")
        found[file.stem] = file
    return found


def files_by_frame(folder: Path, frames: NamedFrames) -> dict[int, Path]:
    """frame -> mask file, in order of frames. AppError unless there is a mask and every one names a frame."""
    files = mask_files(folder)
    if not files:
        raise AppError(f"{folder}: holds no PNG masks.", f"They are called like their frames: {examples(frames)}.")
    frame_of = frame_numbers(frames)
    strangers = [file.name for file in files.values() if file.stem not in frame_of]
    if strangers:
        raise AppError(
            f"{folder}: no frame is called like the mask {some(strangers)}; masks for this video are called "
            f"{examples(frames)}.",
            "Rename them: a mask has the name of its frame, to the digit.",
        )
    return {frame_of[stem]: files[stem] for stem in sorted(files, key=lambda stem: frame_of[stem])}


def frame_numbers(frames: NamedFrames) -> dict[str, int]:
    """Stem -> frame."""
    return {frames.stem(frame): frame for frame in range(len(frames))}


def some(names: Sequence[str]) -> str:
    """A few of the names, and how many more there are."""
    listed = ", ".join(names[:_LISTED])
    return listed if len(names) <= _LISTED else f"{listed} and {len(names) - _LISTED} more"


def examples(frames: NamedFrames) -> str:
    """How masks of the video are called."""
    first, last = frames.stem(0), frames.stem(len(frames) - 1)
    return f"{first}.png" if first == last else f"{first}.png to {last}.png"
