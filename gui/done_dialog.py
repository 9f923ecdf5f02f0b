"""What is missing before everything is reviewed, by object. GUI thread."""
from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDialog, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from gui.timeline_strips import format_done
from gui.widgets import muted, step_of
from interact.review import Missing, count

MAX_STRETCHES = 100
"""Shown of one kind and object; more are only counted."""

_KINDS = (
    ("empty", "without a mask, and not marked absent"),
    ("unverified", "not verified"),
    ("suspect", "suspect"),
)


class DoneDialog(QDialog):
    """Beside the window, not before it: a click on a line goes to its first frame. `go(frame, object)`."""

    def __init__(
        self,
        parent: QWidget,
        missing: Sequence[Missing],
        share: float,
        within: range,
        go: Callable[[int, int], None],
    ) -> None:
        super().__init__(parent)
        self.setObjectName("done")
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Is it done?")
        self._go = go
        step = step_of(self)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * step)
        self.summary = muted(_summary(missing, share, within))
        self.summary.setWordWrap(True)
        layout.addWidget(self.summary)
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        for one in missing:
            self._add(one)
        self.tree.expandToDepth(0)
        self.tree.itemClicked.connect(self._on_chosen)
        self.tree.itemActivated.connect(self._on_chosen)
        self.tree.setVisible(bool(missing))
        layout.addWidget(self.tree, 1)
        self.resize(110 * step, (100 if missing else 25) * step)

    def _add(self, one: Missing) -> None:
        top = QTreeWidgetItem(self.tree, [f"{one.object_id}  {one.name}"])
        for kind, words in _KINDS:
            runs: tuple[range, ...] = getattr(one, kind)
            if not runs:
                continue
            frames = count(runs)
            group = QTreeWidgetItem(top, [f"{frames} frame{'' if frames == 1 else 's'} {words}"])
            group.setData(0, Qt.UserRole, (runs[0].start, one.object_id))
            for run in runs[:MAX_STRETCHES]:
                text = f"frame {run.start}" if len(run) == 1 else f"frames {run.start} to {run.stop - 1}"
                leaf = QTreeWidgetItem(group, [text])
                leaf.setData(0, Qt.UserRole, (run.start, one.object_id))
            if len(runs) > MAX_STRETCHES:
                QTreeWidgetItem(group, [f"and {len(runs) - MAX_STRETCHES} more stretches"])

    def _on_chosen(self, item: QTreeWidgetItem) -> None:
        place = item.data(0, Qt.UserRole)
        if place is not None:
            self._go(*place)


def _summary(missing: Sequence[Missing], share: float, within: range) -> str:
    where = f"frames {within.start} to {within.stop - 1}"
    if not missing:
        return f"Done: on {where} every object is verified, or known to be absent."
    objects = f"{len(missing)} object{'' if len(missing) == 1 else 's'}"
    return f"{format_done(share)} of {where} is verified or known to be absent. {objects} still lack something:"
