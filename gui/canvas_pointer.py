"""The canvas's pointer: which presses are a tool's, which ones pan, and where the pointer is. GUI thread only."""
from __future__ import annotations

import time
from typing import NamedTuple

from PyQt5.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PyQt5.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from interact.events import Button, PointerEvent, PointerKind
from util.view_transform import Point, ViewTransform

TAP_SECONDS = 0.4
"""A Space held longer than this was meant for panning."""
_TEXT_INPUTS = (QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit)
_BUTTONS: dict[int, Button] = {Qt.LeftButton: "left", Qt.RightButton: "right"}


class Touch(NamedTuple):
    """What mouse and pen have in common. Args: place: in widget pixels. pressure: 0..1, 1 for the mouse."""

    place: QPointF
    button: int
    modifiers: Qt.KeyboardModifiers
    seconds: float
    pressure: float = 1.0

    @classmethod
    def of(cls, event: QMouseEvent) -> Touch:
        return cls(event.localPos(), event.button(), event.modifiers(), event.timestamp() / 1000)


class CanvasPointer(QWidget):
    """Base of the canvas that turns mouse and key events into `PointerEvent`s and pans.

    A tool's drag starts with the left or right button on the image; its moves and its release are passed on wherever
    they happen, so their coordinates may lie outside the image. Until it ends, other buttons but the middle one are
    ignored. The middle button, or the left one while Space is held, pans, also in the middle of a drag, whose moves
    then wait. The canvas takes the keyboard when the pointer enters it, unless the user is typing somewhere, so that
    Space works without a click; a short Space without panning is `space_tapped`, for it may be a shortcut as well.
    """

    pointer = pyqtSignal(object)
    """A PointerEvent for the tool."""
    hovered = pyqtSignal(object)
    """The Point of the image under the pointer, None beside the image."""
    space_tapped = pyqtSignal()
    key_pressed = pyqtSignal(int)
    """A key without modifiers, not repeated, before it may act as a shortcut."""
    key_released = pyqtSignal(int)
    focus_left = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.StrongFocus)
        self._view: ViewTransform | None = None
        self._hover: QPointF | None = None
        self._reported: Point | None = None
        self._drag: Button = "none"
        self._pan_button: int | None = None
        self._pan_last = QPointF()
        self._space_since: float | None = None
        self._has_panned = False

    @property
    def hovered_point(self) -> Point | None:
        """The point of the image under the pointer, None beside it."""
        return self._reported

    @property
    def is_panning(self) -> bool:
        """Whether the view follows the pointer, or would at the next press."""
        return self._pan_button is not None or self._space_since is not None

    def _pan(self, dx: float, dy: float) -> None:
        """Move the view by widget pixels."""
        raise NotImplementedError

    # -- mouse and pen

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.setAccepted(self._view is not None)
        self._pressed(Touch.of(event), "press")

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._pressed(Touch.of(event), "double")

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._moved(Touch.of(event))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._released(Touch.of(event))

    def _pressed(self, touch: Touch, kind: PointerKind) -> None:
        button, view = touch.button, self._view
        if view is None:
            return
        if button == Qt.MiddleButton or (button == Qt.LeftButton and self._space_since is not None):
            if self._pan_button is None:
                self._pan_button, self._pan_last, self._has_panned = button, touch.place, True
                self._update_cursor()
            return
        is_idle = self._drag == "none" and self._pan_button is None
        if button in _BUTTONS and is_idle and view.is_inside(self._image_point(view, touch)):
            self._drag = _BUTTONS[button]
            self._emit(kind, touch)

    def _moved(self, touch: Touch) -> None:
        self._hover = touch.place
        if self._view is None:
            return
        if self._pan_button is not None:
            step = touch.place - self._pan_last
            self._pan_last = touch.place
            self._pan(step.x(), step.y())
            return
        self._report_hover()
        if self._drag != "none" or self._view.is_inside(self._image_point(self._view, touch)):
            self._emit("move", touch)

    def _released(self, touch: Touch) -> None:
        if touch.button == self._pan_button:
            self._pan_button = None
            self._update_cursor()
        elif self._drag != "none" and _BUTTONS.get(touch.button) == self._drag:
            self._emit("release", touch)
            self._drag = "none"

    def _emit(self, kind: PointerKind, touch: Touch) -> None:
        if self._view is not None:
            x, y = self._image_point(self._view, touch)
            shift = bool(touch.modifiers & Qt.ShiftModifier)
            ctrl = bool(touch.modifiers & Qt.ControlModifier)
            self.pointer.emit(PointerEvent(kind, x, y, self._drag, shift, ctrl, touch.seconds, touch.pressure))

    @staticmethod
    def _image_point(view: ViewTransform, touch: Touch) -> Point:
        return view.to_image(touch.place.x(), touch.place.y())

    def _end_drag(self, kind: PointerKind) -> None:
        """End a tool's drag, if there is one, where the pointer was last seen."""
        if self._drag == "none":
            return
        button, self._drag = self._drag, "none"
        x, y = self._last_point()
        self.pointer.emit(PointerEvent(kind, x, y, button, time=time.monotonic()))

    def _last_point(self) -> Point:
        if self._view is None or self._hover is None:
            return Point(0.0, 0.0)
        return self._view.to_image(self._hover.x(), self._hover.y())

    # -- hovering

    def enterEvent(self, event: QEvent) -> None:
        super().enterEvent(event)
        if self.isActiveWindow() and not isinstance(QApplication.focusWidget(), _TEXT_INPUTS):
            self.setFocus(Qt.MouseFocusReason)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover = None
        self._report_hover()

    def _report_hover(self) -> None:
        point = None
        if self._view is not None and self._hover is not None:
            point = self._view.to_image(self._hover.x(), self._hover.y())
            point = point if self._view.is_inside(point) else None
        if point != self._reported:
            self._reported = point
            self.hovered.emit(point)

    def _update_cursor(self) -> None:
        if self._view is None:
            self.setCursor(Qt.ArrowCursor)
        elif self._pan_button is not None:
            self.setCursor(Qt.ClosedHandCursor)
        else:
            self.setCursor(Qt.CrossCursor if self._space_since is None else Qt.OpenHandCursor)
        self.update()

    # -- keyboard

    def event(self, event: QEvent) -> bool:
        # Keys that the canvas needs itself come as key presses only if it claims them from the shortcuts first.
        if event.type() == QEvent.ShortcutOverride and isinstance(event, QKeyEvent):
            if self._wants(event):
                event.accept()
                return True
            if event.modifiers() == Qt.NoModifier and not event.isAutoRepeat():
                self.key_pressed.emit(event.key())
        if event.type() == QEvent.WindowDeactivate:
            self._end_drag("release")
        return super().event(event)

    def _wants(self, event: QKeyEvent) -> bool:
        is_plain = event.modifiers() == Qt.NoModifier
        is_space = event.key() == Qt.Key_Space and is_plain and self._view is not None
        return is_space or (event.key() == Qt.Key_Escape and self._drag != "none")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape and self._view is not None:
            x, y = self._last_point()
            button, self._drag = self._drag, "none"
            self.pointer.emit(PointerEvent("cancel", x, y, button, time=time.monotonic()))
        elif event.key() == Qt.Key_Space and self._view is not None:
            if not event.isAutoRepeat() and self._space_since is None:
                self._space_since, self._has_panned = time.monotonic(), False
                self._update_cursor()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not event.isAutoRepeat():
            self.key_released.emit(event.key())
        if event.key() != Qt.Key_Space or self._space_since is None:
            super().keyReleaseEvent(event)
        elif not event.isAutoRepeat():
            is_tap = not self._has_panned and time.monotonic() - self._space_since < TAP_SECONDS
            self._space_since = None
            self._update_cursor()
            if is_tap:
                self.space_tapped.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_left.emit()
        if self._space_since is not None:
            self._space_since = None
            self._update_cursor()
