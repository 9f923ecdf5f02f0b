"""Where the headless program writes: the folder of masks, the overlay video, the workspace. The caller's thread."""
from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path

from interact.headless_done import DONE_NAME
from interact.objects import default_name
from storage.atomic_file import disk_error
from storage.frame_store import FrameStore
from storage.mask_io import write_mask
from storage.mask_store import MaskStore
from storage.project_parts import ObjectInfo
from storage.video_writer import VideoWriter
from storage.workspace import MASKS_NAME, Workspace
from util.config import AppConfig
from util.errors import AppError
from util.overlay import compose
from util.types import IndexMask


def check_places(config: AppConfig) -> None:
    """Raise AppError when results could replace the input or a workspace's own files, or have no folder to go to."""
    assert config.output is not None
    taken = []
    if config.masks is not None:
        taken.append((config.masks if config.masks.is_dir() else config.masks.parent, "holds the masks to start from"))
    if config.images is not None:
        taken.append((config.images, "holds the frames"))
    if config.workspace is not None:
        taken += [(config.workspace, "is the workspace"), (config.workspace / MASKS_NAME, "is the workspace's own")]
    for folder, role in taken:
        if _is_same(folder, config.output):
            raise AppError(
                f"--output {config.output}: this folder {role}; nothing in it may be overwritten.",
                "Choose another folder.",
            )
    if config.output.exists() and not config.output.is_dir():
        raise AppError(f"--output {config.output}: is a file.", "Name a folder.")
    for file in (config.overlay, config.stats):
        if file is not None and not file.parent.is_dir():
            raise AppError(f"{file}: the folder {file.parent} does not exist.", "Create it or choose another one.")
        if file is not None and file.is_dir():
            raise AppError(f"{file}: is a folder.", "Name a file.")
    if config.overlay is not None and config.video is not None and _is_same(config.overlay, config.video):
        raise AppError(f"--overlay {config.overlay}: this is the source video.", "Choose another name.")


def _is_same(a: Path, b: Path) -> bool:
    """Whether two paths lead to the same place, through links and different spellings too."""
    return a.samefile(b) if a.exists() and b.exists() else a.resolve() == b.resolve()


class OutputMasks:
    """The masks of one run, in a folder with a PNG for every finished frame. Begins empty, whatever lies there.

    Args:
        folder: made by `begin`; files in it that belong to no frame of the run are left alone.
        frames: the video.
        wanted: the frames of the run.
        budget_bytes: for masks kept in memory.
    """

    def __init__(self, folder: Path, frames: FrameStore, wanted: range, budget_bytes: int) -> None:
        self._folder = folder
        self._frames = frames
        self._wanted = wanted
        self._budget_bytes = budget_bytes
        self._store: MaskStore | None = None
        self._failures: list[AppError] = []

    def begin(self) -> None:
        """Make the folder and remove the masks of an earlier run from it. AppError when it cannot be written.

        A run that was stopped must not leave old masks among the new ones.
        """
        stems = [self._frames.stem(frame) for frame in range(len(self._frames))]
        try:
            (self._folder / DONE_NAME).unlink(missing_ok=True)
            for frame in self._wanted:
                (self._folder / f"{stems[frame]}.png").unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(error, self._folder) from error
        self._store = MaskStore(self._folder, stems, self._frames.size, budget_bytes=self._budget_bytes)
        self._store.failed.connect(self._failures.append)

    def get(self, frame: int) -> IndexMask:
        """Read-only uint8 [H, W]; any thread."""
        return self._opened.get(frame)

    def set(self, frame: int, mask: IndexMask) -> None:
        """Saved in the background. Raises the AppError of an earlier mask that could not be saved."""
        if self._failures:
            raise self._failures[0]
        self._opened.set(frame, mask)

    def finish(self, finished: Iterable[int]) -> None:
        """Wait until everything is on disk, frames of `finished` without any object included. AppError if it cannot."""
        self._opened.close()
        for frame in finished:
            if self._opened.is_empty(frame):
                write_mask(self._opened.path(frame), self._opened.get(frame))

    @property
    def _opened(self) -> MaskStore:
        if self._store is None:
            raise RuntimeError("begin() comes first")
        return self._store


def open_new_workspace(frames: FrameStore, folder: Path) -> Workspace:
    """A workspace without any work in it. AppError when there is some, or as `Workspace.open` does."""
    workspace = Workspace.open(frames.source, folder)
    if workspace.project.objects or workspace.project.key_frames or workspace.masks.frames():
        workspace.close()
        raise AppError(
            f"--workspace {folder}: holds the work on this video already; it is not overwritten.",
            "Choose a new folder, or open this one in the window.",
        )
    return workspace


def fill_workspace(
    workspace: Workspace, masks: OutputMasks, finished: Sequence[int], key_frames: Mapping[int, frozenset[int]]
) -> None:
    """Put the result of a run into an empty workspace and close it, ready for the window.

    Args:
        finished: frames that have a mask.
        key_frames: annotated frame -> objects fixed there.
    """
    for frame in finished:
        workspace.masks.set(frame, masks.get(frame))
    project = workspace.project
    project.objects = [ObjectInfo(i, default_name(i)) for i in sorted(frozenset[int]().union(*key_frames.values()))]
    project.key_frames = {frame: set(ids) for frame, ids in key_frames.items() if ids}
    project.current_frame = min(project.key_frames, default=0)
    workspace.close()


def write_overlay(
    path: Path, frames: FrameStore, masks: OutputMasks, wanted: range
) -> Generator[int, None, None]:
    """Write the frames of `wanted` with their masks drawn over them; yields how many are written after each.

    The video keeps the times and the sound of its source. Raises AppError; nothing is left then.
    """
    source = frames.source
    sound = source.path if source.path.is_file() else None
    with VideoWriter(path, source.size, source.rate, audio_from=sound) as writer:
        for done, frame in enumerate(wanted, 1):
            frames.prefetch(range(frame + 1, min(frame + 5, wanted.stop)))
            writer.write(compose(frames.get(frame), masks.get(frame)), frames.time(frame))
            yield done
