"""The row of buttons under the menus: propagate, undo and redo, engine, opacity, export. GUI thread."""
from __future__ import annotations

from PyQt5.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QWidget

from gui.actions import ActionSet
from gui.levels_menu import LevelsBox, view_button
from gui.widgets import ActionButton, muted, step_of

OPACITY_STEPS = 20


class TopBar(QWidget):
    """Three groups: propagation on the left, history in the middle, view and export on the right.

    Signal: `opacity_changed(0..1)`, by the user.
    """

    opacity_changed = pyqtSignal(float)

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        step = step_of(self)
        self._icon_size = QSize(4 * step + 1, 4 * step + 1)
        self.engine = QLabel()
        self.engine.setObjectName("engine")
        self.engine.setProperty("muted", True)
        self.opacity = QSlider(Qt.Horizontal)
        self._build_opacity(step)
        self.levels = LevelsBox()
        self.view = view_button(actions, self.levels)
        self.view.setIconSize(self._icon_size)
        self.undo = self._button(actions, "edit.undo")
        self.redo = self._button(actions, "edit.redo")
        self.export = self._export_button(actions)
        both = self._button(actions, "propagate.both")
        both.setProperty("primary", True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3 * step, step, 3 * step, 2 * step)
        layout.setSpacing(2 * step)
        layout.addLayout(_row(2 * step, self._button(actions, "propagate.backward"), both,
                              self._button(actions, "propagate.forward")))
        layout.addStretch(1)
        layout.addLayout(_row(2 * step, self.undo, self.redo))
        layout.addStretch(1)
        layout.addLayout(_row(2 * step, self.engine, _spacer(step), muted("Opacity"), self.opacity, _spacer(step),
                              self.view, self.export))
        self.view.setFixedHeight(self.undo.sizeHint().height())

    def set_opacity(self, opacity: float) -> None:
        """Show a value without announcing it."""
        with QSignalBlocker(self.opacity):
            self.opacity.setValue(round(opacity * OPACITY_STEPS))

    def set_engine(self, text: str, tooltip: str) -> None:
        self.engine.setText(text)
        self.engine.setToolTip(tooltip)

    def _build_opacity(self, step: int) -> None:
        self.opacity.setObjectName("opacity")
        self.opacity.setRange(0, OPACITY_STEPS)
        self.opacity.setFixedWidth(25 * step)
        self.opacity.setFocusPolicy(Qt.NoFocus)
        self.opacity.setToolTip("How strongly the masks cover the video")
        self.opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / OPACITY_STEPS))

    def _button(self, actions: ActionSet, action_id: str) -> ActionButton:
        button = ActionButton(actions[action_id])
        button.setIconSize(self._icon_size)
        return button

    def _export_button(self, actions: ActionSet) -> QToolButton:
        button = QToolButton()
        button.setText(" Export")
        button.setIcon(actions["file.export_masks"].icon())
        button.setIconSize(self._icon_size)
        button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.InstantPopup)
        button.setFocusPolicy(Qt.NoFocus)
        button.setToolTip("Write masks or an overlay video")
        button.setFixedHeight(self.undo.sizeHint().height())
        menu = QMenu(button)
        menu.addActions([actions["file.export_masks"], actions["file.export_overlay"]])
        button.setMenu(menu)
        return button


def _row(spacing: int, *widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(spacing)
    for widget in widgets:
        row.addWidget(widget)
    return row


def _spacer(width: int) -> QWidget:
    spacer = QWidget()
    spacer.setFixedWidth(width)
    return spacer
