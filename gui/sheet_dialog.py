"""Suspect frames as small pictures, to be looked over at a glance. GUI thread, except where said."""
from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QIcon, QPixmap
from PyQt5.QtWidgets import QDialog, QListView, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from gui.job_runner import JobRunner
from gui.thumbnails import small_picture, to_pixmap
from gui.widgets import muted, step_of
from interact.review import Doubt
from interact.session import VideoSession
from util.jobs import CancelToken, Job, Outcome
from util.types import ImageU8

PICTURE_STEPS = 40
"""Width of a picture."""


class SheetDialog(QDialog):
    """Beside the window, not before it: a click, or Enter, goes to a frame and the sheet stays. `go(frame, object)`."""

    def __init__(
        self,
        parent: QWidget,
        session: VideoSession,
        suspects: Sequence[Doubt],
        total: int,
        go: Callable[[int, int], None],
    ) -> None:
        """Args: suspects: to be shown. total: how many there are in all."""
        super().__init__(parent)
        self.setObjectName("sheet")
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Contact sheet of suspects")
        self._session = session
        self._suspects = list(suspects)
        self._go = go
        self._cancel: Callable[[], None] | None = None
        step = step_of(self)
        self._width = PICTURE_STEPS * step
        height = round(self._width * session.frames.size.height / session.frames.size.width)
        self.view = QListWidget()
        self.view.setObjectName("sheet_list")
        self.view.setViewMode(QListView.IconMode)
        self.view.setIconSize(QSize(self._width, height))
        self.view.setGridSize(QSize(self._width + 4 * step, height + 12 * step))
        self.view.setResizeMode(QListView.Adjust)
        self.view.setMovement(QListView.Static)
        self.view.setWordWrap(True)
        blank = QPixmap(self._width, height)
        blank.fill(Qt.transparent)
        for doubt in self._suspects:
            name = session.objects.name(doubt.object_id)
            item = QListWidgetItem(QIcon(blank), f"{doubt.frame} · {name}\n{doubt.reason}")
            item.setToolTip(f"Go to frame {doubt.frame}: {doubt.reason}")
            self.view.addItem(item)
        self.view.itemClicked.connect(self._on_chosen)
        self.view.itemActivated.connect(self._on_chosen)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * step)
        count = len(self._suspects)
        shown = f"{count} suspect frame{'' if count == 1 else 's'}"
        if total > count:
            shown = f"The {count} least sure of {total} suspect frames, at least one of every stretch"
        layout.addWidget(muted(f"{shown}. A click goes there."))
        layout.addWidget(self.view, 1)
        self.resize(4 * (self._width + 4 * step) + 12 * step, 110 * step)

    def open_and_load(self, runner: JobRunner) -> None:
        """Show it and have the pictures made, one after another; closing ends that."""
        session, width = self._session, round(self._width * self.devicePixelRatioF())
        own, suspects = session.objects.own_colors, self._suspects

        def run(token: CancelToken) -> Generator[tuple[int, ImageU8], None, None]:
            """Worker thread."""
            for place, (frame, object_id, *_) in enumerate(suspects):
                token.check()
                yield place, small_picture(session.frames.get(frame), session.masks.get(frame), object_id, own, width)

        def finish(outcome: Outcome) -> None:
            if self._cancel is not None and outcome.kind == "failed":
                self.setWindowTitle(f"{self.windowTitle()}: {outcome.error}")

        job_id = runner.submit(Job("Making small pictures", len(suspects), run, self._show_picture, finish))
        self._cancel = lambda: runner.cancel(job_id)
        self.show()

    def done(self, result: int) -> None:
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()
        super().done(result)

    def _show_picture(self, made: tuple[int, ImageU8]) -> None:
        place, picture = made
        if self._cancel is not None:  # not yet closed
            pixmap = to_pixmap(picture)
            pixmap.setDevicePixelRatio(self.devicePixelRatioF())
            self.view.item(place).setIcon(QIcon(pixmap))

    def _on_chosen(self, item: QListWidgetItem) -> None:
        doubt = self._suspects[self.view.row(item)]
        self._go(doubt.frame, doubt.object_id)
