"""Files dropped on the canvas. GUI thread only."""
from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PyQt5.QtWidgets import QWidget

from gui.canvas_pen import CanvasPen


class CanvasDrop(CanvasPen):
    """Base of the canvas that takes one file or folder at a time and says so while it hovers."""

    dropped = pyqtSignal(object)
    """Path of a file or folder let go over the canvas."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self._is_drop_target = False

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        urls = event.mimeData().urls()
        if len(urls) == 1 and urls[0].isLocalFile():
            event.acceptProposedAction()
            self._show_drop_target(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._show_drop_target(False)

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self._show_drop_target(False)
        self.dropped.emit(Path(event.mimeData().urls()[0].toLocalFile()))

    def _show_drop_target(self, shown: bool) -> None:
        self._is_drop_target = shown
        self.update()
