"""Import and export: asks where, runs the job, tells what came of it. GUI thread."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from gui.file_jobs import (
    OverlayLook,
    Progress,
    as_app_error,
    export_masks_job,
    export_overlay_job,
    import_job,
    taken_names,
)
from util.errors import AppError
from util.jobs import Job, Outcome
from util.types import IndexMask

if TYPE_CHECKING:
    from gui.controller import Controller


class ExportControl(QObject):
    """At most one export runs. `changed` is emitted when one starts and ends."""

    changed = pyqtSignal()

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._bar = controller.window.export_bar
        self._job_id: int | None = None

    @property
    def is_running(self) -> bool:
        return self._job_id is not None

    def cancel(self) -> None:
        if self._job_id is not None:
            self._controller.files.cancel(self._job_id)
            self._bar.acknowledge_cancel()

    # -- masks in

    def ask_import(self) -> None:
        """Masks from a folder that the user chooses."""
        dialogs, settings = self._controller.window.dialogs, self._controller.window.settings
        path = dialogs.ask_folder("Import masks", settings.folder)
        if path is not None:
            self.import_masks(path)

    def import_masks(self, path: Path) -> None:
        """Args: path: a folder of masks, or one for the first frame."""
        video = self._controller.video
        if video is None:
            return
        window = self._controller.window

        def loaded(masks: dict[int, IndexMask]) -> None:
            if self._controller.video is video:
                video.session.import_masks(masks)
                count = len(masks)
                self._controller.show_message(f"Imported {count} mask{'' if count == 1 else 's'} from {path}.")

        def failed(error: AppError) -> None:
            window.dialogs.show_error("Masks cannot be imported", error)

        self._controller.files.submit(import_job(path, video.session.frames, loaded, failed))

    # -- masks out

    def ask_export_masks(self) -> None:
        """One PNG per frame into a folder that the user chooses; asks before replacing files."""
        video, window = self._controller.video, self._controller.window
        if video is None:
            return
        folder = window.dialogs.ask_folder("Export masks into a folder", window.settings.folder)
        if folder is None:
            return
        taken = taken_names(folder, video.session.frames)
        if taken:
            window.dialogs.confirm(
                "Export masks", f"{folder} holds {taken} files of the same names.",
                "They are replaced when the export is complete.", "Replace", lambda: self.export_masks(folder),
            )
        else:
            self.export_masks(folder)

    def export_masks(self, folder: Path) -> None:
        """Write the masks as they are now into `folder`."""
        video = self._controller.video
        if video is None:
            return
        session = video.session
        try:
            job = export_masks_job(
                session.frames, session.masks, folder, session.objects.own_colors, self._advance,
                self._ending("masks", folder),
            )
        except AppError as error:
            self._controller.window.dialogs.show_error("Masks cannot be exported", error)
            return
        self._start(job)

    def ask_export_overlay(self) -> None:
        """The overlay video, to a file that the user names."""
        video, window = self._controller.video, self._controller.window
        if video is None:
            return
        name = f"{video.session.frames.source.name}_overlay.mp4"
        path = window.dialogs.ask_save_video(window.settings.folder / name)
        if path is not None:
            self.export_overlay(path)

    def export_overlay(self, path: Path) -> None:
        """Write the overlay video with the opacity, contours and hidden objects of the window."""
        video = self._controller.video
        if video is None:
            return
        session, settings = video.session, self._controller.window.settings
        if session.frames.source.path.resolve() == path.resolve():
            error = AppError(f"{path} is the video itself.", "Choose another name for the overlay video.")
            self._controller.window.dialogs.show_error("The overlay video cannot be exported", error)
            return
        look = OverlayLook(settings.opacity, settings.contour, session.objects.undrawn, session.objects.own_colors)
        self._start(export_overlay_job(
            session.frames, session.masks, path, look, self._advance, self._ending("overlay video", path)
        ))

    # -- the job

    def _start(self, job: Job[Progress]) -> None:
        if self.is_running:
            self._controller.show_message("An export is running; wait for it or cancel it.")
            return
        self._bar.show()
        self._bar.begin("Writing…", job.total)
        self._job_id = self._controller.files.submit(job)
        self.changed.emit()

    def _advance(self, progress: Progress) -> None:
        self._bar.advance(progress.done, progress.total)

    def _ending(self, what: str, path: Path) -> Callable[[Outcome], None]:
        def finish(outcome: Outcome) -> None:
            self._job_id = None
            if outcome.kind == "done":
                self._bar.end(self._bar.summary(), f"{what[0].upper()}{what[1:]} in {path}")
                self._controller.show_message(f"Exported the {what} to {path}.")
            elif outcome.kind == "cancelled":
                self._bar.end("Stopped; nothing was written.")
            else:
                self._bar.end("Failed; nothing was written.")
                error = as_app_error(outcome.error, f"The {what} cannot be written to {path}")
                self._controller.window.dialogs.show_error("Export failed", error)
            self.changed.emit()

        return finish
