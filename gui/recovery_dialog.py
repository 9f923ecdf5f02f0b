"""Asked when a workspace is opened that the program left without saving: recover its last actions, or leave them?"""
from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDialog, QDialogButtonBox, QLabel, QListWidget, QVBoxLayout, QWidget

from gui.widgets import muted, step_of

SHOWN = 200
"""The newest of more actions are listed."""

Decided = Callable[[bool | None], None]
"""True: recover. False: leave the actions. None: nothing; the workspace stays as it is until the next opening."""


class RecoveryDialog(QDialog):
    """Calls `decided` exactly once. Does not wait: `open` it."""

    def __init__(self, parent: QWidget, name: str, unsaved: Sequence[str], decided: Decided) -> None:
        """Args: name: of the video. unsaved: labels of the actions, the newest last."""
        super().__init__(parent)
        self.setObjectName("recovery")
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Recover your work?")
        self._decided: Decided | None = decided
        step = step_of(self)
        count = len(unsaved)
        actions = "The last action was" if count == 1 else f"The last {count} actions were"
        text = QLabel(
            f"<b>The program ended unexpectedly while it worked on {name}.</b><br>{actions} written down, but not yet "
            "saved in the masks. The newest is on top:"
        )
        text.setWordWrap(True)
        self.list = QListWidget()
        self.list.setObjectName("unsaved")
        self.list.setFocusPolicy(Qt.NoFocus)
        self.list.setSelectionMode(QListWidget.NoSelection)
        self.list.addItems(list(reversed(unsaved[-SHOWN:])))
        if count > SHOWN:
            self.list.addItem(f"and {count - SHOWN} more")
        rows = min(self.list.count(), 6)
        self.list.setFixedHeight(rows * self.list.sizeHintForRow(0) + 2 * self.list.frameWidth() + step)
        note = muted("“Recover” brings all of them back; undo can still take them back one by one. “Leave” opens the "
                     "masks as they were last saved, and these actions are lost.")
        note.setWordWrap(True)
        self.buttons = QDialogButtonBox()
        self.buttons.setStyleSheet("QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }")
        self.recover = self.buttons.addButton("Recover", QDialogButtonBox.AcceptRole)
        self.leave = self.buttons.addButton("Leave", QDialogButtonBox.DestructiveRole)
        self.cancel = self.buttons.addButton("Do not open", QDialogButtonBox.RejectRole)
        self.recover.setDefault(True)
        self.recover.clicked.connect(lambda: self._end(True))
        self.leave.clicked.connect(lambda: self._end(False))
        self.rejected.connect(lambda: self._end(None))
        self.cancel.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * step, 4 * step, 4 * step, 4 * step)
        layout.setSpacing(3 * step)
        for part in (text, self.list, note, self.buttons):
            layout.addWidget(part)
        self.setMinimumWidth(110 * step)

    def _end(self, recover: bool | None) -> None:
        decided, self._decided = self._decided, None
        if decided is not None:
            self.accept()
            decided(recover)
