"""Cleaning a mask in the window: what it would become is seen before, and cancelling leaves it alone."""
from __future__ import annotations

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication, QDialogButtonBox
from pytestqt.qtbot import QtBot

from gui.cleaning_dialog import CleaningDialog
from tests.gui.driver import Driver


@pytest.fixture
def holed(opened: Driver) -> Driver:
    """A square with a hole of 4x4."""
    opened.trigger("tool.lasso")
    opened.drag([(20, 20), (50, 20), (50, 50), (20, 50)])
    opened.drag([(30, 30), (34, 30), (34, 34), (30, 34)], Qt.RightButton)
    assert opened.mask()[31, 31] == 0
    return opened


def dialog(driver: Driver) -> CleaningDialog:
    driver.trigger("object.clean")
    [found] = [w for w in QApplication.topLevelWidgets() if isinstance(w, CleaningDialog) and w.isVisible()]
    return found


def shown(driver: Driver) -> np.ndarray:
    mask = driver.window.canvas._picture.mask
    assert mask is not None
    return mask


def press(qtbot: QtBot, box: CleaningDialog, which: QDialogButtonBox.StandardButton) -> None:
    qtbot.mouseClick(box.findChild(QDialogButtonBox).button(which), Qt.LeftButton)


def test_preview_then_cancel_changes_nothing(holed: Driver, qtbot: QtBot) -> None:
    before = holed.mask().copy()
    box = dialog(holed)
    assert shown(holed)[31, 31] == 1 and holed.mask()[31, 31] == 0
    box.holes.setValue(10)
    assert shown(holed)[31, 31] == 0, "a hole of 16 pixels is larger than that"
    box.holes.setValue(20)
    assert shown(holed)[31, 31] == 1
    press(qtbot, box, QDialogButtonBox.Cancel)
    assert np.array_equal(shown(holed), before) and np.array_equal(holed.mask(), before)


def test_confirmed_it_is_a_step(holed: Driver, qtbot: QtBot) -> None:
    press(qtbot, dialog(holed), QDialogButtonBox.Ok)
    holed.wait_idle()
    assert holed.mask()[31, 31] == 1 and np.array_equal(shown(holed), holed.mask())
    assert "clean up" in holed.window.top_bar.undo.defaultAction().text()
    holed.trigger("edit.undo")
    holed.wait_idle()
    assert holed.mask()[31, 31] == 0
