"""Import of masks: asks for them, shows what is in them, and hands them to the session. GUI thread."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject

from gui.exchange_jobs import Surveyed, survey_job
from gui.export_control import objects_of
from gui.file_jobs import as_app_error, import_job
from gui.import_dialog import ImportDialog
from storage.exchange.import_masks import MappedMasks, suggest
from util.errors import AppError
from util.jobs import Outcome
from util.types import IndexMask

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo


class ImportControl(QObject):
    """`dialog` is the one shown last; None before."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._window = controller.window
        self.dialog: ImportDialog | None = None

    def ask_folder(self) -> None:
        """Masks from a folder that the user chooses."""
        path = self._window.dialogs.ask_folder("Import masks from a folder", self._window.settings.folder)
        if path is not None:
            self.look_at(path)

    def ask_file(self) -> None:
        """Masks from a file that the user chooses: COCO JSON, MOTS text, a picture."""
        path = self._window.dialogs.ask_masks(self._window.settings.folder)
        if path is not None:
            self.look_at(path)

    def look_at(self, path: Path) -> None:
        """Find out what masks there are at `path` and ask what they become."""
        video = self._controller.video
        if video is None:
            return

        def told(event: Surveyed | None) -> None:
            if event is not None and self._controller.video is video:
                self._ask(video, path, event)

        def finish(outcome: Outcome) -> None:
            if outcome.kind == "failed":
                error = as_app_error(outcome.error, f"{path} cannot be imported")
                self._window.dialogs.show_error("Masks cannot be imported", error)

        self._controller.show_message(f"Looking at the masks in {path}…")
        self._controller.files.submit(survey_job(path, video.session.frames, video.session.frame, told, finish))

    def import_masks(self, path: Path) -> None:
        """Take masks without a question, for the command line: a folder, or one for the first frame."""
        video = self._controller.video
        if video is None:
            return

        def loaded(masks: dict[int, IndexMask]) -> None:
            if self._controller.video is video:
                video.session.import_masks(masks)
                self._tell(len(masks), path)

        def failed(error: AppError) -> None:
            self._window.dialogs.show_error("Masks cannot be imported", error)

        self._controller.files.submit(import_job(path, video.session.frames, loaded, failed))

    def _ask(self, video: OpenVideo, path: Path, surveyed: Surveyed) -> None:
        session, reader = video.session, surveyed.reader
        if not surveyed.found:
            error = AppError(f"{path}: no object is marked, all pixels are background.", "Mark at least one object.")
            self._window.dialogs.show_error("Masks cannot be imported", error)
            return
        objects = objects_of(session)
        names = {thing.value: thing.text for thing in surveyed.found if thing.text and not thing.text.startswith("#")}

        def chosen(mapping: dict[int, int]) -> None:
            if self._controller.video is video:
                new = {mapping[value]: name for value, name in names.items() if value in mapping}
                session.import_masks(MappedMasks(reader, mapping), new)
                self._tell(len(reader.frames), path)

        count = len(reader.frames)
        text = f"{path}: {reader.title}, {count} frame{'' if count == 1 else 's'}. {' '.join(reader.notes)}"
        suggested = suggest(surveyed.found, objects, range(1, session.objects.next_id))
        self.dialog = ImportDialog(self._window, text.strip(), surveyed.found, objects, suggested, chosen)
        self.dialog.open()
        self._controller.show_hint()

    def _tell(self, count: int, path: Path) -> None:
        self._controller.show_message(f"Importing {count} mask{'' if count == 1 else 's'} from {path}.")
