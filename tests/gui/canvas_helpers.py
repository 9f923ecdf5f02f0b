"""What the canvas tests share: pictures, events as a mouse and a keyboard send them, a canvas with a pixel ratio."""
from __future__ import annotations

import numpy as np
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QImage, QKeyEvent, QMouseEvent, QWheelEvent
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.canvas import Canvas
from interact.events import PointerEvent
from util.types import ImageU8, IndexMask, Size

SIZE = Size(90, 160)


def noise(size: Size = SIZE, seed: int = 0) -> ImageU8:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def blocks(size: Size = SIZE) -> IndexMask:
    mask = np.zeros(size, np.uint8)
    mask[20:60, 30:90] = 1
    mask[40:80, 80:140] = 2
    return mask


class RatioCanvas(Canvas):
    """A canvas on a screen of another pixel ratio, as far as coordinates go."""

    ratio = 1.0

    def devicePixelRatioF(self) -> float:  # noqa: N802 - Qt's name
        return self.ratio


def shown_canvas(qtbot: QtBot) -> RatioCanvas:
    """400 x 300 with an image, on the screen."""
    widget = RatioCanvas()
    qtbot.addWidget(widget)
    widget.resize(400, 300)
    widget.set_image(noise())
    widget.show()
    qtbot.waitExposed(widget)
    return widget


class Seen:
    """What a canvas said."""

    def __init__(self, canvas: Canvas) -> None:
        self.events: list[PointerEvent] = []
        self.hovered: list[object] = []
        self.brush: list[int] = []
        canvas.pointer.connect(self.events.append)
        canvas.hovered.connect(self.hovered.append)
        canvas.brush_resized.connect(self.brush.append)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


def mouse(
    canvas: Canvas, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton = Qt.NoButton,
    modifiers: Qt.KeyboardModifiers | Qt.KeyboardModifier = Qt.NoModifier,
) -> None:
    held = Qt.NoButton if kind == QEvent.MouseButtonRelease else button
    QApplication.sendEvent(canvas, QMouseEvent(kind, at, button, held, Qt.KeyboardModifiers(modifiers)))


def press(canvas: Canvas, at: QPointF, button: Qt.MouseButton = Qt.LeftButton) -> None:
    mouse(canvas, QEvent.MouseButtonPress, at, button)


def move(canvas: Canvas, at: QPointF) -> None:
    mouse(canvas, QEvent.MouseMove, at)


def release(canvas: Canvas, at: QPointF, button: Qt.MouseButton = Qt.LeftButton) -> None:
    mouse(canvas, QEvent.MouseButtonRelease, at, button)


def wheel(
    canvas: Canvas, at: QPointF, delta: int, modifiers: Qt.KeyboardModifier = Qt.NoModifier, pixels: int = 0
) -> None:
    event = QWheelEvent(
        at, at, QPoint(0, pixels), QPoint(0, delta), Qt.NoButton, Qt.KeyboardModifiers(modifiers), Qt.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


def key(canvas: Canvas, kind: QEvent.Type, code: int, is_repeat: bool = False) -> None:
    QApplication.sendEvent(canvas, QKeyEvent(kind, code, Qt.NoModifier, "", is_repeat))


def color_at(image: QImage, point: QPointF) -> tuple[int, int, int]:
    ratio = image.devicePixelRatioF()
    red, green, blue, _ = image.pixelColor(int(point.x() * ratio), int(point.y() * ratio)).getRgb()
    return red, green, blue


def rgb(image: QImage) -> ImageU8:
    copy = image.convertToFormat(QImage.Format_RGB888)
    rows = np.frombuffer(copy.constBits().asarray(copy.sizeInBytes()), np.uint8).reshape(copy.height(), -1)
    return rows[:, : copy.width() * 3].reshape(copy.height(), copy.width(), 3).copy()
