"""What the timeline shows of a review: suspect frames on the lane, the confidence strip, the review strip."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QRectF
from PyQt5.QtGui import QColor, QImage
from PyQt5.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from gui import theme
from gui.timeline import Timeline
from gui.timeline_axis import TimeAxis
from gui.timeline_paint import Lane, LaneShape
from gui.timeline_strips import CONFIDENCE, REVIEW, Strips, confidence_lines, flicker_bars
from tests.gui.test_timeline import mouse

FRAMES = 100
LANE = Lane(1, "dog", (200, 60, 60), frozenset({0, 80}), (range(0, 70),), verified=(range(90, 92),),
            propagated=(range(1, 60),), suspect=(range(30, 40),))
VALUES = np.full(FRAMES, np.nan, np.float32)
VALUES[1:60] = 0.9
VALUES[30:40] = 0.2
FLICKERS = np.full(FRAMES, np.nan, np.float32)
FLICKERS[1:60] = 0.01
FLICKERS[[20, 50]] = 0.9, 0.15


def make(values: np.ndarray = VALUES, done: tuple[range, ...] = (), share: float = 0.0) -> Strips:
    return Strips("dog", values, 0.7, done, share, FLICKERS, "by a fake")


@pytest.fixture
def timeline(qtbot: QtBot) -> Iterator[Timeline]:
    widget = Timeline()
    qtbot.addWidget(widget)
    widget.resize(900, 200)
    widget.set_length(FRAMES, [frame / 30 for frame in range(FRAMES)])
    widget.set_lanes([LANE])
    widget.set_strips(make(done=(range(90, 92),), share=0.02))
    widget.set_frame(99)
    widget.show()
    qtbot.waitExposed(widget)
    yield widget
    QToolTip.hideText()


def column(timeline: Timeline, shot: QImage, frame: int, row: int) -> list[str]:
    """The colours of a row's pixels at a frame, from top to bottom."""
    place, ratio = timeline._row_rect(row), shot.devicePixelRatio()
    x = round(timeline.frame_to_x(frame) * ratio)
    return [shot.pixelColor(x, y).name() for y in range(round(place.top() * ratio), round(place.bottom() * ratio))]


def is_orange(name: str) -> bool:
    red, green, blue, _ = QColor(name).getRgb()
    return red > 120 and 60 < green < 0.85 * red and blue < 0.5 * red


def test_flicker_is_a_bar_that_is_orange_where_it_makes_a_suspect(timeline: Timeline) -> None:
    shot = timeline.grab().toImage()
    orange = {frame: sum(map(is_orange, column(timeline, shot, frame, 1))) for frame in (10, 20, 50)}
    assert orange[10] == orange[50] == 0 < 5 < orange[20]
    gray = {frame: column(timeline, shot, frame, 1).count(theme.TEXT_DISABLED) for frame in (10, 50)}
    assert gray[10] == 0 < gray[50]
    strips = timeline._strips
    assert strips is not None and "90% of the mask" in strips.describe(CONFIDENCE, 20)
    assert "above 20% a frame is suspect" in strips.describe(CONFIDENCE, 20)
    assert "flicker" not in strips.describe(CONFIDENCE, 80), "nothing is known"


def test_flickers_that_share_a_pixel_show_the_highest() -> None:
    values = np.full(1000, np.nan, np.float32)
    values[500:510] = 0.1
    values[505] = 0.8
    bars = flicker_bars(values, TimeAxis(1000, 0.0, 100.0), QRectF(0, 0, 100, 10))
    assert max(value for _, value in bars) == pytest.approx(0.8) and len(bars) <= 2


def test_suspect_frames_are_orange_on_the_lane_and_in_the_strip(timeline: Timeline) -> None:
    shot = timeline.grab().toImage()
    for row in (0, 1):
        shown = {frame: any(map(is_orange, column(timeline, shot, frame, row))) for frame in (10, 35, 50, 75)}
        assert shown == {10: False, 35: True, 50: False, 75: False}, f"row {row}"


def test_the_line_is_higher_where_the_engine_is_surer(timeline: Timeline) -> None:
    shot = timeline.grab().toImage()
    sure, unsure = column(timeline, shot, 20, 1), column(timeline, shot, 35, 1)
    blue = [y for y, name in enumerate(sure) if QColor(name).blue() > 180]
    orange = [y for y, name in enumerate(unsure) if is_orange(name)]
    assert blue and orange and max(blue) < min(orange)


def test_reviewed_frames_are_filled(timeline: Timeline) -> None:
    shot = timeline.grab().toImage()
    filled = QColor(theme.ACCENT_PRESSED).name()
    assert filled in column(timeline, shot, 90, 2) and filled not in column(timeline, shot, 89, 2)


def test_the_tooltips_say_it_in_words(timeline: Timeline) -> None:
    def tip(frame: int, row: int) -> str:
        mouse(timeline, QEvent.MouseMove, timeline.frame_to_x(frame), timeline._row_rect(row).center().y())
        return QToolTip.text().partition("\n")[2]

    rest = "flicker: 1% of the mask is there, or missing, on this frame only"
    assert tip(35, 1) == f"dog: quality 0.20 of 1, by a fake; below 0.70 a frame is suspect\n{rest}"
    assert tip(25, 1) == f"dog: quality 0.90 of 1, by a fake\n{rest}"
    assert "no quality is known" in tip(80, 1)
    assert tip(90, 2) == "dog: verified, or known to be absent" and tip(10, 2) == "dog: to be reviewed"
    shape = LaneShape.of(LANE)
    assert [shape.describe(frame).partition(": ")[2] for frame in (0, 20, 35, 65, 75, 80, 90)] == [
        "key frame", "propagated", "propagated, suspect", "mask", "empty (no mask)", "key frame, absent",
        "absent, verified",
    ]


def test_frames_that_share_a_pixel_show_the_lowest() -> None:
    values = np.full(1000, 0.9, np.float32)
    values[[500, 501]] = 0.1, np.nan
    (line,) = confidence_lines(values, TimeAxis(1000, 0.0, 100.0), QRectF(0, 0, 100, 10))
    assert len(line) == 100 and max(point.y() for point in line) == 10
    values[200:300] = np.nan
    assert len(confidence_lines(values, TimeAxis(1000, 0.0, 100.0), QRectF(0, 0, 100, 10))) == 2


def test_strips_that_say_the_same_are_equal() -> None:
    one = make()
    assert one == make(VALUES.copy()) != make(VALUES * 0.5)
    assert one.label(CONFIDENCE) == "quality, flicker" and one.label(REVIEW) == "review  0 %"
    assert make(share=0.999).label(REVIEW) == "review  99 %", "100 only when nothing is left"
