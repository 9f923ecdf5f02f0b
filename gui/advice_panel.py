"""The part of the right column that names the frame to correct next and how much is reviewed. GUI thread."""
from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from gui.actions import ActionSet
from gui.thumbnails import to_pixmap
from gui.timeline_strips import format_done
from gui.widgets import ActionButton, FactRow, heading, muted, panel_layout, step_of
from interact.advice import NextFrame
from util.types import ImageU8

THUMBNAIL_STEPS = 24
"""Width of the small picture."""


class AdviceCard(QFrame):
    """A small picture, the frame with its object, the number and what that rests on. Signal: `clicked`."""

    clicked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("advice_card")
        self.setCursor(Qt.PointingHandCursor)
        step = step_of(self)
        self.picture = QLabel()
        self.title, self.number, self.key = QLabel(), QLabel(), muted()
        self.number.setProperty("doubt", True)
        texts = QVBoxLayout()
        texts.setSpacing(step // 2)
        for label in (self.title, self.number, self.key):
            texts.addWidget(label)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * step, 2 * step, 2 * step, 2 * step)
        row.setSpacing(2 * step)
        row.addWidget(self.picture)
        row.addLayout(texts, 1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        if event.button() == Qt.LeftButton and self.rect().contains(event.pos()):
            self.clicked.emit()


class AdvicePanel(QWidget):
    """Says what `AdviceControl` found. Signal: `chosen`, the user wants to go there."""

    chosen = pyqtSignal()

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("advice")
        self.card = AdviceCard()
        self.note = muted()
        self.note.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(max(4, round(step_of(self) * 1.25)))
        self.find_button = ActionButton(actions["review.advise"], with_icon=False)
        self.cancel_button = ActionButton(actions["propagate.cancel"], with_icon=False)
        self.done = FactRow("Reviewed")
        self.done.setToolTip("Verified, or known to be absent: of all frames of all objects between the marks")
        self._go_key = actions["review.go"].shortcut().toString()
        layout = panel_layout(self)
        layout.addWidget(heading("Next frame to correct"))
        for widget in (self.card, self.bar, self.note, self.find_button, self.cancel_button, self.done):
            layout.addWidget(widget)
        self.card.clicked.connect(self.chosen)
        self.show_nothing("")

    @property
    def thumbnail_width(self) -> int:
        """In pixels of the screen."""
        return round(THUMBNAIL_STEPS * step_of(self) * self.devicePixelRatioF())

    def show_nothing(self, why: str) -> None:
        """No advice, with a sentence about it."""
        self._show(is_running=False, has_card=False, note=why)

    def show_running(self, done: int, total: int, what: str) -> None:
        """Frames are being judged; a total of 0 shows a busy bar."""
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self._show(is_running=True, has_card=False, note=f"{what}: {done} of {total} frames" if total else what)

    def show_advice(self, advice: NextFrame, name: str, picture: ImageU8) -> None:
        """Args: name: of the object. picture: uint8 [h, w, 3], `thumbnail_width` wide."""
        pixmap = to_pixmap(picture)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        self.card.picture.setPixmap(pixmap)
        self.card.title.setText(f"Frame {advice.frame}, {name}")
        what = "predicted J" if advice.basis.is_trained else "confidence"
        self.card.number.setText(f"{what} {advice.quality:.2f}")
        self.card.key.setText(f"{self._go_key} goes there")
        self.card.setToolTip(f"{advice.quality:.2f} of 1, {advice.basis.name}; {advice.decided}")
        name, is_trained = advice.basis
        note = f"J {name}." if is_trained else f"By {name}, which can be sure and wrong."
        self._show(is_running=False, has_card=True, note=note)

    def set_done(self, share: float) -> None:
        self.done.value.setText(format_done(share))

    def _show(self, *, is_running: bool, has_card: bool, note: str) -> None:
        self.card.setVisible(has_card)
        self.bar.setVisible(is_running)
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.find_button.setVisible(not is_running)
        self.cancel_button.setVisible(is_running)
