"""Import of masks: asks for them, shows what is in them, and hands them to the session. GUI thread."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PyQt5.QtCore import QObject

from gui.exchange_jobs import Surveyed, survey_job
from gui.export_control import objects_of
from gui.file_jobs import as_app_error, import_job
from gui.import_dialog import ImportDialog
from interact.session import VideoSession
from storage.exchange.import_masks import MappedMasks, suggest
from util.errors import AppError
from util.jobs import Job, Outcome
from util.types import IndexMask

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo


T = TypeVar("T")
Told = Callable[[T | None], None]


def look(
    controller: Controller,
    path: Path,
    title: str,
    show: Callable[[OpenVideo, T], None],
    make_job: Callable[[VideoSession, Told[T], Callable[[Outcome], None]], Job[T | None]],
) -> None:
    """Find out on the thread of files what there is at `path`, then show it, if the video is still open.

    Args:
        title: of the message when it fails.
        make_job: from the session, what hears of the result, and of the end.
    """
    video = controller.video
    if video is None:
        return

    def told(found: T | None) -> None:
        if found is not None and controller.video is video:
            show(video, found)

    def finish(outcome: Outcome) -> None:
        if outcome.kind == "failed":
            controller.window.dialogs.show_error(title, as_app_error(outcome.error, f"{path} cannot be read"))

    controller.show_message(f"Looking at {path}…")
    controller.files.submit(make_job(video.session, told, finish))


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
        look(
            self._controller, path, "Masks cannot be imported", partial(self._ask, path=path),
            lambda session, told, end: survey_job(path, session.frames, session.frame, told, end),
        )

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

    def _ask(self, video: OpenVideo, surveyed: Surveyed, path: Path) -> None:
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
