"""Lasso, fill, box, picking, copying and hold-to-use keys, with the mouse and the keys of the real window."""
from __future__ import annotations

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, Qt
from pytestqt.qtbot import QtBot

from gui import held_tool
from tests.gui.driver import Driver, area


def test_lasso_fill_and_painting_beside_others(opened: Driver) -> None:
    opened.trigger("tool.lasso")
    opened.drag([(20, 20), (50, 20), (50, 40), (20, 40)])
    assert area(opened.mask(), 1) == 600
    opened.trigger("object.add")
    opened.trigger("tool.keep_others")
    opened.drag([(40, 20), (60, 20), (60, 40), (40, 40)])
    assert area(opened.mask(), 1) == 600 and area(opened.mask(), 2) == 200
    opened.trigger("tool.keep_others")
    opened.trigger("tool.fill")
    opened.click(25.5, 25.5)
    assert area(opened.mask(), 1) == 0 and area(opened.mask(), 2) == 800
    opened.click(25.5, 25.5, Qt.RightButton)
    assert not opened.mask().any()


def test_box_shows_its_frame_and_gives_a_mask(opened: Driver) -> None:
    opened.trigger("tool.box")
    opened.mouse(QEvent.MouseButtonPress, (10, 14), Qt.LeftButton, Qt.LeftButton)
    opened.mouse(QEvent.MouseMove, (50, 54), Qt.NoButton, Qt.LeftButton)
    assert [marker.kind for marker in opened.window.canvas.markers] == ["frame"]
    opened.mouse(QEvent.MouseButtonRelease, (50, 54), Qt.LeftButton, Qt.NoButton)
    opened.wait(lambda: np.any(opened.mask()))
    outside = opened.mask().copy()
    outside[14:54, 10:50] = 0
    assert not outside.any()


def test_the_object_at_the_pointer_is_picked(opened: Driver) -> None:
    opened.trigger("tool.lasso")
    opened.drag([(20, 20), (50, 20), (50, 40), (20, 40)])
    opened.trigger("object.add")
    opened.mouse(QEvent.MouseMove, (30, 30), Qt.NoButton, Qt.NoButton)
    opened.trigger("object.pick")
    assert opened.session.objects.selected == 1


@pytest.mark.parametrize(("action", "target", "source"), [("edit.copy_previous", 4, 0), ("edit.copy_next", 0, 4)])
def test_a_mask_is_copied_from_a_key_frame(opened: Driver, action: str, target: int, source: int) -> None:
    opened.session.seek(source)
    opened.wait_idle()
    opened.trigger("tool.lasso")
    opened.drag([(20, 20), (50, 20), (50, 40), (20, 40)])
    opened.session.seek(target)
    opened.wait_idle()
    opened.trigger(action)
    assert (opened.mask(target) == opened.mask(source)).all() and opened.mask(target).any()


@pytest.mark.parametrize(("hold", "tool"), [(0.0, "click"), (1e9, "eraser")])
def test_a_tool_is_used_while_its_key_is_held(
    opened: Driver, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, hold: float, tool: str
) -> None:
    monkeypatch.setattr(held_tool, "HOLD_SECONDS", hold)
    canvas = opened.window.canvas
    canvas.setFocus()
    qtbot.keyPress(canvas, Qt.Key_E)
    opened.trigger("tool.eraser")
    assert opened.session.tool.name == "eraser"
    qtbot.keyRelease(canvas, Qt.Key_E)
    assert opened.session.tool.name == tool
    assert opened.window.actions_by_id[f"tool.{tool}"].isChecked()


def test_a_tool_chosen_with_the_mouse_stays(opened: Driver, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_tool, "HOLD_SECONDS", 0.0)
    opened.trigger("tool.eraser")
    qtbot.keyPress(opened.window.canvas, Qt.Key_E)
    qtbot.keyRelease(opened.window.canvas, Qt.Key_E)
    assert opened.session.tool.name == "eraser"
