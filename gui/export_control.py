"""Export: the dialog, the job, and what came of it. GUI thread."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal

from gui.exchange_jobs import export_job
from gui.export_dialog import ExportDialog, ExportWish
from gui.file_jobs import as_app_error
from gui.job_bar import JobBar, format_bytes
from gui.matte_preview import MattePreview
from interact.session import VideoSession
from storage.disk_space import free_bytes, will_fill
from storage.exchange.export_run import Progress, check_target, is_taken
from storage.exchange.format import Format
from storage.exchange.kept_masks import KeptMasks
from storage.exchange.material import Material, OverlayLook
from storage.exchange.report import Report
from storage.project_parts import ObjectInfo
from util.errors import AppError
from util.jobs import Outcome

if TYPE_CHECKING:
    from gui.controller import Controller


class ExportControl(QObject):
    """At most one export runs. `changed` is emitted when one starts and ends."""

    changed = pyqtSignal()

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._window = controller.window
        self._job_id: int | None = None
        self._report: Report | None = None
        self._session: VideoSession | None = None  # what the dialog is about
        self.dialog: ExportDialog | None = None
        self._preview: MattePreview | None = None

    @property
    def is_running(self) -> bool:
        return self._job_id is not None

    def cancel(self) -> None:
        if self._job_id is not None:
            self._controller.files.cancel(self._job_id)
            for bar in self._bars:
                bar.acknowledge_cancel()

    def ask_export_masks(self) -> None:
        """Show the dialog."""
        self._show_dialog()

    def ask_export_overlay(self) -> None:
        """Show the dialog with the overlay video and the objects chosen that the window draws."""
        dialog, video = self._show_dialog(), self._controller.video
        if dialog is not None and video is not None and not self.is_running:
            dialog.choose("overlay-video")
            dialog.leave_out(video.session.objects.undrawn)

    def _show_dialog(self) -> ExportDialog | None:
        video = self._controller.video
        if video is None:
            return None
        if self.dialog is None:
            self.dialog = ExportDialog(self._window, self._window.actions_by_id["file.cancel_export"])
            self._preview = MattePreview(self.dialog, lambda: self._controller.video)
            self.dialog.wanted.connect(self.export)
            self.dialog.browse_wanted.connect(self._browse)
        session = video.session
        if not self.is_running:
            self._session = session
            # Near the video, which a folder of frames is not to be filled with.
            folder = session.frames.source.path.absolute().parent
            self.dialog.show_video(
                len(session.frames), session.frames.size, session.in_out.frames, objects_of(session), folder,
                session.frames.source.name,
            )
        self.dialog.show()
        assert self._preview is not None
        self._preview.watch(video)
        self.dialog.raise_()
        return self.dialog

    def _browse(self, fmt: Format) -> None:
        """Ask where to; in a folder that holds something the export gets one of its own."""
        dialog, dialogs = self.dialog, self._window.dialogs
        assert dialog is not None
        if fmt.suffix:
            path = dialogs.ask_save_video(dialog.proposal)
        else:
            path = dialogs.ask_folder(f"Export {fmt.title} into a folder", dialog.proposal.parent)
            if path is not None and is_taken(path):
                path = path / dialog.proposal.name
        if path is not None:
            dialog.set_target(path)

    def export(self, wish: ExportWish) -> None:
        """Begin, after asking whether what is there may be replaced."""
        video = self._controller.video
        if video is None or self.is_running:
            return
        session, settings = video.session, self._window.settings
        if session is not self._session:  # another video was opened meanwhile: what was chosen means nothing for it
            self._show_dialog()
            return
        objects = tuple(info for info in objects_of(session) if info.object_id in wish.object_ids)
        material = Material(
            session.frames, KeptMasks(session.masks.get), objects, wish.frames, wish.with_frames, wish.edge,
            OverlayLook(settings.opacity, settings.contour, session.objects.opacities),
        )
        try:
            check_target(wish.fmt, material, wish.target, (session.workspace.folder,))
            taken = is_taken(wish.target)
        except AppError as error:
            self._window.dialogs.show_error("This cannot be exported", error)
            return
        needed = wish.fmt.estimate(material.size, len(wish.frames), len(objects), with_frames=wish.with_frames)
        if will_fill(wish.target.absolute(), needed):
            free = format_bytes(free_bytes(wish.target.absolute()) or 0)
            self._window.dialogs.confirm(
                "The disk is nearly full", f"This export takes about {format_bytes(needed)}, and {free} are free at "
                f"{wish.target}.", "If the room does not suffice nothing is written.", "Export anyway",
                lambda: self._begin(wish, material, is_taken=taken),
            )
        else:
            self._begin(wish, material, is_taken=taken)

    def _begin(self, wish: ExportWish, material: Material, *, is_taken: bool) -> None:
        if is_taken:
            self._window.dialogs.confirm(
                "Export", f"{wish.target} holds something already.",
                "Files of the same names are replaced when the export is complete; others stay.", "Replace",
                lambda: self._start(wish, material, replace=True),
            )
        else:
            self._start(wish, material, replace=False)

    def _start(self, wish: ExportWish, material: Material, *, replace: bool) -> None:
        if self.is_running:
            return
        self._report = None
        job = export_job(
            wish.fmt, material, wish.target, self._told, self._ending(wish.fmt.title, wish.target), replace=replace
        )
        self._window.export_bar.show()
        for bar in self._bars:
            bar.begin("Writing…", job.total, "steps")
        self._job_id = self._controller.files.submit(job)
        self._on_changed()

    def _told(self, event: Progress | Report) -> None:
        if isinstance(event, Report):
            self._report = event
        else:
            for bar in self._bars:
                bar.advance(event.done, event.total)

    def _ending(self, what: str, path: Path) -> Callable[[Outcome], None]:
        def finish(outcome: Outcome) -> None:
            self._job_id = None
            report = self._report
            if outcome.kind == "done" and report is not None and report.is_good:
                self._end(self._window.export_bar.summary(), f"{what} in {path}", report)
                self._controller.show_message(f"Exported {what} to {path}.")
            elif outcome.kind == "cancelled":
                self._end("Stopped; nothing was written.")
            else:
                self._end("Failed; nothing was written.", "", report)
                error = as_app_error(outcome.error, f"{what} cannot be written to {path}")
                if report is not None:
                    error = AppError(f"{path}: {report.problems[0]}.", "Nothing was put in place. Try another disk.")
                self._window.dialogs.show_error("Export failed", error)
            self._on_changed()

        return finish

    def _end(self, text: str, note: str = "", report: Report | None = None) -> None:
        for bar in self._bars:
            bar.end(text, note)
        if self.dialog is not None:
            self.dialog.report.setPlainText("\n".join(report.lines()) if report is not None else text)

    def _on_changed(self) -> None:
        if self.dialog is not None:
            self.dialog.set_busy(self.is_running)
        self.changed.emit()

    @property
    def _bars(self) -> tuple[JobBar, ...]:
        bars = (self._window.export_bar,)
        return bars if self.dialog is None else (*bars, self.dialog.bar)


def objects_of(session: VideoSession) -> tuple[ObjectInfo, ...]:
    """The objects as files know them, the topmost first."""
    return tuple(ObjectInfo(i.object_id, i.name, i.category, i.color) for i in session.objects.items)
