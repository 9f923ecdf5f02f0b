from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PyQt5.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PyQt5.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from PyQt5.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui.canvas import Canvas
from tests.gui.canvas_helpers import (
    RatioCanvas,
    Seen,
    blocks,
    color_at,
    key,
    mouse,
    move,
    noise,
    press,
    release,
    shown_canvas,
    wheel,
)
from util.types import Size


@pytest.fixture
def canvas(qtbot: QtBot) -> RatioCanvas:
    return shown_canvas(qtbot)


# -- coordinates


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("zoom", [0.05, 0.5, 1.0, 1.4, 3.0, 20.0, 64.0])
def test_pointer_is_in_image_pixels_at_any_zoom_and_pixel_ratio(
    canvas: RatioCanvas, zoom: float, ratio: float
) -> None:
    canvas.ratio = ratio
    canvas.fit()
    view = canvas.view
    assert view is not None
    canvas.zoom_by(zoom / view.zoom)
    seen = Seen(canvas)
    at = QPointF(201.0, 149.0)
    expected = canvas.widget_to_image(at)
    press(canvas, at)
    assert seen.kinds == ["press"]
    event = seen.events[0]
    assert (event.x, event.y) == pytest.approx(expected)
    # The widget's middle stays on the image's middle, (80, 45); a widget pixel is ratio / zoom image pixels.
    assert (event.x, event.y) == pytest.approx((80 + ratio / zoom, 45 - ratio / zoom), abs=1e-6)
    back = canvas.image_to_widget(event.x, event.y)
    assert (back.x(), back.y()) == pytest.approx((201.0, 149.0))


def test_pixels_are_painted_where_the_pointer_finds_them(canvas: RatioCanvas) -> None:
    image = noise(Size(30, 50))
    canvas.set_image(image)
    canvas.zoom_by(8 / canvas.view.zoom, QPointF(0, 0))
    shot = canvas.grab().toImage()
    for column, row in ((20, 10), (25, 15), (29, 12), (22, 20)):
        for dx, dy in ((0.1, 0.1), (0.9, 0.9)):
            where = canvas.image_to_widget(column + dx, row + dy)
            if canvas.rect().contains(where.toPoint()):
                assert color_at(shot, where) == tuple(image[row, column])


def test_pixels_are_painted_where_the_pointer_finds_them_on_a_dense_screen(repository: Path) -> None:
    """In a process of its own, because Qt reads the scale factor once."""
    script = """
import numpy as np
from PyQt5.QtCore import QPointF
from PyQt5.QtWidgets import QApplication
app = QApplication([])
from gui.canvas import Canvas
canvas = Canvas()
canvas.resize(300, 200)
image = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
canvas.set_image(image)
canvas.show()
canvas.actual_size()
assert canvas.view.scale == 0.5, canvas.view
shot = canvas.grab().toImage()
assert shot.devicePixelRatioF() == 2.0
for column, row in ((0, 0), (49, 29), (20, 10), (31, 17)):
    at = canvas.image_to_widget(column + 0.5, row + 0.5) * 2
    shown = shot.pixelColor(int(at.x()), int(at.y())).getRgb()[:3]
    assert shown == tuple(image[row, column]), (column, row, shown)
print("fine")
"""
    # The bare X server of the test run knows nothing of scaling, so the platform does not matter here.
    surroundings = {**os.environ, "QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(repository)}
    done = subprocess.run([sys.executable, "-c", script], env=surroundings, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "fine", done.stderr


def test_press_beside_the_image_is_ignored_but_a_drag_may_leave_it(canvas: RatioCanvas) -> None:
    seen = Seen(canvas)
    outside = canvas.image_to_widget(-2, 40)
    press(canvas, outside)
    move(canvas, canvas.image_to_widget(50, 40))
    release(canvas, outside)
    assert seen.kinds == ["move"] and seen.events[0].button == "none"
    seen.events.clear()
    press(canvas, canvas.image_to_widget(5, 40))
    move(canvas, outside)
    release(canvas, outside)
    assert seen.kinds == ["press", "move", "release"]
    assert {event.button for event in seen.events} == {"left"}
    assert seen.events[1].x == pytest.approx(-2)


def test_hover_beside_the_image_is_no_move_and_none(canvas: RatioCanvas) -> None:
    seen = Seen(canvas)
    move(canvas, canvas.image_to_widget(10, 20))
    move(canvas, QPointF(1, 1))
    assert seen.kinds == ["move"]
    assert seen.hovered[0] == pytest.approx((10, 20))
    assert seen.hovered[1] is None


def test_buttons_modifiers_and_double_clicks(canvas: RatioCanvas) -> None:
    seen = Seen(canvas)
    at = canvas.image_to_widget(30, 30)
    mouse(canvas, QEvent.MouseButtonPress, at, Qt.RightButton, Qt.ShiftModifier | Qt.ControlModifier)
    press(canvas, at, Qt.LeftButton)  # a second button during a drag says nothing
    release(canvas, at, Qt.LeftButton)
    release(canvas, at, Qt.RightButton)
    mouse(canvas, QEvent.MouseButtonDblClick, at, Qt.LeftButton)
    release(canvas, at, Qt.LeftButton)
    said = [(event.kind, event.button, event.shift, event.ctrl) for event in seen.events]
    assert said == [
        ("press", "right", True, True), ("release", "right", False, False), ("double", "left", False, False),
        ("release", "left", False, False),
    ]


def test_without_an_image_the_pointer_says_nothing(canvas: RatioCanvas) -> None:
    canvas.set_image(None)
    seen = Seen(canvas)
    at = QPointF(200, 150)
    press(canvas, at)
    move(canvas, at)
    release(canvas, at)
    wheel(canvas, at, 120)
    assert seen.events == [] and canvas.view is None
    with pytest.raises(RuntimeError, match="no image"):
        canvas.image_to_widget(0, 0)


# -- zoom and pan


@pytest.mark.parametrize(("delta", "pixels"), [(120, 0), (-120, 0), (15, 0), (0, 30), (0, -30)])
def test_wheel_keeps_the_point_under_the_pointer(canvas: RatioCanvas, delta: int, pixels: int) -> None:
    at = canvas.image_to_widget(33.25, 61.5)
    zoom = canvas.view.zoom
    for _ in range(5):
        wheel(canvas, at, delta, pixels=pixels)
    assert tuple(canvas.widget_to_image(at)) == pytest.approx((33.25, 61.5))
    steps = 5 * (delta / 360 + pixels / 240)
    assert canvas.view.zoom == pytest.approx(zoom * 2**steps)


def test_wheel_stops_at_the_limits(canvas: RatioCanvas) -> None:
    for _ in range(60):
        wheel(canvas, QPointF(200, 150), 120)
    assert canvas.view.zoom == pytest.approx(64)
    for _ in range(80):
        wheel(canvas, QPointF(200, 150), -120)
    assert canvas.view.zoom == pytest.approx(0.05)


def test_control_and_wheel_resize_the_brush_by_whole_notches(canvas: RatioCanvas) -> None:
    seen = Seen(canvas)
    view = canvas.view
    for delta in (120, 60, 60, -240, -30):
        wheel(canvas, QPointF(200, 150), delta, Qt.ControlModifier)
    assert seen.brush == [1, 1, -1, -1]
    assert canvas.view == view


def test_middle_button_pans_and_is_no_tools_business(canvas: RatioCanvas) -> None:
    canvas.zoom_by(4)
    seen = Seen(canvas)
    at = canvas.image_to_widget(80, 45)
    press(canvas, at, Qt.MiddleButton)
    assert canvas.cursor().shape() == Qt.ClosedHandCursor
    move(canvas, at + QPointF(25, -13))
    release(canvas, at + QPointF(25, -13), Qt.MiddleButton)
    moved = canvas.image_to_widget(80, 45) - at
    assert (moved.x(), moved.y()) == pytest.approx((25, -13))
    assert seen.kinds == []
    assert canvas.cursor().shape() == Qt.CrossCursor


def test_space_and_left_button_pan(canvas: RatioCanvas) -> None:
    canvas.zoom_by(4)
    seen = Seen(canvas)
    taps: list[None] = []
    canvas.space_tapped.connect(lambda: taps.append(None))
    at = canvas.image_to_widget(80, 45)
    key(canvas, QEvent.KeyPress, Qt.Key_Space)
    key(canvas, QEvent.KeyRelease, Qt.Key_Space, is_repeat=True)
    key(canvas, QEvent.KeyPress, Qt.Key_Space, is_repeat=True)
    assert canvas.cursor().shape() == Qt.OpenHandCursor
    press(canvas, at)
    move(canvas, at + QPointF(-7, 9))
    release(canvas, at + QPointF(-7, 9))
    key(canvas, QEvent.KeyRelease, Qt.Key_Space)
    moved = canvas.image_to_widget(80, 45) - at
    assert (moved.x(), moved.y()) == pytest.approx((-7, 9))
    assert (seen.kinds, taps) == ([], [])
    press(canvas, at)
    assert seen.kinds == ["press"]


def test_a_short_space_without_panning_is_a_tap(canvas: RatioCanvas, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10.0]
    monkeypatch.setattr("gui.canvas_pointer.time.monotonic", lambda: now[0])
    taps: list[float] = []
    canvas.space_tapped.connect(lambda: taps.append(now[0]))
    for held in (0.1, 0.9):
        key(canvas, QEvent.KeyPress, Qt.Key_Space)
        now[0] += held
        key(canvas, QEvent.KeyRelease, Qt.Key_Space)
    assert taps == [10.1]


def test_space_is_claimed_from_the_shortcuts(canvas: RatioCanvas) -> None:
    def is_claimed(code: int) -> bool:
        event = QKeyEvent(QEvent.ShortcutOverride, code, Qt.NoModifier)
        event.ignore()
        QApplication.sendEvent(canvas, event)
        return event.isAccepted()

    assert is_claimed(Qt.Key_Space) and not is_claimed(Qt.Key_Escape) and not is_claimed(Qt.Key_B)
    press(canvas, canvas.image_to_widget(10, 10))
    assert is_claimed(Qt.Key_Escape)
    canvas.set_image(None)
    assert not is_claimed(Qt.Key_Space)


def test_panning_in_the_middle_of_a_stroke(canvas: RatioCanvas) -> None:
    canvas.zoom_by(4)
    seen = Seen(canvas)
    at = canvas.image_to_widget(80, 45)
    press(canvas, at)
    press(canvas, at, Qt.MiddleButton)
    move(canvas, at + QPointF(40, 0))
    release(canvas, at + QPointF(40, 0), Qt.MiddleButton)
    assert seen.kinds == ["press"]
    move(canvas, at + QPointF(48, 0))
    release(canvas, at + QPointF(48, 0))
    assert seen.kinds == ["press", "move", "release"]
    assert seen.events[-1].x == pytest.approx(80 + 8 / canvas.view.scale)


def test_fit_follows_the_widget_until_the_user_zooms(canvas: RatioCanvas) -> None:
    canvas.resize(700, 500)
    fitted = canvas.view
    assert fitted.zoom == pytest.approx((700 - 24) / 160)
    canvas.zoom_by(2)
    canvas.resize(500, 400)
    assert canvas.view.zoom == pytest.approx(2 * fitted.zoom)
    canvas.fit()
    assert canvas.view.zoom == pytest.approx((500 - 24) / 160)


def test_another_frame_keeps_the_view_another_video_is_fitted(canvas: RatioCanvas) -> None:
    canvas.zoom_by(3, QPointF(100, 100))
    view = canvas.view
    canvas.set_image(noise(seed=1))
    assert canvas.view == view
    canvas.set_image(noise(Size(50, 50)))
    assert canvas.view.image == Size(50, 50)
    assert canvas.view.zoom == pytest.approx((300 - 24) / 50)


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_actual_size(canvas: RatioCanvas, ratio: float) -> None:
    canvas.ratio = ratio
    canvas.actual_size()
    assert canvas.view.scale == pytest.approx(1 / ratio)


def test_view_changes_are_announced_once(canvas: RatioCanvas) -> None:
    views: list[object] = []
    canvas.view_changed.connect(views.append)
    canvas.zoom_by(2)
    canvas.fit()
    canvas.fit()
    canvas.set_image(noise(seed=3))
    canvas.set_image(None)
    assert len(views) == 3 and views[-1] is None


# -- ending a drag, focus


def test_escape_cancels(canvas: RatioCanvas) -> None:
    seen = Seen(canvas)
    at = canvas.image_to_widget(20, 20)
    press(canvas, at)
    move(canvas, at)
    key(canvas, QEvent.KeyPress, Qt.Key_Escape)
    release(canvas, at)
    assert seen.kinds == ["press", "move", "cancel"]


def test_a_drag_ends_with_its_image_and_with_the_window(canvas: RatioCanvas) -> None:
    seen = Seen(canvas)
    press(canvas, canvas.image_to_widget(20, 20))
    canvas.set_image(noise(Size(50, 50)))
    assert seen.kinds == ["press", "cancel"]
    press(canvas, canvas.image_to_widget(20, 20))
    QApplication.sendEvent(canvas, QEvent(QEvent.WindowDeactivate))
    assert seen.kinds[2:] == ["press", "release"]
    press(canvas, canvas.image_to_widget(20, 20))
    canvas.hide()
    assert seen.kinds[4:] == ["press", "release"]


def test_the_pointer_brings_the_keyboard_unless_the_user_types(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    window = QWidget()
    layout = QVBoxLayout(window)
    field, canvas = QLineEdit(), Canvas()
    layout.addWidget(field)
    layout.addWidget(canvas)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    focused: list[Qt.FocusReason] = []
    monkeypatch.setattr(canvas, "setFocus", focused.append)
    monkeypatch.setattr(canvas, "isActiveWindow", lambda: True)
    monkeypatch.setattr(QApplication, "focusWidget", lambda: field)
    QApplication.sendEvent(canvas, QEvent(QEvent.Enter))
    assert focused == []
    monkeypatch.setattr(QApplication, "focusWidget", lambda: window)
    QApplication.sendEvent(canvas, QEvent(QEvent.Enter))
    assert focused == [Qt.MouseFocusReason]


# -- files, timers, names


def drop(canvas: Canvas, urls: list[str]) -> tuple[bool, list[Path]]:
    data, paths = QMimeData(), []
    data.setUrls([QUrl(url) for url in urls])
    canvas.dropped.connect(paths.append)
    enter = QDragEnterEvent(QPoint(9, 9), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier)
    enter.ignore()
    canvas.dragEnterEvent(enter)
    if enter.isAccepted():
        canvas.dropEvent(QDropEvent(QPointF(9, 9), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier))
    canvas.dropped.disconnect(paths.append)
    return enter.isAccepted(), paths


def test_one_local_file_or_folder_can_be_dropped(canvas: RatioCanvas, tmp_path: Path) -> None:
    name = tmp_path / "a video ä.mp4"
    assert drop(canvas, [QUrl.fromLocalFile(str(name)).toString()]) == (True, [name])
    assert drop(canvas, ["https://example.org/a.mp4"]) == (False, [])
    assert drop(canvas, ["file:///a", "file:///b"]) == (False, [])


def test_a_canvas_keeps_no_timer_and_has_names(canvas: RatioCanvas) -> None:
    canvas.set_mask(blocks())
    wheel(canvas, QPointF(200, 150), 120)
    move(canvas, QPointF(100, 100))
    assert canvas.findChildren(QTimer) == []
    assert canvas.objectName() == "canvas"
    assert canvas.accessibleName() and canvas.accessibleDescription()
