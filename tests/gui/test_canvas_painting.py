from __future__ import annotations

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPointF, QRect, Qt
from PyQt5.QtGui import QColor, QImage, QRegion
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import gui.canvas_picture
from gui import theme
from gui.canvas import Canvas
from gui.canvas_picture import CanvasPicture, OverlayStyle
from gui.markers import Marker
from gui.pixel_outline import edge_runs
from gui.qimage import PixelBuffer
from tests.gui.canvas_helpers import (
    SIZE,
    RatioCanvas,
    blocks,
    color_at,
    move,
    noise,
    rgb,
    shown_canvas,
)
from util.overlay import compose
from util.palette import object_color
from util.types import ImageU8, IndexMask, Rect, Size


@pytest.fixture
def canvas(qtbot: QtBot) -> RatioCanvas:
    return shown_canvas(qtbot)


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
    assert color_at(canvas.grab().toImage(), at) == object_color(1)
    canvas.set_image(np.full((*SIZE, 3), 200, np.uint8))
    assert color_at(canvas.grab().toImage(), at) == object_color(1)
    canvas.set_style(opacity=1.0, contour=False, hidden={1}, selected=None)
    assert color_at(canvas.grab().toImage(), at) == (200, 200, 200)
    canvas.set_style(opacity=0.5, contour=False, hidden=(), selected=None)
    assert color_at(canvas.grab().toImage(), at) == (215, 130, 130)
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
    assert (shown[-2:, -2:] == object_color(1)).all()
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


def test_a_part_must_fill_its_rectangle() -> None:
    image = noise(Size(7, 13))
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
    line = object_color(1)
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


