"""The slider in the menu of an object: how opaque it is drawn. GUI thread."""
from __future__ import annotations

from PyQt5.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from gui.widgets import step_of

STEPS = 20


class OpacityBox(QWidget):
    """Signal: `changed(share 0..1)`, by the user."""

    changed = pyqtSignal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        step = step_of(self)
        self.slider = QSlider(Qt.Horizontal)
        self.slider.setObjectName("object_opacity")
        self.slider.setRange(0, STEPS)
        self.slider.setMinimumWidth(25 * step)
        self.slider.setToolTip("How opaque this object is, compared with the others; its mask stays as it is")
        self.value = QLabel()
        self.value.setMinimumWidth(self.value.fontMetrics().horizontalAdvance("100 %"))
        self.value.setAlignment(Qt.AlignRight | Qt.AlignVCenter)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3 * step, step, 3 * step, step)
        layout.setSpacing(2 * step)
        for part in (QLabel("Opacity"), self.slider, self.value):
            layout.addWidget(part)
        self.slider.valueChanged.connect(self._tell)
        self.show_share(1.0)

    def show_share(self, share: float) -> None:
        """Show a value without announcing it."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(share * STEPS))
        self.value.setText(f"{share:.0%}".replace("%", " %"))

    def _tell(self, value: int) -> None:
        self.show_share(value / STEPS)
        self.changed.emit(value / STEPS)
