"""All keys on one page, by menu, to be searched. GUI thread."""
from __future__ import annotations

from PyQt5.QtWidgets import QDialog, QLineEdit, QVBoxLayout, QWidget

from gui.action_tree import ActionTree
from gui.actions import ActionSet
from gui.widgets import muted, step_of

MOUSE = (
    ("Zoom", "wheel", "Zooms at the pointer"),
    ("Move the picture", "middle button, Space and drag", "Also in the middle of a stroke"),
    ("Size of the brush", "Ctrl and wheel", "For brush, eraser and scribble"),
    ("Select an object", "Ctrl and click", "The one under the pointer"),
    ("Zoom in time", "wheel on the timeline", "Zooms at the pointer"),
    ("Use a tool for a moment", "hold its key", "Letting go brings the tool before back"),
)


class CheatSheet(QDialog):
    """Stays open beside the work."""

    def __init__(self, actions: ActionSet, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("cheat_sheet")
        self.setWindowTitle("Keys")
        step = step_of(self)
        self.resize(200 * step, 170 * step)
        self.search = QLineEdit()
        self.search.setObjectName("search")
        self.search.setPlaceholderText("Search keys and actions")
        self.search.setClearButtonEnabled(True)
        self.tree = ActionTree(actions, {"Mouse": MOUSE})
        self.count = muted()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * step, 3 * step, 3 * step, 3 * step)
        layout.setSpacing(2 * step)
        layout.addWidget(self.search)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.count)
        self.search.textChanged.connect(self._filter)
        self._filter("")

    def refresh(self) -> None:
        """The keys may have been changed since it was open last."""
        self.tree.refresh()
        self.search.setFocus()
        self.search.selectAll()

    def _filter(self, text: str) -> None:
        left = self.tree.filter(text)
        self.count.setText("Nothing is called like that." if not left else "Keys can be changed in the preferences.")
