"""First, ten back, back, play, on, ten on, last: the buttons above the timeline, and where one is. GUI thread."""
from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from gui.actions import ActionSet
from gui.icons import icon
from gui.widgets import flat_button, step_of

BUTTONS = (
    "frame.first", "frame.previous_10", "frame.previous", "play.toggle", "frame.next", "frame.next_10", "frame.last",
    "play.loop",
)
LABELS = {"frame.previous_10": "−10", "frame.next_10": "+10"}


class Transport(QWidget):
    """The play button shows what it would do: play, or pause."""

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        step = step_of(self)
        self.buttons: dict[str, QToolButton] = {}
        self.position = QLabel()
        self.position.setProperty("muted", True)
        self.rate = QLabel()
        self.rate.setObjectName("rate")
        self.rate.setProperty("muted", True)
        self._play = actions["play.toggle"]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3 * step, step, 3 * step, 0)
        layout.setSpacing(step // 2)
        for action_id in BUTTONS:
            button = flat_button(actions[action_id], 4 * step)
            if action_id in LABELS:
                button.setToolButtonStyle(Qt.ToolButtonTextOnly)
                actions[action_id].setIconText(LABELS[action_id])
            self.buttons[action_id] = button
            layout.addWidget(button)
        layout.addSpacing(3 * step)
        layout.addWidget(self.position)
        layout.addSpacing(3 * step)
        layout.addWidget(self.rate)
        layout.addStretch(1)

    def set_playing(self, is_playing: bool) -> None:
        self._play.setIcon(icon("pause" if is_playing else "play"))
        self.rate.clear()

    def set_rate(self, per_second: float, left_out: int) -> None:
        """What reaches the screen while playing, and how many frames had to be left out to keep the pace."""
        text = f"{per_second:.1f} frames/s"
        self.rate.setText(text if not left_out else f"{text}, {left_out} left out")

    def set_position(self, text: str) -> None:
        self.position.setText(text)
