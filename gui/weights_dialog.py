"""The table of networks and weights: what is here, what is missing and where it is to be had. GUI thread.

Only the view: what its buttons do is `WeightsControl`'s.
"""
from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QBrush, QColor
from PyQt5.QtWidgets import (
    QAction,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.job_bar import JobBar, format_bytes
from gui.widgets import step_of
from inference_core.registry import WeightFile

COLUMNS = ("Network", "State", "Used for", "File", "Size", "Licence")
_STATE = COLUMNS.index("State")
_NAME = Qt.UserRole
UNKNOWN = "unknown"


def state_of(entry: WeightFile) -> str:
    """Whether the weights are here, in a word or two."""
    if entry.is_present:
        return "part of the program" if entry.is_embedded else "here"
    return "missing" if entry.sources or entry.is_embedded else "missing, no address known"


def explain(entry: WeightFile) -> str:
    """Where the weights are, or what to fetch and where to put it."""
    if entry.is_present:
        return f"{entry.title}: {entry.path}."
    if entry.is_embedded:
        return f"{entry.title}: {entry.path} is part of this program. Restore it from the repository."
    if not entry.sources:
        return f"{entry.title}: {entry.by_hand}; then press “Take in a file…”, or put it in place as {entry.path}."
    return (
        f"{entry.title}: “Download” fetches {', else '.join(entry.sources)}. If that fails, fetch it with a browser "
        f"and press “Take in a file…”, or put it in place as {entry.path}."
    )


def _size(entry: WeightFile) -> str:
    return UNKNOWN if entry.num_bytes is None else format_bytes(entry.num_bytes)


class WeightsDialog(QDialog):
    """Signals carry names of entries: `fetch`, `take`; `fetch_all` and `verify` are about all of them."""

    fetch = pyqtSignal(str)
    take = pyqtSignal(str)
    fetch_all = pyqtSignal()
    verify = pyqtSignal()
    cancel = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("weights")
        self.setWindowTitle("Networks and weights")
        step = step_of(self)
        self.resize(250 * step, 130 * step)
        self.table = QTreeWidget()
        self.table.setObjectName("weights_table")
        self.table.setHeaderLabels(COLUMNS)
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.currentItemChanged.connect(self._show_current)
        self.details = QLabel()
        self.details.setProperty("muted", True)
        self.details.setWordWrap(True)
        self.details.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.details.setAlignment(Qt.AlignTop)
        self.details.setMinimumHeight(3 * self.details.fontMetrics().lineSpacing())
        self.stop = QAction("Stop", self)
        self.stop.triggered.connect(lambda checked=False: self.cancel.emit())
        self.bar = JobBar("Transfer", self.stop)
        self._entries: dict[str, WeightFile] = {}
        self._is_busy = False
        self._make_buttons()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * step, 3 * step, 3 * step, 3 * step)
        layout.setSpacing(2 * step)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.details)
        layout.addWidget(self.bar)
        layout.addLayout(self._buttons)

    def _make_buttons(self) -> None:
        self._buttons = QHBoxLayout()

        def button(text: str, tooltip: str) -> QPushButton:
            made = QPushButton(text)
            made.setToolTip(tooltip)
            made.setAutoDefault(False)
            self._buttons.addWidget(made)
            return made

        self.fetch_button = button("Download", "Fetch the selected weights into the folder saves")
        self.fetch_all_button = button("Download all missing", "Fetch everything that is missing and has an address")
        self.take_button = button("Take in a file…", "Use a file fetched by hand for the selected network")
        self.verify_button = button("Verify", "Compare what is here with the checksums recorded at its first use")
        self._buttons.addStretch(1)
        close = button("Close", "Close this list; a transfer goes on")
        self.fetch_button.clicked.connect(lambda: self.fetch.emit(self.current_name))
        self.fetch_all_button.clicked.connect(lambda: self.fetch_all.emit())
        self.take_button.clicked.connect(lambda: self.take.emit(self.current_name))
        self.verify_button.clicked.connect(lambda: self.verify.emit())
        close.clicked.connect(self.close)

    @property
    def current_name(self) -> str:
        """Name of the selected entry; empty if none is."""
        item = self.table.currentItem()
        return "" if item is None else str(item.data(0, _NAME))

    def select(self, name: str) -> None:
        """Make an entry the current one."""
        self.table.setCurrentItem(self._item(name))

    def set_entries(self, entries: Sequence[WeightFile]) -> None:
        """Show these rows, as they are on the disk now."""
        current = self.current_name
        self._entries = {entry.name: entry for entry in entries}
        self.table.clear()
        for entry in entries:
            cells = [entry.title, "", entry.used_for, entry.path.name, _size(entry), entry.licence or UNKNOWN]
            item = QTreeWidgetItem(self.table, cells)
            item.setData(0, _NAME, entry.name)
            self.set_state(entry.name, state_of(entry))
        for column in range(len(COLUMNS)):
            self.table.resizeColumnToContents(column)
        self.select(current if current in self._entries else next(iter(self._entries)))

    def set_state(self, name: str, text: str) -> None:
        """Say what is happening to an entry; what is not here is grey."""
        entry, item = self._entries[name], self._item(name)
        item.setText(_STATE, text)
        color = QBrush(QColor(theme.TEXT if entry.is_present else theme.TEXT_DISABLED))
        for column in range(len(COLUMNS)):
            item.setForeground(column, color)
            item.setToolTip(column, explain(entry))

    def state(self, name: str) -> str:
        """What is said of an entry."""
        return self._item(name).text(_STATE)

    def is_grey(self, name: str) -> bool:
        """Whether an entry is shown as not here."""
        return self._item(name).foreground(0).color() == QColor(theme.TEXT_DISABLED)

    def set_busy(self, is_busy: bool) -> None:
        """While a transfer runs nothing else can be started."""
        self._is_busy = is_busy
        self._show_current()

    def _item(self, name: str) -> QTreeWidgetItem:
        rows = (self.table.topLevelItem(row) for row in range(self.table.topLevelItemCount()))
        return next(item for item in rows if item is not None and item.data(0, _NAME) == name)

    def _show_current(self, *items: object) -> None:
        entry = self._entries.get(self.current_name)
        self.details.setText("" if entry is None else explain(entry))
        is_free = not self._is_busy
        can_take = entry is not None and not entry.is_embedded
        self.fetch_button.setEnabled(is_free and can_take and not entry.is_present and bool(entry.sources))
        self.take_button.setEnabled(is_free and can_take)
        missing = any(row.sources and not row.is_present for row in self._entries.values())
        self.fetch_all_button.setEnabled(is_free and missing)
        self.verify_button.setEnabled(is_free)
