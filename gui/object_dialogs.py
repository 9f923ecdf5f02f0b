"""The questions that actions on objects ask: which other object, over which frames, which colour, which one to go to.
GUI thread. None of them waits: the answer comes by a callback.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QColor, QIcon, QPixmap
from PyQt5.QtWidgets import (
    QButtonGroup,
    QColorDialog,
    QComboBox,
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui.object_row import ObjectRow
from gui.widgets import muted, step_of
from util.palette import Rgb, davis_palette, object_color

Scope = Literal["all", "frame", "onward", "before", "range"]
SCOPES: tuple[tuple[Scope, str], ...] = (
    ("all", "On the whole video"),
    ("frame", "On this frame only"),
    ("onward", "From this frame on"),
    ("before", "Up to this frame"),
    ("range", "On these frames:"),
)
NUM_SWATCHES = 24


def swatch(color: Rgb, side: int) -> QIcon:
    """A filled square."""
    pixmap = QPixmap(side, side)
    pixmap.fill(QColor(*color))
    return QIcon(pixmap)


class ScopeDialog(QDialog):
    """Frames, and with `others` another object, for an edit of an object.

    `answered(other id or None, frames)` when it is accepted; frames None means the whole video.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        text: str,
        others: Sequence[ObjectRow],
        num_frames: int,
        frame: int,
        scope: Scope,
        answered: Callable[[int | None, range | None], None],
    ) -> None:
        super().__init__(parent)
        self.setObjectName("scope")
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self._num_frames = num_frames
        self._frame = frame
        self._answered = answered
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * step_of(self))
        layout.addWidget(QLabel(text))
        self.other = self._other_box(others)
        if others:
            layout.addWidget(self.other)
        self.scopes = QButtonGroup(self)
        self.first, self.last = self._spin(frame), self._spin(num_frames - 1)
        self._add_scopes(layout, scope)
        buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        buttons.button(QDialogButtonBox.Ok).setText(title.split(" ")[0])
        for button in buttons.buttons():
            button.setIcon(QIcon())
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)

    def _other_box(self, others: Sequence[ObjectRow]) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName("other")
        side = 3 * step_of(self)
        box.setIconSize(QSize(side, side))
        for row in others:
            box.addItem(swatch(row.color, side), f"{row.object_id}  {row.name}", row.object_id)
        box.setVisible(bool(others))
        return box

    def _add_scopes(self, layout: QVBoxLayout, scope: Scope) -> None:
        for number, (name, text) in enumerate(SCOPES):
            button = QRadioButton(text)
            button.setObjectName(f"scope_{name}")
            button.setChecked(name == scope)
            self.scopes.addButton(button, number)
            if name != "range":
                layout.addWidget(button)
        row = QHBoxLayout()
        row.addWidget(self.scopes.buttons()[-1])
        for part in (self.first, QLabel("to"), self.last):
            row.addWidget(part)
        row.addStretch(1)
        layout.addLayout(row)

    def _spin(self, value: int) -> QSpinBox:
        """A frame number; changing it chooses the range."""
        spin = QSpinBox()
        spin.setRange(0, self._num_frames - 1)
        spin.setValue(value)
        spin.valueChanged.connect(lambda number: self.scopes.buttons()[-1].setChecked(True))
        return spin

    def choose(self, scope: Scope) -> None:
        self.scopes.button([name for name, _ in SCOPES].index(scope)).setChecked(True)

    @property
    def frames(self) -> range | None:
        """None for the whole video."""
        match SCOPES[self.scopes.checkedId()][0]:
            case "frame":
                return range(self._frame, self._frame + 1)
            case "onward":
                return range(self._frame, self._num_frames)
            case "before":
                return range(self._frame + 1)
            case "range":
                ends = sorted((self.first.value(), self.last.value()))
                return range(ends[0], ends[1] + 1)
        return None

    def accept(self) -> None:
        super().accept()
        self._answered(self.other.currentData(), self.frames)


class ColorDialog(QDialog):
    """The first colours of the DAVIS palette, any other one, and the way back. `chosen(colour or None)`."""

    def __init__(self, parent: QWidget, title: str, now: Rgb | None, chosen: Callable[[Rgb | None], None]) -> None:
        super().__init__(parent)
        self.setObjectName("color")
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self._now = now
        self._chosen = chosen
        step = step_of(self)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * step)
        layout.addWidget(muted("Colours of the DAVIS palette, by object id"))
        grid = QGridLayout()
        grid.setSpacing(step)
        for place in range(NUM_SWATCHES):
            grid.addWidget(self._swatch(place + 1, 6 * step), place // 8, place % 8)
        layout.addLayout(grid)
        row = QHBoxLayout()
        for name, text, slot in (
            ("default", "Palette's colour", lambda: self._choose(None)), ("other", "Another…", self._ask_other)
        ):
            button = QPushButton(text)
            button.setObjectName(name)
            button.setAutoDefault(False)
            button.clicked.connect(lambda checked=False, slot=slot: slot())
            row.addWidget(button)
        layout.addLayout(row)

    def _swatch(self, object_id: int, side: int) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"color_{object_id}")
        button.setIcon(swatch(object_color(object_id), side))
        button.setIconSize(QSize(side, side))
        red, green, blue = davis_palette()[object_id].tolist()
        button.setToolTip(f"The colour of object {object_id} in the DAVIS palette: {red}, {green}, {blue}")
        button.clicked.connect(lambda: self._choose((red, green, blue)))
        return button

    def _ask_other(self) -> None:
        dialog = QColorDialog(QColor(*self._now) if self._now else QColor(Qt.white), self)
        dialog.setOption(QColorDialog.DontUseNativeDialog)
        dialog.colorSelected.connect(lambda color: self._choose((color.red(), color.green(), color.blue())))
        dialog.open()

    def _choose(self, color: Rgb | None) -> None:
        self.accept()
        self._chosen(color)


class GoToDialog(QDialog):
    """An id or a part of a name or class leads to an object. `chosen(id)`."""

    def __init__(self, parent: QWidget, rows: Sequence[ObjectRow], chosen: Callable[[int], None]) -> None:
        super().__init__(parent)
        self.setObjectName("go_to")
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Go to object")
        self._rows = rows
        self._chosen = chosen
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * step_of(self))
        layout.addWidget(QLabel("Number, name or class of the object"))
        self.entry = QLineEdit()
        completer = QCompleter([f"{row.object_id} {row.name}" for row in rows], self)
        completer.setFilterMode(Qt.MatchContains)
        completer.setCaseSensitivity(Qt.CaseInsensitive)
        self.entry.setCompleter(completer)
        self.entry.returnPressed.connect(self._go)
        layout.addWidget(self.entry)
        self.answer = muted("Enter goes there")
        layout.addWidget(self.answer)

    def _go(self) -> None:
        object_id = find_object(self._rows, self.entry.text())
        if object_id is None:
            self.answer.setText("There is no such object.")
            self.entry.selectAll()
        else:
            self.entry.completer().popup().hide()
            self.accept()
            self._chosen(object_id)


def find_object(rows: Sequence[ObjectRow], text: str) -> int | None:
    """By id; else the first whose name begins with the text, contains it, or whose class begins with it."""
    wanted = text.strip().casefold()
    number, _, name = wanted.partition(" ")
    for row in rows:
        if str(row.object_id) == number and (not name or row.name.casefold() == name.strip()):
            return row.object_id
    tests: tuple[Callable[[ObjectRow], bool], ...] = (
        lambda row: row.name.casefold().startswith(wanted),
        lambda row: wanted in row.name.casefold(),
        lambda row: row.category.casefold().startswith(wanted),
    )
    found = [row.object_id for test in tests if wanted for row in rows if test(row)]
    return found[0] if found else None
