"""The row of buttons under the menus: propagate, undo and redo, engine, opacity, export. GUI thread."""
from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QEvent, QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QMenu, QSlider, QToolButton, QWidget

from gui.actions import ActionSet
from gui.levels_menu import LevelsBox, view_button
from gui.widgets import ActionButton, muted, step_of

OPACITY_STEPS = 20


class TopBar(QWidget):
    """Three groups: propagation on the left, history in the middle, view and export on the right.

    Where there is no room for all the words, some of the buttons show their icons only, the least needed words first.

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
        ways = [self._button(actions, f"propagate.{way}") for way in ("backward", "both", "forward")]
        ways[1].setProperty("primary", True)
        label = muted("Opacity")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3 * step, step, 3 * step, 2 * step)
        layout.setSpacing(2 * step)
        layout.addLayout(_row(2 * step, *ways))
        layout.addStretch(1)
        layout.addLayout(_row(2 * step, self.undo, self.redo))
        layout.addStretch(1)
        layout.addLayout(_row(2 * step, self.engine, _spacer(step), label, self.opacity, _spacer(step),
                              self.view, self.export))
        self.view.setFixedHeight(self.undo.sizeHint().height())
        self._words = (
            _Words(2 * step, labels=(label, self.engine)), _Words(0, (self.undo, self.redo)),
            _Words(0, menus=(self.view, self.export)), _Words(0, ways),
        )

    def set_opacity(self, opacity: float) -> None:
        """Show a value without announcing it."""
        with QSignalBlocker(self.opacity):
            self.opacity.setValue(round(opacity * OPACITY_STEPS))

    def set_engine(self, text: str, tooltip: str) -> None:
        self.engine.setText(text)
        self.engine.setToolTip(tooltip)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """With icons only."""
        hint = super().minimumSizeHint()
        saved = sum(words.width() for words in self._words if words.are_shown)
        return QSize(hint.width() - saved, hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        super().resizeEvent(event)
        for words in self._words:
            words.measure_menus()
        self._fit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.LayoutRequest:  # another text of a button, or of the engine
            self._fit()
        return bool(super().event(event))

    def _fit(self) -> None:
        """Show as many words as there is room for."""
        spare = self.width() - self.minimumSizeHint().width()
        for words in reversed(self._words):
            spare -= words.width()
            words.show(spare >= 0)

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


class _Words:
    """What is left out together: the words of action buttons and of menu buttons, and whole labels.

    Args: spacing: that a label has beside it.
    """

    def __init__(
        self, spacing: int, buttons: Sequence[ActionButton] = (), labels: Sequence[QLabel] = (),
        menus: Sequence[QToolButton] = (),
    ) -> None:
        self._spacing = spacing
        self._buttons = buttons
        self._labels = labels
        self._menus = menus
        self._menu_widths = 0
        self.are_shown = True

    def measure_menus(self) -> None:
        """Once they have their style. Not with every `width`, which the changes would cause to be asked again."""
        if not self._menu_widths:
            for menu in self._menus:
                menu.ensurePolished()
                whole = menu.sizeHint().width()
                menu.setToolButtonStyle(Qt.ToolButtonIconOnly)
                self._menu_widths += whole - menu.sizeHint().width()
                menu.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)

    def width(self) -> int:
        """How much room they take."""
        taken = sum(button.width_with(words=True) - button.width_with(words=False) for button in self._buttons)
        return taken + sum(label.sizeHint().width() + self._spacing for label in self._labels) + self._menu_widths

    def show(self, shown: bool) -> None:
        if shown == self.are_shown:
            return
        self.are_shown = shown
        for button in self._buttons:
            button.set_words(shown)
        for label in self._labels:
            label.setVisible(shown)
        for menu in self._menus:
            menu.setToolButtonStyle(Qt.ToolButtonTextBesideIcon if shown else Qt.ToolButtonIconOnly)


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
