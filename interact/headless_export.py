"""What `export.py` works on: the masks of a workspace, or masks in any format beside their video."""
from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from interact.objects import default_name
from interact.recovery import Opening
from storage.exchange.import_masks import open_masks, survey
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.io_errors import reason
from storage.mask_folder import some
from storage.project import Project
from storage.project_parts import ObjectInfo
from storage.workspace import BACKUP_NAME, PROJECT_NAME, Workspace
from util.errors import AppError
from util.types import IndexMask

T = TypeVar("T")


@dataclass(frozen=True)
class Opened:
    """Masks with their video.

    Args:
        masks: frame -> uint8 [H, W].
        kept: folders in which nothing may be written.
        notes: what the user should know.
    """

    frames: FrameStore
    masks: Callable[[int], IndexMask]
    objects: tuple[ObjectInfo, ...]
    kept: tuple[Path, ...]
    notes: tuple[str, ...]


@contextmanager
def opened_project(folder: Path, source: Path | None) -> Iterator[Opened]:
    """A workspace, locked while it is read.

    Args:
        source: the video; None for where the workspace says it is.

    Raises:
        AppError: no workspace, open in another program, of another video; it or the video cannot be read; a crash left
            work in its journal that only the window takes over.
    """
    with (
        closing(FrameStore(open_source(find_source(folder, source)))) as frames,
        closing(Workspace.open(frames.source, folder)) as workspace,
    ):
        check_saved(folder, Opening(workspace))
        notes = (workspace.notice,) if workspace.notice else ()
        yield Opened(frames, workspace.masks.get, tuple(workspace.project.objects), (workspace.folder,), notes)


@contextmanager
def opened_masks(path: Path, source: Path, first: int) -> Iterator[Opened]:
    """Masks without a workspace; their objects are what is found in them.

    Args:
        first: the frame of a single picture whose name is no frame's.
    """
    with closing(FrameStore(open_source(source))) as frames:
        if not 0 <= first < len(frames):
            first = 0  # the range is checked later, with its own message
        reader = end_of(open_masks(path, frames, first))
        found = end_of(survey(reader))
        objects = tuple(ObjectInfo(thing.value, thing.text or default_name(thing.value)) for thing in found)
        present = frozenset(reader.frames)
        empty = np.zeros(frames.source.size, np.uint8)
        kept = (path,) if path.is_dir() else ()
        notes = [f"The masks are {reader.title}, on {len(present)} of {len(frames)} frames.", *reader.notes]
        yield Opened(
            frames, lambda frame: reader.mask(frame) if frame in present else empty, objects, kept, tuple(notes)
        )


def choose_objects(objects: Sequence[ObjectInfo], wanted: Sequence[str]) -> tuple[ObjectInfo, ...]:
    """Those called by number or name, in the order of the list; all when none is called. AppError: unknown."""
    chosen: set[int] = set()
    for name in wanted:
        ids = [info.object_id for info in objects if name in (str(info.object_id), info.name)]
        if not ids:
            known = some([f"{info.object_id} ({info.name})" for info in objects]) or "none"
            raise AppError(f"--objects: there is no object {name}; there are {known}.", "Give numbers or names.")
        chosen.update(ids)
    return tuple(info for info in objects if not wanted or info.object_id in chosen)


def check_saved(folder: Path, opening: Opening) -> Opening:
    """AppError when a crash left work in the journal, which only the window takes over."""
    if opening.unsaved:
        raise AppError(
            f"{folder}: a crash left the last {len(opening.unsaved)} actions unsaved ({opening.unsaved[-1]}).",
            "Open it in the window once, which takes them over, and close it.",
        )
    return opening


def find_source(folder: Path, source: Path | None) -> Path:
    """The video of a workspace. Args: source: None for where the workspace says it is. AppError: it is not there."""
    path = source or _source_of(folder)
    if not path.exists():
        raise AppError(f"{path}: the video of {folder} is not there.", "Say where it is with --video or --images.")
    return path


def _source_of(folder: Path) -> Path:
    """Where the workspace says that its video is. AppError: it says nothing."""
    damage: AppError | None = None
    for name in (PROJECT_NAME, BACKUP_NAME):
        path = folder / name
        try:
            return Project.from_json(path.read_bytes().decode(errors="surrogateescape"), path).source_path
        except FileNotFoundError:
            continue
        except OSError as error:
            raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the path.") from error
        except AppError as error:
            damage = damage or error
    raise damage or AppError(
        f"{folder}: is not a workspace: it has no {PROJECT_NAME}.",
        "Give the folder that the window made, or masks with --masks.",
    )


def end_of(steps: Generator[int, None, T]) -> T:
    """What a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            value: T = stop.value
            return value
