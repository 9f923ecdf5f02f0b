"""Somebody else's work on the same video: another project, or masks in any format that can be read. Any thread.

What belongs to whom is known by object: a frame counts as worked on for an object where it has pixels, where the
project says that its mask comes from somewhere, or where it was fixed or verified (and is absent). Of masks without a
project every frame that has one counts, for all things in it.
"""
from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from storage.exchange.format import Label, MaskReader
from storage.exchange.import_masks import open_masks
from storage.frame_runs import Runs, runs_by_object
from storage.frame_store import FrameStore
from storage.io_errors import reason
from storage.journal_folder import last_number
from storage.lock import FolderLock
from storage.mask_folder import frame_numbers, mask_files
from storage.mask_io import read_mask
from storage.project import Project
from storage.project_parts import ObjectInfo
from storage.provenance import Provenance, Source
from storage.workspace import JOURNAL_NAME, MASKS_NAME, PROJECT_NAME, check_same_video
from util.errors import AppError
from util.types import IndexMask, Size

_HINT = "Only work on the same video can be merged: choose another project, or open its video."


@dataclass(frozen=True)
class ProjectMasks:
    """The masks of a project, as `MaskReader` has it. `files`: frame -> its PNG, ascending."""

    files: Mapping[int, Path]
    size: Size
    labels: Mapping[int, Label]
    title: str = "a project"
    notes: Sequence[str] = ()

    @property
    def frames(self) -> Sequence[int]:
        return list(self.files)

    def mask(self, frame: int) -> IndexMask:
        return read_mask(self.files[frame], self.size)


@dataclass(frozen=True)
class OtherWork:
    """See the module. All is by the values in its masks, which in a project are its object ids.

    Args:
        path: where it is.
        reader: its masks.
        objects: of a project.
        key, verified: stretches of frames of a project, likewise.
        provenance: of a project.
    """

    path: Path
    reader: MaskReader
    objects: Mapping[int, ObjectInfo] = field(default_factory=dict)
    key: Runs = field(default_factory=dict)
    verified: Runs = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    is_project: bool = False

    def source(self, frame: int, value: int) -> Source | None:
        """Where the mask of a thing comes from, as far as its project knows."""
        return self.provenance.on(frame, value)

    def is_marked(self, runs: Runs, frame: int, value: int) -> bool:
        """Whether a thing carries a mark (`key`, `verified`) on a frame."""
        return any(frame in run for run in runs.get(value, ()))

    def covers(self, frame: int, value: int, *, has_pixels: bool) -> bool:
        """Whether a frame counts as worked on for a thing. Args: has_pixels: whether its mask has any there."""
        if has_pixels or not self.is_project:
            return True
        marks = (self.is_marked(runs, frame, value) for runs in (self.key, self.verified))
        return any(marks) or self.source(frame, value) is not None


def open_other_work(path: Path, frames: FrameStore) -> Generator[int, None, OtherWork]:
    """Find out what is at `path`; yields now and then, with how many files were looked at.

    Args:
        path: the folder of a project, or masks (`storage.exchange.import_masks.open_masks`).
        frames: the video.

    Raises:
        AppError: nothing that is known; damaged; of another video, with the difference; a project that is open in
            another program, or that a crash left with unsaved actions.
    """
    if not (path / PROJECT_NAME).exists():
        return OtherWork(path, (yield from open_masks(path, frames, 0)))
    yield 0
    lock = FolderLock(path, what="project", hint="Close it there first, so that all its work is saved.")
    try:
        project = _read_project(path)
        check_same_video(project, frames.source, path / PROJECT_NAME, _HINT)
        _check_saved(path, project)
        found = mask_files(path / MASKS_NAME)
    finally:
        lock.release()
    numbers = frame_numbers(frames)
    files = {numbers[stem]: file for stem, file in found.items() if stem in numbers}
    labels = {info.object_id: Label(info.name, info.color) for info in project.objects}
    return OtherWork(
        path, ProjectMasks(dict(sorted(files.items())), frames.size, labels), is_project=True,
        objects={info.object_id: info for info in project.objects},
        key=runs_by_object(dict(sorted(project.key_frames.items()))), verified=project.verified,
        provenance=project.provenance,
    )


def _read_project(path: Path) -> Project:
    file = path / PROJECT_NAME
    try:
        return Project.from_json(file.read_bytes().decode(errors="surrogateescape"), file)
    except OSError as error:
        raise AppError(f"{file}: cannot be read ({reason(error)}).", "Check the path.") from error


def _check_saved(path: Path, project: Project) -> None:
    """AppError when a crash left actions in the journal that neither masks nor project know of."""
    last = last_number(path / JOURNAL_NAME)
    if last > project.journal_number:
        raise AppError(
            f"{path}: a crash left its last actions unsaved.", "Open it in the window once, which takes them over."
        )
