from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, Qt, QTimer, QUrl
from PyQt5.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage, QKeyEvent, QMouseEvent, QRegion, QWheelEvent
from PyQt5.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

import gui.canvas_picture
from gui import theme
from gui.canvas import Canvas
from gui.canvas_picture import CanvasPicture, OverlayStyle
from gui.markers import Marker
from gui.pixel_outline import edge_runs
from gui.qimage import PixelBuffer, to_qimage
from interact.events import PointerEvent
from util.overlay import compose
from util.types import ImageU8, IndexMask, Rect, Size

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


@pytest.fixture
def canvas(qtbot: QtBot) -> Iterator[RatioCanvas]:
    widget = RatioCanvas()
    qtbot.addWidget(widget)
    widget.resize(400, 300)
    widget.set_image(noise())
    widget.show()
    qtbot.waitExposed(widget)
    yield widget


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


# -- composing


def test_a_part_composed_again_equals_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Rect] = []

    def spy(image: ImageU8, mask: IndexMask, *, rect: Rect, **style: object) -> ImageU8:
        asked.append(rect)
        return compose(image, mask, rect=rect, **style)

    monkeypatch.setattr(gui.canvas_picture, "compose", spy)
    picture, image, mask = CanvasPicture(), noise(), blocks()
    picture.set_image(image)
    picture.set_style(OverlayStyle.of(opacity=0.4, contour=True, hidden=(), selected=2))
    picture.set_mask(mask)
    picture.render(1.0)
    rng = np.random.default_rng(5)
    for _ in range(40):
        x, y = rng.integers(0, 150), rng.integers(0, 80)
        changed = Rect(x, y, x + rng.integers(1, 12), y + rng.integers(1, 12)).clipped(SIZE)
        mask = mask.copy()
        mask[changed.slices] = rng.integers(0, 4)
        picture.set_mask(mask, changed)
        shown = picture.render(1.0)
        whole = compose(image, mask, opacity=0.4, contour=True, selected=2)
        assert rgb(shown).tobytes() == whole.tobytes()
    assert asked[0] == Rect.full(SIZE)
    assert max((rect.x1 - rect.x0) * (rect.y1 - rect.y0) for rect in asked[1:]) <= 16 * 16


def rgb(image: QImage) -> ImageU8:
    copy = image.convertToFormat(QImage.Format_RGB888)
    rows = np.frombuffer(copy.constBits().asarray(copy.sizeInBytes()), np.uint8).reshape(copy.height(), -1)
    return rows[:, : copy.width() * 3].reshape(copy.height(), copy.width(), 3).copy()


class UpdateCanvas(Canvas):
    """Collects what it is asked to repaint."""

    def __init__(self) -> None:
        super().__init__()
        self.dirty = QRegion()

    def update(self, area: QRect | None = None) -> None:
        self.dirty |= QRegion(self.rect() if area is None else area)

    def painted(self) -> QImage:
        shot = QImage(self.size(), QImage.Format_RGB32)
        shot.fill(Qt.magenta)
        self.render(shot)
        return shot

    def paint_dirty(self, shot: QImage) -> None:
        """What Qt does next: paint only the dirty region."""
        region, self.dirty = self.dirty & QRegion(self.rect()), QRegion()
        if not region.isEmpty():
            self.render(shot, region.boundingRect().topLeft(), region)


def largest_difference(a: QImage, b: QImage) -> int:
    """Of any value of any pixel; Qt's interpolation rounds differently by 1 where it starts at another column."""
    return int(np.abs(rgb(a).astype(int) - rgb(b)).max())


@pytest.mark.parametrize("zoom", [0.4, 1.0, 1.7, 2.4, 6.3, 30.0])
def test_what_is_repainted_while_brushing_equals_a_full_repaint(qtbot: QtBot, zoom: float) -> None:
    canvas = UpdateCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.set_image(noise())
    canvas.set_mask(blocks())
    canvas.set_style(opacity=0.5, contour=True, hidden=(), selected=1)
    canvas.set_caption("frame 1")
    canvas.set_brush(9)
    canvas.zoom_by(zoom / canvas.view.zoom)
    shot = canvas.painted()
    canvas.dirty = QRegion()
    mask = blocks()
    for step in range(6):
        x, y = 75 + step, 45 - step
        move(canvas, canvas.image_to_widget(x, y))
        mask[y - 3 : y + 4, x - 3 : x + 4] = 3  # in place, as the brush does it
        canvas.set_mask(mask, Rect(x - 3, y - 3, x + 4, y + 4))
        canvas.set_markers([Marker("stroke", ((70.0, 45.0), (float(x), float(y))), width=2)])
        assert not canvas.dirty.isEmpty()
        if zoom < 2:
            assert canvas.dirty.boundingRect().width() < 100
        canvas.paint_dirty(shot)
        assert largest_difference(shot, canvas.painted()) <= 1
    canvas.leaveEvent(QEvent(QEvent.Leave))
    canvas.set_caption("frame 22")
    canvas.paint_dirty(shot)
    assert largest_difference(shot, canvas.painted()) <= 1


def test_hidden_objects_and_style(canvas: RatioCanvas) -> None:
    canvas.set_mask(blocks())
    canvas.set_style(opacity=1.0, contour=False, hidden=(), selected=None)
    at = canvas.image_to_widget(40.5, 30.5)
    assert color_at(canvas.grab().toImage(), at) == (128, 0, 0)
    canvas.set_image(np.full((*SIZE, 3), 200, np.uint8))
    assert color_at(canvas.grab().toImage(), at) == (128, 0, 0)
    canvas.set_style(opacity=1.0, contour=False, hidden={1}, selected=None)
    assert color_at(canvas.grab().toImage(), at) == (200, 200, 200)
    canvas.set_style(opacity=0.5, contour=False, hidden=(), selected=None)
    assert color_at(canvas.grab().toImage(), at) == (164, 100, 100)
    canvas.set_mask(None)
    assert color_at(canvas.grab().toImage(), at) == (200, 200, 200)


@pytest.mark.parametrize(("zoom", "level"), [(1.0, 1), (0.51, 1), (0.5, 2), (0.3, 2), (0.25, 4), (0.05, 16)])
def test_a_frame_larger_than_the_screen_is_reduced_by_areas(zoom: float, level: int) -> None:
    picture = CanvasPicture()
    image = noise(Size(131, 97))
    picture.set_image(image)
    picture.set_mask(np.zeros((131, 97), np.uint8))
    shown = picture.render(zoom)
    assert picture.level == level
    assert (shown.width(), shown.height()) == (-(-97 // level), -(-131 // level))
    block = image[level : 2 * level, :level].reshape(-1, 3).mean(axis=0)
    assert np.abs(rgb(shown)[1, 0] - block).max() <= 1


def test_a_reduced_picture_follows_changes_of_a_part() -> None:
    picture = CanvasPicture()
    picture.set_image(np.zeros((101, 203, 3), np.uint8))
    mask = np.zeros((101, 203), np.uint8)
    picture.set_mask(mask)
    picture.set_style(OverlayStyle.of(opacity=1.0, contour=False, hidden=(), selected=None))
    picture.render(0.25)
    mask[90:101, 190:203] = 1
    picture.set_mask(mask, Rect(190, 90, 203, 101))
    shown = rgb(picture.render(0.25))
    assert (shown[-2:, -2:] == (128, 0, 0)).all()
    assert not shown[:, :40].any()


def test_a_mask_must_fit_its_image(canvas: RatioCanvas) -> None:
    with pytest.raises(ValueError, match=r"160x90.*90x160"):
        canvas.set_mask(np.zeros((160, 90), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        canvas.set_image(np.zeros((4, 4, 3), np.float32))
    with pytest.raises(ValueError, match="opacity"):
        canvas.set_style(opacity=1.5, contour=True, hidden=(), selected=None)
    canvas.set_image(None)
    canvas.set_mask(None)
    with pytest.raises(ValueError, match="image"):
        canvas.set_mask(np.zeros(SIZE, np.uint8))


def test_image_arrays_of_any_strides_become_qimages() -> None:
    image = noise(Size(7, 13))
    for array in (image, image[:, ::-1], np.asfortranarray(image), image[1:5, 2:9]):
        assert (rgb(to_qimage(array)) == array).all()
    with pytest.raises(ValueError, match="uint8"):
        to_qimage(image[..., :2])
    with pytest.raises(ValueError, match="pixels given"):
        PixelBuffer(Size(7, 13)).write(image, Rect(0, 0, 3, 3))


# -- markers, outlines, chip


def near(color: tuple[int, int, int], name: str, tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(color, QColor(name).getRgb()[:3], strict=True))


@pytest.mark.parametrize("zoom", [0.7, 2.0, 9.0])
def test_click_markers_are_dots_with_sign_and_rim_of_constant_size(canvas: RatioCanvas, zoom: float) -> None:
    canvas.set_image(np.full((*SIZE, 3), 90, np.uint8))
    canvas.zoom_by(zoom / canvas.view.zoom)
    spots = {True: (78.0, 45.0), False: (84.0, 45.0)} if zoom > 3 else {True: (50.0, 45.0), False: (100.0, 45.0)}
    canvas.set_markers([Marker("click", (spot,), is_positive) for is_positive, spot in spots.items()])
    shot = canvas.grab().toImage()
    for is_positive, spot in spots.items():
        centre = canvas.image_to_widget(*spot)
        fill = theme.POSITIVE if is_positive else theme.NEGATIVE
        places = [(dx, dy) for dx in (-3, -2, 0, 2, 3, 12) for dy in (-3, -2, 0, 3)]
        at = {place: color_at(shot, centre + QPointF(*place)) for place in places}
        assert near(at[-2, 0], "white", 40) and near(at[2, 0], "white", 40), "the bar of + and -"
        assert near(at[-3, -3], fill) and near(at[3, 3], fill)
        assert near(at[0, -2], "white", 40) == is_positive, "only + has an upright bar"
        assert near(color_at(shot, centre + QPointF(-6.5, 0)), "white", 40), "the rim"
        assert at[12, 0] == (90, 90, 90)
    canvas.set_markers([])
    assert color_at(canvas.grab().toImage(), centre) == (90, 90, 90)


def test_strokes_are_as_wide_as_they_were_drawn(canvas: RatioCanvas) -> None:
    canvas.set_image(np.full((*SIZE, 3), 90, np.uint8))
    canvas.zoom_by(2 / canvas.view.zoom)
    canvas.set_markers(
        [Marker("stroke", ((20.0, 40.0), (60.0, 40.0)), True, 10), Marker("stroke", ((100.0, 40.0),), False, 10)]
    )
    shot = canvas.grab().toImage()
    for x, y, name in ((40, 40, theme.POSITIVE), (40, 44, theme.POSITIVE), (100, 40, theme.NEGATIVE)):
        assert near(color_at(shot, canvas.image_to_widget(x, y)), name)
    for x, y in ((40, 47), (40, 33), (107, 40)):
        assert color_at(shot, canvas.image_to_widget(x, y)) == (90, 90, 90)


def test_polygons_have_handles_at_their_corners(canvas: RatioCanvas) -> None:
    canvas.set_image(np.full((*SIZE, 3), 90, np.uint8))
    canvas.set_markers([Marker("polygon", ((20.0, 20.0), (120.0, 20.0), (120.0, 70.0)))])
    shot = canvas.grab().toImage()
    assert near(color_at(shot, canvas.image_to_widget(20, 20)), theme.POSITIVE)
    assert near(color_at(shot, canvas.image_to_widget(120, 20)), "white")
    assert near(color_at(shot, canvas.image_to_widget(70, 20)), "white", 60)
    inside = color_at(shot, canvas.image_to_widget(100, 40))
    assert inside[1] > inside[0] and inside != (90, 90, 90), "a faint green fill"
    assert color_at(shot, canvas.image_to_widget(40, 60)) == (90, 90, 90)


def test_the_brush_circle_follows_the_pointer_and_goes_with_it(canvas: RatioCanvas) -> None:
    canvas.set_image(np.full((*SIZE, 3), 90, np.uint8))
    canvas.set_brush(40)
    bare = canvas.grab().toImage()
    move(canvas, canvas.image_to_widget(80, 45))
    shot = canvas.grab().toImage()
    for x, y in ((60, 45), (100, 45), (80, 25), (80, 65)):
        assert color_at(shot, canvas.image_to_widget(x, y)) != (90, 90, 90)
    assert color_at(shot, canvas.image_to_widget(80, 45)) == (90, 90, 90)
    QApplication.sendEvent(canvas, QEvent(QEvent.Leave))
    assert canvas.grab().toImage() == bare


def test_close_up_outlines_run_between_pixels(canvas: RatioCanvas) -> None:
    canvas.set_image(np.full((*SIZE, 3), 200, np.uint8))
    mask = np.zeros(SIZE, np.uint8)
    mask[40:50, 70:90] = 1
    canvas.set_mask(mask)
    canvas.set_style(opacity=0.0, contour=True, hidden=(), selected=1)
    canvas.zoom_by(12 / canvas.view.zoom)
    shot = canvas.grab().toImage()
    line = theme.vivid((128, 0, 0)).getRgb()[:3]
    for x, y in ((75.5, 40.0), (75.5, 50.0), (70.0, 45.5), (90.0, 45.5)):
        assert color_at(shot, canvas.image_to_widget(x, y)) == line
    for x, y in ((75.5, 40.5), (75.5, 39.5), (70.5, 45.5), (69.5, 45.5)):
        assert color_at(shot, canvas.image_to_widget(x, y)) == (200, 200, 200)
    canvas.set_style(opacity=0.0, contour=True, hidden={1}, selected=1)
    assert color_at(canvas.grab().toImage(), canvas.image_to_widget(75.5, 40.0)) == (200, 200, 200)


def test_edges_are_joined_to_long_lines_and_owned() -> None:
    ids = np.array([[0, 1, 1], [0, 1, 2], [2, 1, 2], [0, 0, 2]], np.uint8)
    assert sorted(map(tuple, edge_runs(ids, None).tolist())) == [
        (1, 0, 1, 2, 1), (1, 2, 1, 3, 2), (2, 1, 2, 4, 2),
    ]
    assert sorted(map(tuple, edge_runs(ids, 1).tolist())) == [
        (1, 0, 1, 3, 1), (2, 1, 2, 3, 1), (2, 3, 2, 4, 2),
    ]
    assert edge_runs(np.ones((3, 3), np.uint8), 1).shape == (0, 5)


def test_caption_and_zoom_stand_in_the_chip(canvas: RatioCanvas) -> None:
    bare = canvas.grab().toImage()
    canvas.set_caption("frame 20 / 288")
    captioned = canvas.grab().toImage()
    assert captioned != bare
    rows, columns = np.nonzero((rgb(captioned) != rgb(bare)).any(axis=2))
    assert rows.max() < 45 and columns.max() < 300
    canvas.set_caption("")
    assert canvas.grab().toImage() == bare


def test_an_empty_canvas_says_what_to_do(canvas: RatioCanvas) -> None:
    canvas.set_image(None)
    shot = rgb(canvas.grab().toImage())
    middle = shot[100:200, 50:350]
    assert (middle != QColor(theme.CANVAS).getRgb()[:3]).any(axis=2).mean() > 0.02


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
