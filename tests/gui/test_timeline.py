from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt5.QtCore import QEvent, QPoint, QPointF, QRect, Qt, QTimer
from PyQt5.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QRegion, QWheelEvent
from PyQt5.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from gui import theme, timeline_paint
from gui.timecode import format_timecode
from gui.timeline import Timeline
from gui.timeline_axis import TimeAxis, pixel_runs
from gui.timeline_paint import Lane, LaneShape
from util.palette import object_color

FRAMES = 200
LANES = (
    Lane(1, "dog", object_color(1), frozenset({0, 20}), (range(0, 100),)),
    Lane(2, "frisbee", object_color(2), frozenset({150}), (range(120, 160), range(170, 171))),
    Lane(7, "nothing yet", object_color(7)),
)


class UpdateTimeline(Timeline):
    """Collects what it is asked to repaint."""

    def __init__(self) -> None:
        self.dirty = QRegion()
        super().__init__()

    def update(self, area: QRect | int | None = None) -> None:
        self.dirty |= QRegion(area if isinstance(area, QRect) else self.rect())
        super().update()


@pytest.fixture
def timeline(qtbot: QtBot) -> Iterator[UpdateTimeline]:
    widget = UpdateTimeline()
    qtbot.addWidget(widget)
    widget.resize(900, 160)
    widget.set_length(FRAMES, [frame / 30 for frame in range(FRAMES)])
    widget.set_lanes(LANES)
    widget.show()
    qtbot.waitExposed(widget)
    yield widget
    QToolTip.hideText()


def mouse(timeline: Timeline, kind: QEvent.Type, x: float, y: float, button: Qt.MouseButton = Qt.LeftButton) -> None:
    if kind == QEvent.MouseMove:
        button = Qt.NoButton
    QApplication.sendEvent(timeline, QMouseEvent(kind, QPointF(x, y), button, button, Qt.NoModifier))


def press(timeline: Timeline, x: float, y: float = 60) -> None:
    mouse(timeline, QEvent.MouseButtonPress, x, y)


def wheel(timeline: Timeline, x: float, delta: int, modifiers: Qt.KeyboardModifier = Qt.NoModifier) -> None:
    at = QPointF(x, 60)
    event = QWheelEvent(
        at, at, QPoint(), QPoint(0, delta), Qt.NoButton, Qt.KeyboardModifiers(modifiers), Qt.NoScrollPhase, False
    )
    QApplication.sendEvent(timeline, event)


def color_at(image: QImage, x: float, y: float) -> tuple[int, int, int]:
    red, green, blue, _ = image.pixelColor(int(x), int(y)).getRgb()
    return red, green, blue


def row_middle(timeline: Timeline, row: int) -> float:
    return timeline._row_rect(row).center().y()


# -- the axis


axes = st.builds(TimeAxis, st.integers(1, 100_000), st.floats(0, 300), st.floats(50, 4000))
moves = st.lists(st.tuples(st.floats(0.2, 5), st.floats(0, 1), st.floats(-500, 500)), max_size=6)


def walked(axis: TimeAxis, steps: list[tuple[float, float, float]]) -> TimeAxis:
    for factor, across, scroll in steps:
        axis = axis.zoomed(factor, axis.left + across * axis.width).scrolled(scroll)
    return axis


@given(axes, moves, st.floats(0, 1))
def test_a_frames_middle_points_at_it(axis: TimeAxis, steps: list[tuple[float, float, float]], at: float) -> None:
    axis = walked(axis, steps)
    frame = int(at * (axis.num_frames - 1))
    assert axis.frame_at(axis.middle(frame)) == frame
    assert axis.frame_at(axis.x(0) - 1) == 0
    assert axis.frame_at(axis.x(axis.num_frames) + 1) == axis.num_frames - 1


@given(axes, moves)
def test_the_axis_never_leaves_the_video(axis: TimeAxis, steps: list[tuple[float, float, float]]) -> None:
    axis = walked(axis, steps)
    assert axis.x(0) <= axis.left + 1e-6
    assert axis.x(axis.num_frames) >= axis.left + axis.width - 1e-6


@given(axes, moves, st.floats(0, 1))
def test_showing_brings_a_frame_into_view(axis: TimeAxis, steps: list[tuple[float, float, float]], at: float) -> None:
    axis = walked(axis, steps)
    frame = int(at * (axis.num_frames - 1))
    shown = axis.showing(frame)
    assert shown.x(frame) >= axis.left - 1e-6
    assert shown.x(frame + 1) <= axis.left + axis.width + 1e-6 or axis.frame_width > axis.width
    assert shown.showing(frame) == shown


def test_zooming_keeps_the_frame_under_the_pointer() -> None:
    axis = TimeAxis(1000, 100, 800)
    zoomed = axis.zoomed(4, 500)
    assert zoomed.x(500) == pytest.approx(500)
    assert zoomed.frame_width == pytest.approx(3.2)
    assert zoomed.zoomed(1 / 4, 300) == axis
    assert axis.zoomed(1e9, 500).frame_width == pytest.approx(40)


def test_a_short_video_fills_the_axis_and_cannot_be_zoomed() -> None:
    axis = TimeAxis(4, 0, 800)
    assert axis.frame_width == 200 and axis.zoomed(8, 100) == axis


@pytest.mark.parametrize(
    ("num_frames", "step"), [(10, 1), (30, 2), (80, 5), (289, 20), (10_000, 500), (1_000_000, 100_000)]
)
def test_ruler_steps_are_round(num_frames: int, step: int) -> None:
    assert TimeAxis(num_frames, 0, 1200).major_step(60) == step


def to_ranges(frames: Iterable[int]) -> tuple[range, ...]:
    """Frames in any order as the fewest runs `range(first, last + 1)`, ascending."""
    numbers = np.unique(np.fromiter(frames, np.int64))
    if not numbers.size:
        return ()
    ends = np.flatnonzero(np.diff(numbers) > 1)
    firsts = numbers[np.concatenate(([0], ends + 1))]
    lasts = numbers[np.concatenate((ends, [numbers.size - 1]))]
    return tuple(range(int(first), int(last) + 1) for first, last in zip(firsts, lasts, strict=True))


@given(st.sets(st.integers(0, 300)))
def test_ranges_hold_exactly_the_frames(frames: set[int]) -> None:
    runs = to_ranges(frames)
    assert [frame for run in runs for frame in run] == sorted(frames)
    assert all(a.stop < b.start for a, b in zip(runs, runs[1:], strict=False))


@given(st.sets(st.integers(0, 3000), min_size=1), st.floats(20, 900))
def test_runs_on_screen_cover_every_frame_with_few_rectangles(frames: set[int], width: float) -> None:
    axis = TimeAxis(3001, 10, width)
    runs = to_ranges(frames)
    shape = LaneShape.of(Lane(1, "", (0, 0, 0), frames=runs))
    rects = pixel_runs(*shape.masks, axis, 0.5)
    assert len(rects) <= 2 * width / 2 + 2
    assert (rects[1:, 0] > rects[:-1, 1]).all()
    for frame in frames:
        assert ((rects[:, 0] <= axis.x(frame) + 1e-6) & (rects[:, 1] >= axis.x(frame + 1) - 1e-6)).any()
    # And nothing far from any frame.
    assert (rects[:, 1] - rects[:, 0]).sum() <= len(frames) * axis.frame_width + len(rects) + len(frames)


# -- seeking


def test_click_and_drag_seek_each_frame_once(timeline: UpdateTimeline) -> None:
    asked: list[int] = []
    timeline.seek_requested.connect(asked.append)
    press(timeline, timeline.frame_to_x(50))
    for frame in (50, 51, 51, 60, 50):
        mouse(timeline, QEvent.MouseMove, timeline.frame_to_x(frame), 60)
    mouse(timeline, QEvent.MouseMove, 5000, 60)
    mouse(timeline, QEvent.MouseButtonRelease, 5000, 60)
    mouse(timeline, QEvent.MouseMove, timeline.frame_to_x(10), 60)
    assert asked == [50, 51, 60, 50, FRAMES - 1]


def test_a_seek_that_was_not_followed_can_be_asked_for_again(timeline: UpdateTimeline) -> None:
    asked: list[int] = []
    timeline.seek_requested.connect(asked.append)
    press(timeline, timeline.frame_to_x(30))
    timeline.set_frame(10)
    press(timeline, timeline.frame_to_x(30))
    timeline.set_frame(30)
    press(timeline, timeline.frame_to_x(30))
    assert asked == [30, 30]


def test_keys_seek(timeline: UpdateTimeline) -> None:
    asked: list[int] = []
    timeline.seek_requested.connect(asked.append)
    timeline.set_frame(100)
    for code in (Qt.Key_Right, Qt.Key_Left, Qt.Key_PageUp, Qt.Key_End, Qt.Key_Home, Qt.Key_X):
        timeline.set_frame(99)
        timeline.set_frame(100)
        QApplication.sendEvent(timeline, QKeyEvent(QEvent.KeyPress, code, Qt.NoModifier))
    assert asked == [101, 99, 90, FRAMES - 1, 0]


def test_a_label_selects_its_object_and_does_not_seek(timeline: UpdateTimeline) -> None:
    clicked: list[int] = []
    asked: list[int] = []
    timeline.object_clicked.connect(clicked.append)
    timeline.seek_requested.connect(asked.append)
    press(timeline, 20, row_middle(timeline, 2))
    press(timeline, 20, row_middle(timeline, 0))
    press(timeline, 20, 3)
    assert (clicked, asked) == ([7, 1], [])


def test_without_a_video_nothing_is_asked(qtbot: QtBot) -> None:
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(600, 120)
    asked: list[int] = []
    timeline.seek_requested.connect(asked.append)
    timeline.set_lanes(LANES)
    press(timeline, 400)
    mouse(timeline, QEvent.MouseMove, 410, 60)
    QApplication.sendEvent(timeline, QKeyEvent(QEvent.KeyPress, Qt.Key_Right, Qt.NoModifier))
    assert asked == [] and not timeline.grab().isNull()
    with pytest.raises(IndexError, match="frame 0 of 0"):
        timeline.set_frame(0)
    with pytest.raises(ValueError, match="3 times"):
        timeline.set_length(3, [0.0])


# -- zooming and scrolling


def test_wheel_zooms_at_the_pointer_and_shift_scrolls(timeline: UpdateTimeline) -> None:
    x = timeline.frame_to_x(120)
    for _ in range(4):
        wheel(timeline, x, 120)
    assert timeline.frame_to_x(120) == pytest.approx(x)
    assert timeline.axis.zoom == pytest.approx(4)
    start = timeline.axis.start
    wheel(timeline, x, -120, Qt.ShiftModifier)
    assert timeline.axis.start == pytest.approx(start + 0.12 * 50)
    for _ in range(100):
        wheel(timeline, x, 120, Qt.ShiftModifier)
    assert timeline.axis.start == 0
    mouse(timeline, QEvent.MouseButtonDblClick, x, 4)
    assert timeline.axis.zoom == 1


def test_the_scroll_bar_follows_and_moves_the_view(timeline: UpdateTimeline) -> None:
    assert not timeline._across.isVisible()
    timeline._set_axis(timeline.axis.zoomed(4, timeline.frame_to_x(100)))
    assert timeline._across.isVisible()
    timeline._across.setValue(timeline._across.maximum())
    assert timeline.axis.x(FRAMES) == pytest.approx(timeline.axis.left + timeline.axis.width, abs=1)


def test_the_playhead_stays_in_view(timeline: UpdateTimeline) -> None:
    timeline._set_axis(timeline.axis.zoomed(4, timeline.axis.left))
    for frame in (49, 50, 199, 3):
        timeline.set_frame(frame)
        assert timeline.axis.left <= timeline.frame_to_x(frame) <= timeline.axis.left + timeline.axis.width
    timeline.resize(500, 160)
    assert timeline.axis.zoom == pytest.approx(4)


def test_rows_that_do_not_fit_can_be_scrolled_to(timeline: UpdateTimeline) -> None:
    timeline.set_lanes([Lane(i, f"object {i}", object_color(i)) for i in range(1, 21)])
    assert timeline._down.isVisible()
    wheel(timeline, 10, -120 * 100)
    clicked: list[int] = []
    timeline.object_clicked.connect(clicked.append)
    press(timeline, 20, timeline._across.geometry().top() - 4)
    assert clicked == [20]
    timeline.set_lanes(LANES)
    assert not timeline._down.isVisible()


# -- painting


def lane_color(object_id: int) -> tuple[int, int, int]:
    mixed = timeline_paint._blend(QColor(*object_color(object_id)), QColor(theme.LANE), 0.5).getRgb()
    return mixed[:3]


def test_lanes_show_masks_and_key_frames(timeline: UpdateTimeline) -> None:
    timeline.set_frame(199)
    shot = timeline.grab().toImage()
    expected = {
        (0, 50): lane_color(1), (0, 99): lane_color(1), (0, 102): QColor(theme.LANE).getRgb()[:3],
        (0, 20): (255, 255, 255), (1, 130): lane_color(2), (1, 150): (255, 255, 255), (1, 170): lane_color(2),
        (1, 165): QColor(theme.LANE).getRgb()[:3], (2, 100): QColor(theme.LANE).getRgb()[:3],
    }
    shown = {place: color_at(shot, timeline.frame_to_x(place[1]), row_middle(timeline, place[0])) for place in expected}
    assert shown == expected


def test_the_playhead_is_a_yellow_line_through_all_lanes(timeline: UpdateTimeline) -> None:
    timeline.set_frame(110)
    shot = timeline.grab().toImage()
    x = round(timeline.frame_to_x(110))
    for row in range(3):
        assert color_at(shot, x, row_middle(timeline, row)) == QColor(theme.PLAYHEAD).getRgb()[:3]


def test_progress_shades_the_frames_that_were_reached(timeline: UpdateTimeline) -> None:
    bare = timeline.grab().toImage()
    timeline.set_progress(120, 60)
    shot = timeline.grab().toImage()
    y = row_middle(timeline, 2)
    for frame, is_shaded in ((59, False), (60, True), (120, True), (121, False)):
        x = timeline.frame_to_x(frame)
        assert (color_at(shot, x, y) != color_at(bare, x, y)) == is_shaded
    timeline.set_progress(None)
    assert timeline.grab().toImage() == bare


def test_a_moved_playhead_repaints_two_stripes(timeline: UpdateTimeline) -> None:
    shot = timeline.grab().toImage()
    for frame in (1, 30, 31, 199, 0):
        timeline.dirty = QRegion()
        timeline.set_frame(frame)
        dirty = timeline.dirty
        assert sum(rect.width() * rect.height() for rect in dirty.rects()) < 0.2 * 900 * 160
        after = timeline.grab().toImage()
        differ = QRegion()
        for y, x in np.argwhere(pixels(after) != pixels(shot)):
            differ |= QRegion(int(x), int(y), 1, 1)
        assert differ.subtracted(dirty).isEmpty()
        shot = after


def pixels(image: QImage) -> np.ndarray[tuple[int, int], np.dtype[np.uint32]]:
    image = image.convertToFormat(QImage.Format_RGB32)
    return np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint32).reshape(image.height(), -1).copy()


def test_only_changed_lanes_are_repainted(timeline: UpdateTimeline) -> None:
    timeline.dirty = QRegion()
    timeline.set_lanes(LANES)
    assert timeline.dirty.isEmpty()
    longer = Lane(2, "frisbee", object_color(2), frozenset({150}), (range(120, 165), range(170, 171)))
    timeline.set_lanes((LANES[0], longer, LANES[2]))
    assert timeline.dirty.boundingRect() == timeline._row_rect(1).toAlignedRect()


def test_a_part_painted_alone_equals_the_whole(timeline: UpdateTimeline) -> None:
    timeline.set_lanes([
        *LANES, Lane(9, "many", object_color(9), frozenset(range(0, 200, 3)), to_ranges(range(0, 200, 2))),
    ])
    for zoom in (1.0, 3.0):
        timeline._set_axis(timeline.axis.zoomed(zoom, 500))
        whole = QImage(timeline.size(), QImage.Format_RGB32)
        timeline.render(whole)
        part = QImage(whole)
        for x in (0, 140, 333, 700, 880):
            region = QRegion(x, 0, 20, 160)
            timeline.render(part, region.boundingRect().topLeft(), region)
        assert (pixels(part) == pixels(whole)).all()


def test_the_tooltip_names_frame_time_object_and_state(timeline: UpdateTimeline) -> None:
    def tip(frame: int, row: int) -> str:
        mouse(timeline, QEvent.MouseMove, timeline.frame_to_x(frame), row_middle(timeline, row))
        return QToolTip.text()

    assert tip(143, 1) == "Frame 143 · 00:04.767\n2 frisbee: mask"
    assert tip(150, 1) == "Frame 150 · 00:05.000\n2 frisbee: key frame"
    assert tip(165, 1) == "Frame 165 · 00:05.500\n2 frisbee: empty (no mask)"
    assert tip(0, 2) == "Frame 0 · 00:00.000\n7 nothing yet: empty (no mask)"


def test_names_and_timers(timeline: UpdateTimeline) -> None:
    assert timeline.objectName() == "timeline"
    assert timeline.accessibleName() and timeline.accessibleDescription()
    assert timeline.findChildren(QTimer) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00.000"), (0.6667, "00:00.667"), (59.9996, "01:00.000"), (3599.5, "59:59.500"), (3600, "1:00:00.000"),
     (45296.25, "12:34:56.250"), (-1.5, "-00:01.500"), (-0.0001, "00:00.000")],
)
def test_timecode(seconds: float, text: str) -> None:
    assert format_timecode(seconds) == text
