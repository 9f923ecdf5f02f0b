"""The first steps, said once: a strip above the canvas with one tip at a time. GUI thread."""
from __future__ import annotations

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from gui.action_tree import shown_keys
from gui.actions import ActionSet
from gui.widgets import muted, step_of


def first_steps(actions: ActionSet) -> tuple[str, ...]:
    """The tips, with the keys as they are now."""

    def key(action_id: str) -> str:
        return shown_keys(actions.keys(action_id)[:1]) or "the menu"

    return (
        f"Add an object ({key('object.add')}), then click it in the picture. The right button takes parts away.",
        f"{key('propagate.both')} carries it through the whole video. You can look around meanwhile.",
        f"Where it slips, correct it on that frame and press {key('propagate.both')} again: what you fixed stays.",
        f"Everything is saved as you work, and {key('edit.undo')} takes anything back. "
        f"{key('help.keys')} shows all keys.",
    )


class TipsStrip(QFrame):
    """Signal: `dismissed`, when the user has read them or does not want to."""

    dismissed = pyqtSignal()

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tips")
        step = step_of(self)
        self._actions = actions
        self._index = 0
        self.number, self.text = muted(), QLabel()
        self.text.setWordWrap(True)
        self.next_button, self.close_button = QPushButton("Next"), QPushButton("Got it")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3 * step, 2 * step, 3 * step, 2 * step)
        layout.setSpacing(2 * step)
        layout.addWidget(self.number)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.next_button)
        layout.addWidget(self.close_button)
        self.next_button.clicked.connect(lambda checked=False: self._go(self._index + 1))
        self.close_button.clicked.connect(lambda checked=False: self._dismiss())
        self.hide()

    def begin(self) -> None:
        """Show the first one."""
        self._go(0)
        self.show()

    def _go(self, index: int) -> None:
        tips = first_steps(self._actions)
        self._index = index
        self.number.setText(f"Tip {index + 1} of {len(tips)}")
        self.text.setText(tips[index])
        self.next_button.setVisible(index + 1 < len(tips))

    def _dismiss(self) -> None:
        self.hide()
        self.dismissed.emit()
