"""How the window shares its room: canvas and timeline, the top bar where it is narrow, small screens."""
from __future__ import annotations

import itertools
from pathlib import Path

from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QToolButton

from tests.gui.conftest import Start
from tests.gui.driver import Driver


def test_the_canvas_gets_the_height_and_keeps_what_the_user_gave_it(
    opened: Driver, start: Start, synthetic_folder: Path
) -> None:
    window = opened.window
    window.resize(1200, 800)
    assert window.canvas.height() > 0.6 * window.splitter.height()
    window.resize(1200, 1000)
    assert window.bottom.height() < 0.4 * window.splitter.height()
    window.resize(1200, 800)
    handle = window.splitter.handle(1)
    at = handle.rect().center()
    up = QPoint(at.x(), at.y() + 400 - window.splitter.sizes()[0])
    QTest.mousePress(handle, Qt.LeftButton, pos=at)
    place = QPointF(up)
    QApplication.sendEvent(handle, QMouseEvent(QEvent.MouseMove, place, QPointF(handle.mapToGlobal(up)), Qt.NoButton,
                                               Qt.MouseButtons(Qt.LeftButton), Qt.NoModifier))
    QTest.mouseRelease(handle, Qt.LeftButton, pos=up)
    assert abs(window.splitter.sizes()[0] - 400) < 20
    theirs = window.canvas.height()
    opened.close()
    again = start("--images", str(synthetic_folder))
    again.wait_open()
    assert again.window.height() == window.height()
    assert abs(again.window.canvas.height() - theirs) < 20


def test_lanes_that_are_added_get_room_and_the_strips_stay_in_sight(opened: Driver) -> None:
    window = opened.window
    window.resize(1440, 900)
    for _ in range(4):
        opened.trigger("object.add")
    opened.wait(lambda: window.timeline._num_rows == 6)
    QApplication.processEvents()
    assert window.timeline._row_rect(5).bottom() <= window.timeline.height(), "the review strip is whole"
    assert not window.timeline._down.isVisible()
    assert window.canvas.height() > 0.5 * window.splitter.height()


def test_a_narrow_window_leaves_words_out_and_loses_no_button(opened: Driver) -> None:
    window, bar = opened.window, opened.window.top_bar
    opened.trigger("tool.brush")
    opened.click(30, 30)
    opened.session.rename_object(1, "a name that is much too long to stand on a button of the top bar")
    opened.click(40, 40)
    window.resize(1440, 900)
    QApplication.processEvents()
    assert bar.engine.isVisible() and bar.undo._parts()[1].endswith("…")
    assert "much too long to stand on a button" in bar.undo.toolTip(), "the tooltip has all of it"
    window.resize(960, 600)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (960, 600)
    assert not bar.engine.isVisible() and bar.undo._parts()[1] == ""
    buttons = [button for button in bar.findChildren(QToolButton) if button.isVisible()]
    assert len(buttons) == 7 and all(b.x() >= 0 and b.geometry().right() < bar.width() for b in buttons)
    for one, other in itertools.pairwise(sorted(buttons, key=lambda button: button.x())):
        assert one.geometry().right() < other.x(), "none lies on another"
    assert all(button.width() >= button.sizeHint().width() for button in buttons), "none is cut"
    window.resize(1440, 900)
    QApplication.processEvents()
    assert bar.engine.isVisible() and bar.undo._parts()[1]


def test_what_runs_stays_in_sight(opened: Driver) -> None:
    opened.window.resize(1200, 700)
    for _ in range(8):
        opened.trigger("object.add")
    QApplication.processEvents()
    bar, side = opened.window.job_bar, opened.window.side_panel
    bottom = bar.mapTo(side, QPoint(0, bar.height())).y()
    assert bar.isVisible() and 0 < bottom <= side.height()


def test_the_first_window_is_no_larger_than_the_screen(start: Start) -> None:
    window = start(resize=False).window
    room = window.screen().availableGeometry()
    assert window.width() == min(1440, room.width()) and window.height() == min(900, room.height())


def test_a_window_closed_on_its_start_page_says_nothing_about_the_heights(start: Start, synthetic_folder: Path) -> None:
    start().close()
    driver = start("--images", str(synthetic_folder))
    driver.wait_open()
    assert driver.window.canvas.height() > 0.6 * driver.window.splitter.height()
