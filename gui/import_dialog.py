"""The dialog that shows what is in masks of other programs and asks which objects it becomes. GUI thread."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QIcon
from PyQt5.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.object_dialogs import swatch
from gui.widgets import muted, step_of
from storage.exchange.import_masks import Found
from storage.project_parts import ObjectInfo
from util.palette import object_color

COLUMNS = ("Found", "Number", "Frames", "Pixels", "Becomes")
LEAVE_OUT = 0


class ImportDialog(QDialog):
    """Args:
        text: what the masks are, and where.
        found: the things in them.
        objects: those that there are.
        suggested: value -> object id; of new objects too.
        chosen: called with value -> object id when the user confirms; things that are left out are not in it.
    """

    def __init__(
        self,
        parent: QWidget,
        text: str,
        found: Sequence[Found],
        objects: Sequence[ObjectInfo],
        suggested: Mapping[int, int],
        chosen: Callable[[dict[int, int]], None],
    ) -> None:
        super().__init__(parent)
        self.setObjectName("import_dialog")
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Import masks")
        self._chosen = chosen
        self.boxes: dict[int, QComboBox] = {}
        step = step_of(self)
        self.resize(170 * step, 100 * step)
        note = muted(text)
        note.setWordWrap(True)
        note.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.table = QTreeWidget()
        self.table.setObjectName("import_table")
        self.table.setHeaderLabels(COLUMNS)
        self.table.setRootIsDecorated(False)
        self.table.setIconSize(QSize(4 * step, 4 * step))
        for thing in found:
            self._add_row(thing, objects, suggested, step)
        for column in range(len(COLUMNS) - 1):
            self.table.resizeColumnToContents(column)
            # The style's padding is not part of what Qt measures.
            self.table.setColumnWidth(column, self.table.columnWidth(column) + 6 * step)
        header = self.table.header()
        if header is not None:
            header.setSectionResizeMode(len(COLUMNS) - 1, QHeaderView.Stretch)
        self.hint = muted("The frames become key frames, in one step that can be undone.")
        self.buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        for button in self.buttons.buttons():
            button.setIcon(QIcon())
        self.import_button = self.buttons.button(QDialogButtonBox.Ok)
        self.import_button.setText("Import")
        self.buttons.accepted.connect(self._confirm)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * step, 4 * step, 4 * step, 4 * step)
        layout.setSpacing(3 * step)
        for widget in (note, self.table, self.hint, self.buttons):
            layout.addWidget(widget)
        self._update()

    @property
    def mapping(self) -> dict[int, int]:
        """As the dialog stands: value -> object id."""
        found = {value: int(box.currentData()) for value, box in self.boxes.items()}
        return {value: object_id for value, object_id in found.items() if object_id != LEAVE_OUT}

    def _add_row(
        self, thing: Found, objects: Sequence[ObjectInfo], suggested: Mapping[int, int], step: int
    ) -> None:
        cells = [thing.text or "—", str(thing.value), str(thing.num_frames), f"{thing.num_pixels:,}", ""]
        row = QTreeWidgetItem(self.table, cells)
        row.setIcon(0, swatch(thing.color or object_color(thing.value), 4 * step))
        row.setSizeHint(len(COLUMNS) - 1, QSize(0, 8 * step))
        box = QComboBox()
        box.setIconSize(QSize(4 * step, 4 * step))
        box.setToolTip("The object whose pixels these become")
        for info in objects:
            box.addItem(swatch(object_color(info.object_id, info.color), 4 * step), info.name, info.object_id)
        wanted = suggested.get(thing.value, LEAVE_OUT)
        if wanted != LEAVE_OUT and wanted not in {info.object_id for info in objects}:
            box.addItem(swatch(object_color(wanted), 4 * step), f"New object {wanted}", wanted)
        box.addItem("Leave out", LEAVE_OUT)
        box.setCurrentIndex(box.findData(wanted))
        box.currentIndexChanged.connect(self._update)
        self.table.setItemWidget(row, len(COLUMNS) - 1, box)
        self.boxes[thing.value] = box

    def _confirm(self) -> None:
        mapping = self.mapping
        self.accept()
        self._chosen(mapping)

    def _update(self, *values: object) -> None:
        self.import_button.setEnabled(bool(self.mapping))
