"""A tablet's pen on the canvas: pressure is the brush's width, the eraser end erases, the option turns it off."""
from __future__ import annotations

import numpy as np
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QTabletEvent
from PyQt5.QtWidgets import QApplication, QCheckBox
from pytestqt.qtbot import QtBot

from gui.settings import Settings
from tests.gui.canvas_helpers import Seen, shown_canvas
from tests.gui.driver import Driver, area


def send_pen(
    widget: object, kind: QEvent.Type, place: QPointF, pressure: float, *, eraser: bool = False,
    button: Qt.MouseButton = Qt.LeftButton, time: int = 0,
) -> bool:
    """Whether it was taken; Qt would make a mouse event of it otherwise."""
    end = QTabletEvent.Eraser if eraser else QTabletEvent.Pen
    changed = Qt.NoButton if kind == QEvent.TabletMove else button
    held = Qt.NoButton if kind == QEvent.TabletRelease else button
    globally = QPointF(widget.mapToGlobal(QPoint(0, 0))) + place  # type: ignore[attr-defined]
    event = QTabletEvent(
        kind, place, globally, QTabletEvent.Stylus, end, pressure, 0, 0, 0.0, 0.0, 0, Qt.NoModifier, 7, changed,
        Qt.MouseButtons(held),
    )  # fmt: skip
    event.setTimestamp(time)
    QApplication.sendEvent(widget, event)  # type: ignore[arg-type]
    return event.isAccepted()


def pen_line(driver: Driver, start: tuple[float, float], end: tuple[float, float], pressure: float, *,
             eraser: bool = False) -> None:
    canvas = driver.window.canvas
    places = [canvas.image_to_widget(*start), canvas.image_to_widget(*end)]
    assert send_pen(canvas, QEvent.TabletPress, places[0], pressure, eraser=eraser)
    assert send_pen(canvas, QEvent.TabletMove, places[1], pressure, eraser=eraser)
    # Pens come up with a pressure of 0.
    assert send_pen(canvas, QEvent.TabletRelease, places[1], 0.0, eraser=eraser)


def height(driver: Driver, column: int = 50) -> int:
    """Pixels of the line that runs through a column."""
    return int(np.count_nonzero(driver.mask()[:, column] == 1))


def test_pressing_less_paints_a_thinner_line(opened: Driver) -> None:
    opened.trigger("tool.brush")
    opened.window.controller.edit.set_brush_size(20)
    heights = []
    for pressure in (1.0, 0.5, 0.01):
        pen_line(opened, (30, 40), (70, 40), pressure)
        heights.append(height(opened))
        opened.trigger("edit.undo")
    assert heights[0] == 20 and 10 <= heights[1] <= 12 and 2 <= heights[2] <= 3


def test_pressure_changes_along_the_line(opened: Driver) -> None:
    opened.trigger("tool.brush")
    opened.window.controller.edit.set_brush_size(20)
    canvas = opened.window.canvas
    send_pen(canvas, QEvent.TabletPress, canvas.image_to_widget(20, 40), 0.1)
    for step in range(1, 9):
        send_pen(canvas, QEvent.TabletMove, canvas.image_to_widget(20 + 8 * step, 40), step / 8)
    send_pen(canvas, QEvent.TabletRelease, canvas.image_to_widget(84, 40), 0.0)
    assert height(opened, 25) < height(opened, 50) < height(opened, 80) == 20


def test_the_option_turns_it_off_and_is_kept(opened: Driver, qtbot: QtBot) -> None:
    opened.trigger("tool.brush")
    opened.window.controller.edit.set_brush_size(20)
    check = opened.window.findChild(QCheckBox, "check_tool.pressure")
    assert check.isVisible() and check.isChecked(), "on by default"
    qtbot.mouseClick(check, Qt.LeftButton, pos=QPoint(8, check.height() // 2))
    assert not opened.session.uses_pressure and not Settings().pen_pressure
    pen_line(opened, (30, 40), (70, 40), 0.2)
    assert height(opened) == 20
    opened.trigger("tool.pressure")
    assert check.isChecked() and opened.session.uses_pressure and Settings().pen_pressure
    assert "presses less paints a thinner line" in opened.window.hint_label.full_text
    opened.trigger("tool.click")
    assert not check.isVisible()


def test_the_eraser_end_erases_whatever_the_tool_paints(opened: Driver) -> None:
    opened.trigger("tool.brush")
    opened.window.controller.edit.set_brush_size(20)
    pen_line(opened, (30, 40), (70, 40), 1.0)
    pen_line(opened, (50, 30), (50, 50), 1.0, eraser=True)
    assert height(opened, 50) == 0 < height(opened, 32)
    opened.trigger("edit.undo")
    assert height(opened, 50) == 20
    opened.trigger("tool.fill")
    canvas = opened.window.canvas
    place = canvas.image_to_widget(50, 40)
    send_pen(canvas, QEvent.TabletPress, place, 0.5, eraser=True)
    send_pen(canvas, QEvent.TabletRelease, place, 0.0, eraser=True)
    assert area(opened.mask(), 1) == 0


def test_two_taps_close_a_polygon(opened: Driver) -> None:
    opened.trigger("tool.polygon")
    canvas = opened.window.canvas
    for number, corner in enumerate([(20, 20), (60, 20), (60, 60), (60, 60)]):
        place = canvas.image_to_widget(*corner)
        send_pen(canvas, QEvent.TabletPress, place, 0.5, time=1000 * number - (900 if number == 3 else 0))
        send_pen(canvas, QEvent.TabletRelease, place, 0.0, time=1000 * number - (850 if number == 3 else 0))
    assert area(opened.mask(), 1) > 500


def test_events_of_the_pen(qtbot: QtBot) -> None:
    canvas = shown_canvas(qtbot)
    seen, place = Seen(canvas), canvas.image_to_widget(80, 45)
    assert send_pen(canvas, QEvent.TabletMove, place, 0.0, button=Qt.NoButton)
    assert canvas.hovered_point is not None and seen.kinds == ["move"]
    send_pen(canvas, QEvent.TabletPress, place, 0.25, button=Qt.RightButton, time=100)
    send_pen(canvas, QEvent.TabletRelease, place, 0.0, button=Qt.RightButton, time=150)
    send_pen(canvas, QEvent.TabletPress, place + QPointF(3, 3), 0.5, time=250)
    assert seen.kinds == ["move", "press", "release", "double"]
    assert [event.button for event in seen.events[1:]] == ["right", "right", "left"]
    assert [event.pressure for event in seen.events] == [0.0, 0.25, 0.0, 0.5]
    canvas.set_image(None)
    assert not send_pen(canvas, QEvent.TabletPress, place, 0.5), "left to Qt"
