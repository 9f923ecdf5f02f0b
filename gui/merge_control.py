"""Merging: asks for another project of the same video, shows what is in it, and hands it to the session. GUI thread."""
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject

from gui.exchange_jobs import OtherSurveyed, other_work_job
from gui.export_control import objects_of
from gui.import_control import look
from gui.merge_dialog import MergeDialog
from interact.merging import kept_frames
from storage.exchange.import_masks import suggest
from util.errors import AppError

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo


class MergeControl(QObject):
    """`dialog` is the one shown last; None before."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._window = controller.window
        self.dialog: MergeDialog | None = None

    def ask(self) -> None:
        """Another project's folder, or one of masks."""
        folder = self._window.settings.folder
        path = self._window.dialogs.ask_folder("Merge another project: choose its folder, or one of masks", folder)
        if path is not None:
            self.look_at(path)

    def look_at(self, path: Path) -> None:
        """Find out what there is at `path`, and ask what of it is taken over."""
        look(
            self._controller, path, "This cannot be merged", partial(self._show, path=path),
            lambda session, told, end: other_work_job(path, session.frames, told, end),
        )

    def _show(self, video: OpenVideo, surveyed: OtherSurveyed, path: Path) -> None:
        session, other = video.session, surveyed.other
        if not surveyed.found:
            error = AppError(f"{path}: no object is marked, all pixels are background.", "There is nothing to merge.")
            self._window.dialogs.show_error("This cannot be merged", error)
            return

        def merged(mapping: dict[int, int], frames: range) -> None:
            if self._controller.video is video:
                self._controller.perform(lambda: session.merge_work(other, mapping, frames))

        objects, count = objects_of(session), len(other.reader.frames)
        text = f"{path}: {other.reader.title}, masks on {count} frame{'' if count == 1 else 's'}."
        self.dialog = MergeDialog(
            self._window, " ".join([text, *other.reader.notes]), surveyed.found, objects,
            suggest(surveyed.found, objects, range(1, session.objects.next_id)), session.in_out.frames,
            len(session.frames), partial(kept_frames, session), merged,
        )
        self.dialog.open()
        self._controller.show_hint()
