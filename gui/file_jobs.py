"""Work on files that takes longer than a blink, as jobs for a worker thread: open, import, export. No Qt here.

Every job leaves either the whole result or what was there before: files are written under temporary names and moved
into place at the end, and a cancelled or failed job removes what it had begun.
"""
from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from interact.annotations import load_annotations
from interact.recovery import Opening
from storage.atomic_file import disk_error, write_atomic
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.mask_io import encode_mask
from storage.mask_store import MaskStore
from storage.video_writer import VideoWriter
from storage.workspace import Workspace
from util.errors import AppError
from util.jobs import CancelToken, Job, Outcome
from util.overlay import compose
from util.palette import OwnColors, file_palette
from util.types import IndexMask

# Frames between two results of a scan.
SCAN_BATCH = 256

Failed = Callable[[AppError], None]

Presence: TypeAlias = dict[int, frozenset[int]]
"""frame -> ids of the objects with pixels on it."""


@dataclass(frozen=True)
class Progress:
    """`done` of `total` frames are written."""

    done: int
    total: int


@dataclass(frozen=True)
class OverlayLook:
    """How the masks are drawn in the exported video: as in the window, without the mark of the selected object."""

    opacity: float
    contour: bool
    hidden: frozenset[int]
    own: OwnColors


def as_app_error(error: BaseException | None, what: str) -> AppError:
    """What to tell the user when a job failed."""
    return error if isinstance(error, AppError) else AppError(f"{what}: {type(error).__name__}: {error}.")


def _report(what: str, failed: Failed) -> Callable[[Outcome], None]:
    def finish(outcome: Outcome) -> None:
        if outcome.kind == "failed":
            failed(as_app_error(outcome.error, what))

    return finish


def open_frames_job(
    path: Path, budget_bytes: int, opened: Callable[[FrameStore], None], failed: Failed
) -> Job[FrameStore]:
    """Index a video or folder and decode its first frame."""

    def run(token: CancelToken) -> Generator[FrameStore, None, None]:
        source = open_source(path)
        frames = FrameStore(source, budget_bytes=budget_bytes)
        try:
            frames.get(0)
            token.check()
        except BaseException:
            frames.close()
            raise
        yield frames

    return Job(f"Opening {path.name}", None, run, opened, _report(f"{path} cannot be opened", failed))


def open_workspace_job(
    frames: FrameStore, folder: Path | None, mask_bytes: int, opened: Callable[[Opening], None], failed: Failed
) -> Job[Opening]:
    """Open or make the workspace of a video and read its journal. The frames are closed if that fails.

    Unless actions were left unsaved, the opening is settled.
    """

    def run(token: CancelToken) -> Generator[Opening, None, None]:
        workspace: Workspace | None = None
        try:
            workspace = Workspace.open(frames.source, folder, mask_bytes=mask_bytes)
            opening = Opening(workspace)
            if not opening.unsaved:
                opening.settle(recover=True)
        except BaseException:
            if workspace is not None:
                workspace.abandon()
            frames.close()
            raise
        yield opening

    return Job("Opening the workspace", None, run, opened, _report("The workspace cannot be opened", failed))


def settle_job(
    frames: FrameStore, opening: Opening, recover: bool, settled: Callable[[Opening], None], failed: Failed
) -> Job[Opening]:
    """Recover the actions that were left unsaved, or leave them. Workspace and frames are closed if that fails."""

    def run(token: CancelToken) -> Generator[Opening, None, None]:
        try:
            opening.settle(recover=recover)
        except BaseException:
            opening.workspace.abandon()
            frames.close()
            raise
        yield opening

    name = "Recovering the last actions" if recover else "Opening the masks as they were saved"
    return Job(name, None, run, settled, _report("The workspace cannot be opened", failed))


def scan_presence_job(masks: MaskStore, found: Callable[[Presence], None], failed: Failed) -> Job[Presence]:
    """Look through the masks that a workspace already has, for the timeline. A damaged one does not end it."""

    def run(token: CancelToken) -> Generator[Presence, None, None]:
        batch: Presence = {}
        first_error: AppError | None = None
        for frame in masks.frames():
            token.check()
            try:
                batch[frame] = masks.object_ids(frame)
            except AppError as error:
                first_error = first_error or error
            if len(batch) == SCAN_BATCH:
                yield batch
                batch = {}
        yield batch
        if first_error is not None:
            raise first_error

    return Job("Reading masks", None, run, found, _report("The masks cannot be read", failed))


def import_job(
    path: Path, frames: FrameStore, loaded: Callable[[dict[int, IndexMask]], None], failed: Failed
) -> Job[dict[int, IndexMask]]:
    """Read a folder of masks, or one for the first frame."""

    def run(token: CancelToken) -> Generator[dict[int, IndexMask], None, None]:
        yield load_annotations(path, frames, range(len(frames)))

    return Job(f"Reading {path.name}", None, run, loaded, _report(f"{path} cannot be imported", failed))


def taken_names(folder: Path, frames: FrameStore) -> int:
    """How many of the files that an export would write are there already."""
    try:
        present = set(os.listdir(folder))
    except FileNotFoundError:
        return 0
    return sum(f"{frames.stem(frame)}.png" in present for frame in range(len(frames)))


def export_masks_job(
    frames: FrameStore,
    masks: MaskStore,
    folder: Path,
    own: OwnColors,
    advanced: Callable[[Progress], None],
    finish: Callable[[Outcome], None],
) -> Job[Progress]:
    """One palette PNG per frame, empty frames included; in the DAVIS palette but for the objects with `own` colours.

    AppError at once when `folder` is where the workspace itself keeps its masks.
    """
    if folder.resolve() == masks.folder.resolve():
        raise AppError(f"{folder} is where the workspace keeps its masks.", "Choose another folder.")

    palette = file_palette(own)

    def run(token: CancelToken) -> Generator[Progress, None, None]:
        with _staging(folder) as stage:
            for frame in range(len(frames)):
                token.check()
                write_atomic(stage / f"{frames.stem(frame)}.png", encode_mask(masks.get(frame), palette))
                yield Progress(frame + 1, len(frames))
            for frame in range(len(frames)):
                name = f"{frames.stem(frame)}.png"
                os.replace(stage / name, folder / name)

    return Job("Exporting masks", len(frames), run, advanced, finish)


def export_overlay_job(
    frames: FrameStore,
    masks: MaskStore,
    path: Path,
    look: OverlayLook,
    advanced: Callable[[Progress], None],
    finish: Callable[[Outcome], None],
) -> Job[Progress]:
    """The video with its masks drawn over it, at the source's times, with its sound."""

    def run(token: CancelToken) -> Generator[Progress, None, None]:
        source = frames.source
        sound = source.path if source.path.is_file() else None
        with VideoWriter(path, source.size, source.rate, audio_from=sound) as writer:
            for frame in range(len(frames)):
                token.check()
                picture = compose(
                    frames.get(frame), masks.get(frame), opacity=look.opacity, contour=look.contour,
                    hidden=look.hidden, own=look.own,
                )
                writer.write(picture, frames.time(frame))
                yield Progress(frame + 1, len(frames))

    return Job("Exporting overlay video", len(frames), run, advanced, finish)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A folder inside `folder`, so that moving out of it is a rename; gone at the end. AppError if it can't be made."""
    try:
        stage = Path(tempfile.mkdtemp(prefix=".export-", dir=folder))
    except OSError as error:
        raise disk_error(error, folder) from error
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
