"""The dialog that cleans a mask, with the result on the canvas while the user chooses. GUI thread."""
from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QCheckBox, QDoubleSpinBox, QFormLayout, QSpinBox, QWidget

from gui.object_dialogs import ScopeDialog
from interact.cleaning import Cleaning

MAX_AREA = 1_000_000
MAX_SMOOTH = 20.0
MAX_GROW = 100
DEFAULT = Cleaning(holes=200, islands=200, smooth=0.0)


class CleaningDialog(ScopeDialog):
    """Signals: `changed(Cleaning)` with every change; `closed` at its end, whatever the answer."""

    changed = pyqtSignal(object)
    closed = pyqtSignal()

    def __init__(
        self, parent: QWidget, name: str, num_frames: int, frame: int, cleaned: Callable[[Cleaning, range | None], None]
    ) -> None:
        super().__init__(
            parent, "Clean up mask", f"Clean up the mask of {name}", (), num_frames, frame, "frame",
            lambda other, frames: cleaned(self.cleaning, frames),
        )  # fmt: skip
        self.setObjectName("cleaning")
        self.holes = self._area(DEFAULT.holes, "Areas without the object, enclosed by it, are filled up to this size")
        self.islands = self._area(DEFAULT.islands, "Parts smaller than this are removed; the largest one stays")
        self.smooth = QDoubleSpinBox()
        self.smooth.setRange(0, MAX_SMOOTH)
        self.smooth.setSingleStep(0.5)
        self.smooth.setSuffix(" px")
        self.smooth.setSpecialValueText("off")
        self.smooth.setToolTip("How far an outline is rounded: ragged edges go, and so do fine parts")
        self.grow = QSpinBox()
        self.grow.setRange(-MAX_GROW, MAX_GROW)
        self.grow.setSuffix(" px")
        self.grow.setToolTip("How far the outline moves outwards; negative numbers move it inwards")
        self.steady = QCheckBox("Take out flicker")
        self.steady.setToolTip(
            "What is there, or missing, on one frame only goes, or comes back; key frames stay as they are"
        )
        form = QFormLayout()
        for text, box in (("Fill holes up to", self.holes), ("Remove islands below", self.islands),
                          ("Smooth outlines by", self.smooth), ("Grow or shrink by", self.grow)):
            form.addRow(text, box)
            box.valueChanged.connect(self._tell)
        form.addRow("Over time", self.steady)
        self.steady.toggled.connect(self._tell)
        layout = self.layout()
        assert layout is not None
        layout.insertLayout(1, form)  # type: ignore[attr-defined]
        self.finished.connect(lambda result: self.closed.emit())

    @property
    def cleaning(self) -> Cleaning:
        """As the dialog stands."""
        return Cleaning(
            self.holes.value(), self.islands.value(), self.smooth.value(), self.grow.value(), self.steady.isChecked()
        )

    def _tell(self, *value: object) -> None:
        self.changed.emit(self.cleaning)

    def _area(self, value: int, tooltip: str) -> QSpinBox:
        box = QSpinBox()
        box.setRange(0, MAX_AREA)
        box.setSingleStep(50)
        box.setSuffix(" px²")
        box.setSpecialValueText("off")
        box.setValue(value)
        box.setToolTip(tooltip)
        return box
