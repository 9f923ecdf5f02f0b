"""Locked and verified frames on the timeline's lanes."""
from __future__ import annotations

from PyQt5.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from gui import theme
from gui.timeline import Timeline
from gui.timeline_paint import Lane, LaneShape

LANE = Lane(
    1, "dog", (200, 60, 60), frozenset({40}), (range(0, 100),), (range(10, 30),), (range(20, 60), range(90, 91))
)


def colors(shot: QImage, x: float) -> set[str]:
    """All colours of a column of pixels."""
    ratio = shot.devicePixelRatio()
    return {shot.pixelColor(round(x * ratio), y).name() for y in range(shot.height())}


def test_marks_edge_the_lane(qtbot: QtBot) -> None:
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(900, 160)
    timeline.set_length(100, [frame / 30 for frame in range(100)])
    timeline.set_lanes([LANE])
    timeline.set_frame(99)
    timeline.show()
    qtbot.waitExposed(timeline)
    shot = timeline.grab().toImage()
    locked, verified = QColor(theme.TEXT).name(), QColor(theme.POSITIVE).name()
    shown = {}
    for frame in (5, 15, 25, 50, 70, 90):
        found = colors(shot, timeline.frame_to_x(frame))
        shown[frame] = (locked in found, verified in found)
    assert shown == {
        5: (False, False), 15: (True, False), 25: (True, True), 50: (False, True), 70: (False, False), 90: (False, True)
    }


def test_the_tooltip_names_the_marks() -> None:
    shape = LaneShape.of(LANE)
    assert [shape.describe(frame) for frame in (5, 25, 40, 59, 60)] == [
        "1 dog: mask", "1 dog: mask, locked, verified", "1 dog: key frame, verified", "1 dog: mask, verified",
        "1 dog: mask",
    ]
