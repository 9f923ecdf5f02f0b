"""The button that says how frames are shown: modes, contours, minimap, sliders for brightness and contrast. GUI thread.
"""
from __future__ import annotations

from PyQt5.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtWidgets import QGridLayout, QLabel, QMenu, QSlider, QToolButton, QWidget, QWidgetAction

from gui.actions import ActionSet
from gui.canvas_picture import Levels
from gui.view_modes import MODES
from gui.widgets import step_of


class LevelsBox(QWidget):
    """Two sliders. Signal: `changed(Levels)`, by the user."""

    changed = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        step = step_of(self)
        layout = QGridLayout(self)
        layout.setContentsMargins(3 * step, 2 * step, 3 * step, 2 * step)
        layout.setHorizontalSpacing(3 * step)
        self.brightness, self.contrast = QSlider(Qt.Horizontal), QSlider(Qt.Horizontal)
        for row, (name, slider) in enumerate((("Brightness", self.brightness), ("Contrast", self.contrast))):
            slider.setObjectName(name.lower())
            slider.setRange(-100, 100)
            slider.setMinimumWidth(30 * step)
            slider.setToolTip(f"{name} of the picture on screen; masks and exports do not change")
            slider.valueChanged.connect(self._tell)
            layout.addWidget(QLabel(name), row, 0)
            layout.addWidget(slider, row, 1)

    def set_levels(self, levels: Levels) -> None:
        """Show values without announcing them."""
        for slider, value in ((self.brightness, levels.brightness), (self.contrast, levels.contrast)):
            with QSignalBlocker(slider):
                slider.setValue(value)

    def _tell(self, value: int) -> None:
        self.changed.emit(Levels(self.brightness.value(), self.contrast.value()))


def view_button(actions: ActionSet, levels: LevelsBox) -> QToolButton:
    """A button whose menu has everything about the looks of a frame."""
    button = QToolButton()
    button.setText(" View")
    button.setIcon(actions["view.mode_overlay"].icon())
    button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
    button.setPopupMode(QToolButton.InstantPopup)
    button.setFocusPolicy(Qt.NoFocus)
    button.setToolTip("How the frame and its masks are shown")
    menu = QMenu(button)
    menu.addActions([actions[f"view.mode_{mode}"] for mode in MODES])
    menu.addSeparator()
    menu.addActions([actions["view.contour"], actions["view.minimap"]])
    menu.addSeparator()
    sliders = QWidgetAction(menu)
    sliders.setDefaultWidget(levels)
    menu.addAction(sliders)
    menu.addAction(actions["view.reset_levels"])
    button.setMenu(menu)
    return button
