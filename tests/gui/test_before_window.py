"""The version before, held by a key: since the opening, before it from the journal, and why there is none."""
from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PyQt5.QtCore import QEvent, Qt
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.gui.conftest import Start
from tests.gui.driver import Driver, send_mouse
from tests.gui.test_view_window import shown
from util.palette import object_color


def test_holding_a_key_shows_the_mask_before_the_last_change(painted: Driver, qtbot: QtBot) -> None:
    painted.trigger("view.mode_mask")
    painted.drag([(30, 50), (60, 50)])
    mask = painted.mask().copy()
    canvas = painted.window.canvas
    canvas.setFocus()
    assert shown(painted, 45.5, 50.5) == object_color(1)
    painted.activate()
    qtbot.keyPress(canvas, Qt.Key_T)
    assert shown(painted, 45.5, 50.5) == (0, 0, 0) and shown(painted, 45.5, 30.5) == object_color(1)
    qtbot.keyRelease(canvas, Qt.Key_T)
    assert shown(painted, 45.5, 50.5) == object_color(1) and np.array_equal(painted.mask(), mask)
    painted.trigger("edit.undo")
    painted.trigger("view.before")
    assert shown(painted, 45.5, 50.5) == object_color(1), "what the undo took away"
    send_mouse(canvas, QEvent.MouseButtonPress, canvas.image_to_widget(80, 60), Qt.MiddleButton, Qt.MiddleButton)
    send_mouse(canvas, QEvent.MouseButtonRelease, canvas.image_to_widget(80, 60), Qt.MiddleButton, Qt.NoButton)
    assert shown(painted, 45.5, 50.5) == (0, 0, 0)


def test_the_version_before_a_propagation_and_where_there_is_none(painted: Driver) -> None:
    painted.trigger("frame.next")
    painted.wait_idle()
    painted.trigger("view.before")
    painted.wait_idle()
    assert "nothing to compare" in painted.window.hint_label.full_text
    painted.trigger("frame.previous")
    painted.wait_idle()
    painted.trigger("propagate.forward")
    painted.wait_idle()
    painted.trigger("frame.next")
    painted.wait_idle()
    painted.trigger("view.mode_mask")
    assert shown(painted, 45.5, 30.5) == object_color(1)
    painted.trigger("view.before")
    assert shown(painted, 45.5, 30.5) == (0, 0, 0)
    painted.trigger("frame.next")
    painted.wait_idle()
    assert shown(painted, 45.5, 30.5) == object_color(1), "another frame shows its own mask"
    QApplication.processEvents()


def reopen(driver: Driver, folder: Path) -> None:
    before = driver.session
    driver.window.controller.open(folder)
    driver.wait(lambda: driver.window.controller.video is not None and driver.session is not before)
    driver.wait_open()
    driver.wait_idle()


def test_the_version_before_reaches_back_beyond_the_opening(painted: Driver, synthetic_folder: Path) -> None:
    painted.trigger("view.mode_mask")
    painted.drag([(30, 50), (60, 50)])
    painted.trigger("propagate.forward")
    painted.wait_idle()
    reopen(painted, synthetic_folder)
    assert shown(painted, 45.5, 50.5) == object_color(1)
    painted.trigger("view.before")
    painted.wait(lambda: painted.window.controller.video.view.shows_before)
    assert shown(painted, 45.5, 50.5) == (0, 0, 0) and shown(painted, 45.5, 30.5) == object_color(1)
    assert painted.window.hint_label.full_text == "Before “paint object 1”."
    assert painted.mask()[50, 45] == 1, "only shown"
    painted.trigger("view.before")
    assert shown(painted, 45.5, 50.5) == object_color(1)
    painted.session.seek(5)
    painted.wait_idle()
    painted.trigger("view.before")
    painted.wait(lambda: painted.window.controller.video.view.shows_before)
    assert shown(painted, 45.5, 50.5) == (0, 0, 0) and "propagate 11 frames" in painted.window.hint_label.full_text


def test_a_key_that_was_let_go_meanwhile_shows_nothing(painted: Driver, synthetic_folder: Path, qtbot: QtBot) -> None:
    reopen(painted, synthetic_folder)
    painted.window.canvas.setFocus()
    painted.activate()
    qtbot.keyPress(painted.window.canvas, Qt.Key_T)
    qtbot.keyRelease(painted.window.canvas, Qt.Key_T)
    painted.wait_idle()
    assert not painted.window.controller.video.view.shows_before


def test_without_an_older_version_the_reason_is_said(painted: Driver, start: Start, synthetic_folder: Path) -> None:
    folder = painted.session.workspace.folder
    painted.close()
    shutil.rmtree(folder / "journal")
    driver = start("--images", synthetic_folder)
    driver.wait_open()
    driver.wait_idle()
    driver.trigger("view.before")
    driver.wait_idle()
    assert "there is no older version to compare it with" in driver.window.hint_label.full_text
    assert not driver.window.controller.video.view.shows_before
