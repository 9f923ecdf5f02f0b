"""The local region in the window: drawn with the mouse, shown as a dashed frame, left with Esc or its action."""
from __future__ import annotations

import numpy as np
from PyQt5.QtCore import QEvent, Qt
from pytestqt.qtbot import QtBot

from gui.markers import Marker
from tests.gui.driver import Driver
from util.types import Rect


def frames(driver: Driver) -> list[Marker]:
    return [marker for marker in driver.window.canvas.markers if marker.kind == "frame"]


def test_draw_click_and_leave(opened: Driver, qtbot: QtBot) -> None:
    assert not opened.is_enabled("region.leave")
    opened.trigger("tool.region")
    opened.drag([(10.5, 10.5), (30, 30), (60.5, 50.5)])
    assert opened.session.region == Rect(10, 10, 61, 51)
    assert [marker.points[0] for marker in frames(opened)] == [(10, 10)]
    assert opened.session.tool.name == "click" and opened.window.actions_by_id["tool.click"].isChecked()
    opened.click(26.5, 30.5)
    opened.wait(lambda: np.any(opened.mask()))
    outside = opened.mask().copy()
    outside[10:51, 10:61] = 0
    assert not outside.any()
    opened.click(90.5, 60.5)
    assert "outside the local region" in opened.window.hint_label.full_text
    opened.trigger("region.leave")
    assert opened.session.region is None and not frames(opened)


def test_escape_leaves_the_region_and_a_drag_shows_its_frame(opened: Driver, qtbot: QtBot) -> None:
    opened.trigger("tool.region")
    canvas = opened.window.canvas
    opened.mouse(QEvent.MouseButtonPress, (10, 10), Qt.LeftButton, Qt.LeftButton)
    opened.mouse(QEvent.MouseMove, (50, 50), Qt.NoButton, Qt.LeftButton)
    assert len(frames(opened)) == 1 and opened.session.region is None
    qtbot.keyClick(canvas, Qt.Key_Escape)
    assert not frames(opened) and opened.session.tool.name == "region"
    qtbot.keyClick(canvas, Qt.Key_Escape)
    assert opened.session.tool.name == "click"
    opened.session.set_region(Rect(5, 5, 40, 40))
    assert len(frames(opened)) == 1
    qtbot.keyClick(canvas, Qt.Key_Escape)
    assert opened.session.region is None and not opened.is_enabled("region.leave")
