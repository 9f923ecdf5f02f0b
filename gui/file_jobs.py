"""Work on files that takes longer than a blink, as jobs for a worker thread: open, scan, import. No Qt here."""
from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeAlias

from interact.annotations import load_annotations
from interact.recovery import Opening
from interact.session import VideoSession
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.mask_store import MaskStore
from storage.workspace import Workspace
from util.errors import AppError
from util.jobs import CancelToken, Job, Outcome
from util.types import IndexMask

# Frames between two results of a scan.
SCAN_BATCH = 256

Failed = Callable[[AppError], None]

Presence: TypeAlias = dict[int, frozenset[int]]
"""frame -> ids of the objects with pixels on it."""


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


def close_job(session: VideoSession, written: Callable[[], None], failed: Failed) -> Job[None]:
    """Write what is not yet written and unlock the workspace. It cannot be cancelled."""

    def run(token: CancelToken) -> Generator[None, None, None]:
        session.write_everything()
        yield from ()

    def finish(outcome: Outcome) -> None:
        if outcome.kind == "done":
            written()
        else:
            failed(as_app_error(outcome.error, "The workspace cannot be closed"))

    return Job("Saving", None, run, lambda nothing: None, finish)


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
