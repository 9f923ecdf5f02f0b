"""What the window shows before a video is open: what to do, and the videos opened lately. GUI thread."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget

from gui.actions import ActionSet
from gui.widgets import ActionButton, heading, muted, step_of

MAX_RECENT_SHOWN = 5


class StartPage(QWidget):
    """Signal: `chosen(path)` when one of the recent videos is clicked."""

    chosen = pyqtSignal(object)

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("start")
        step = step_of(self)
        column = QWidget()
        column.setFixedWidth(100 * step)
        layout = QVBoxLayout(column)
        layout.setSpacing(3 * step)
        title = QLabel("Open a video to begin")
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.7)
        title.setFont(font)
        text = muted("Mark an object on one frame, carry it through the video, correct where it slips. "
                     "Masks are saved as you work.")
        text.setWordWrap(True)
        layout.addWidget(title)
        layout.addWidget(text)
        layout.addSpacing(step)
        for action_id in ("file.open_video", "file.open_folder", "file.open_example"):
            button = ActionButton(actions[action_id])
            button.setProperty("primary", action_id == "file.open_video")
            button.setMinimumWidth(75 * step)
            layout.addWidget(button, 0, Qt.AlignLeft)
        layout.addWidget(muted("or drop a video or a folder of images here"))
        self._recent = QVBoxLayout()
        self._recent.setSpacing(step)
        layout.addLayout(self._recent)
        self.status = muted()
        self.status.setWordWrap(True)
        layout.addWidget(self.status)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        outer.addWidget(column, 0, Qt.AlignHCenter)
        outer.addStretch(3)

    def set_recent(self, paths: Sequence[Path]) -> None:
        while (item := self._recent.takeAt(0)) is not None:
            item.widget().deleteLater()
        if paths:
            self._recent.addWidget(heading("Opened lately"))
        for path in paths[:MAX_RECENT_SHOWN]:
            button = QToolButton()
            button.setText(path.name)
            button.setToolTip(str(path))
            button.setProperty("flat", True)
            button.setFocusPolicy(Qt.NoFocus)
            # Qt gives a text-only tool button less than its descenders need once a style sheet pads it.
            button.setMinimumHeight(button.fontMetrics().height() + 3 * step_of(self))
            button.clicked.connect(lambda checked=False, path=path: self.chosen.emit(path))
            self._recent.addWidget(button)

    def set_status(self, text: str) -> None:
        """What is going on, while a video is being opened."""
        self.status.setText(text)
