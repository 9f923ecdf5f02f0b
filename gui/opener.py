"""Opening a video: index it, let go of the one that is open, open its workspace, make the session. GUI thread."""
from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QMimeData, QObject

from gui.file_jobs import open_frames_job, open_workspace_job, settle_job
from interact.recovery import Opening
from interact.session import VideoSession
from storage.frame_store import FrameStore
from util.errors import AppError

if TYPE_CHECKING:
    from gui.controller import Controller

log = logging.getLogger(__name__)

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "example.mp4"


def dropped_path(data: QMimeData) -> Path | None:
    """The one local file or folder that is being dragged, None for anything else."""
    urls = data.urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    return Path(urls[0].toLocalFile())


class Opener(QObject):
    """One opening at a time. What was open stays open until the new video has turned out to be readable."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._path: Path | None = None
        self._undecided: tuple[FrameStore, Opening] | None = None

    @property
    def is_opening(self) -> bool:
        return self._path is not None

    def ask_video(self) -> None:
        window = self._controller.window
        path = window.dialogs.ask_video(window.settings.folder)
        if path is not None:
            self.open(path)

    def ask_folder(self) -> None:
        window = self._controller.window
        path = window.dialogs.ask_folder("Open a folder of images", window.settings.folder)
        if path is not None:
            self.open(path)

    def open_example(self) -> None:
        if not EXAMPLE.exists():
            error = AppError(f"{EXAMPLE} is missing.", "Make it with: python -m generation.example")
            self._controller.window.dialogs.show_error("The example cannot be opened", error)
            return
        self.open(EXAMPLE)

    def open(self, path: Path) -> None:
        """Open a video file or a folder of images; errors come as dialogs."""
        if self.is_opening:
            self._controller.show_message(f"Still opening {self._path}.")
            return
        self._path = path
        self._controller.window.start_page.set_status(f"Opening {path.name}…")
        self._controller.show_message(f"Opening {path}…")
        budget = self._controller.config.budgets.frames
        self._controller.files.submit(open_frames_job(path, budget, self._on_frames, self._on_failed))

    def _on_frames(self, frames: FrameStore) -> None:
        """The video can be read: now the one that is open has to go, for it may be the same."""

        def refused() -> None:
            frames.close()
            self._path = None

        self._controller.closing.let_go(lambda: self._open_workspace(frames), refused)

    def _open_workspace(self, frames: FrameStore) -> None:
        config = self._controller.config
        folder = config.workspace if self._controller.is_told(frames.source.path) else None

        def opened(opening: Opening) -> None:
            self._on_workspace(frames, opening)

        job = open_workspace_job(frames, folder, config.budgets.masks, opened, self._on_failed)
        self._controller.files.submit(job)

    def _on_workspace(self, frames: FrameStore, opening: Opening) -> None:
        """Ask first when the program left actions unsaved."""
        if not opening.unsaved:
            self._on_settled(frames, opening)
            return
        self._undecided = frames, opening
        name = self._path.name if self._path is not None else "it"
        self._controller.window.dialogs.ask_recovery(name, opening.unsaved, self._on_decided)

    def _on_decided(self, recover: bool | None) -> None:
        if self._undecided is None:  # the window was closed meanwhile
            return
        frames, opening = self._undecided
        if recover is None:
            self.abandon()
            return
        self._undecided = None

        def settled(opening: Opening) -> None:
            self._on_settled(frames, opening)

        self._controller.files.submit(settle_job(frames, opening, recover, settled, self._on_failed))

    def abandon(self) -> None:
        """Forget a workspace that waits for a decision; it stays as it is until the next opening."""
        if self._undecided is not None:
            frames, opening = self._undecided
            self._undecided = self._path = None
            opening.workspace.abandon()
            frames.close()
            self._controller.window.start_page.set_status("")
            self._controller.show_message("Not opened; the last actions can still be recovered.")

    def _on_settled(self, frames: FrameStore, opening: Opening) -> None:
        path, self._path = self._path, None
        session = VideoSession(frames, opening.workspace, self._controller.methods.choice, opening=opening)
        window = self._controller.window
        if path is not None:
            window.settings.add_recent(path)
        window.start_page.set_status("")
        self._controller.adopt(session)

    def _on_failed(self, error: AppError) -> None:
        path, self._path = self._path, None
        self._controller.window.start_page.set_status("")
        config = self._controller.config
        if self._controller.video is None and path == config.source:
            self._controller.has_failed_start = True
            log.error("%s", error)
        name = path.name if path is not None else "The video"
        self._controller.window.dialogs.show_error(f"{name} cannot be opened", error)
