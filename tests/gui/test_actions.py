"""The table of actions: complete, without clashes, and what the window shows is made from it."""
from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QWidget
from pytestqt.qtbot import QtBot

from gui.action_spec import MENUS, Need, keys_text
from gui.actions import ACTIONS, ActionSet

# The ids that other parts of the project, scripts and tests may count on.
CONTRACT = {
    "file.open_video", "file.open_folder", "file.open_recent", "file.export_masks", "file.export_overlay",
    "file.import_masks", "file.quit", "edit.undo", "edit.redo", "edit.clear_frame", "object.add", "object.delete",
    "tool.click", "tool.scribble", "tool.brush", "tool.eraser", "tool.polygon", "propagate.forward",
    "propagate.backward", "propagate.both", "propagate.cancel", "view.fit", "view.actual_size", "view.zoom_in",
    "view.zoom_out", "view.contour", "play.toggle", "frame.next", "frame.previous", "frame.next_10",
    "frame.previous_10", "frame.first", "frame.last", "help.about",
    *(f"object.select_{number}" for number in range(1, 10)),
}
WITHOUT_KEY = {"file.open_recent", "file.open_example", "file.cancel_export"}


@pytest.fixture
def actions(qtbot: QtBot) -> ActionSet:
    window = QWidget()
    qtbot.addWidget(window)
    made = ActionSet(window)
    made.owner = window  # type: ignore[attr-defined]  # kept alive as long as its actions
    return made


def test_every_promised_action_is_there() -> None:
    assert {spec.action_id for spec in ACTIONS} >= CONTRACT


def test_ids_are_unique_and_object_names(actions: ActionSet) -> None:
    ids = [spec.action_id for spec in ACTIONS]
    assert len(set(ids)) == len(ids)
    for action_id in ids:
        assert actions[action_id].objectName() == action_id
    window: QWidget = actions.owner  # type: ignore[attr-defined]
    assert {action.objectName() for action in window.findChildren(QAction)} >= set(ids)


def test_no_key_means_two_things() -> None:
    keys = Counter(QKeySequence(keys).toString() for spec in ACTIONS for keys in spec.shortcuts)
    assert "" not in keys, "a shortcut that Qt does not understand"
    assert {key: count for key, count in keys.items() if count > 1} == {}


def test_every_action_says_what_it_does_and_its_key(actions: ActionSet) -> None:
    for spec in ACTIONS:
        tip = actions[spec.action_id].toolTip()
        assert spec.tooltip in tip and spec.tooltip[0].isupper() and not spec.tooltip.endswith(".")
        if spec.action_id in WITHOUT_KEY:
            assert not spec.shortcuts
            continue
        shown = actions[spec.action_id].shortcut().toString(QKeySequence.NativeText)
        assert shown and shown in tip


def test_menus_and_needs_are_known() -> None:
    assert {spec.menu for spec in ACTIONS} == set(MENUS)
    assert {need for spec in ACTIONS for need in spec.needs} <= set(get_args(Need))


def test_update_enables_exactly_what_is_possible(actions: ActionSet) -> None:
    actions.update(())
    enabled = {action_id for action_id in actions if actions[action_id].isEnabled()}
    assert enabled == {spec.action_id for spec in ACTIONS if not spec.needs}
    assert {"file.open_video", "tool.brush", "help.about"} <= enabled
    actions.update({"video", "editable", "undo"})
    assert actions["edit.undo"].isEnabled() and actions["propagate.both"].isEnabled()
    assert not actions["edit.redo"].isEnabled() and not actions["propagate.cancel"].isEnabled()
    assert not actions["object.delete"].isEnabled()


def test_tools_exclude_each_other(actions: ActionSet) -> None:
    assert actions["tool.click"].isChecked()
    actions["tool.brush"].trigger()
    assert actions["tool.brush"].isChecked() and not actions["tool.click"].isChecked()


def test_a_text_of_the_moment_keeps_the_key_in_the_tooltip(actions: ActionSet) -> None:
    spec = actions.specs["edit.undo"]
    actions.set_text("edit.undo", "Undo “paint dog”")
    assert actions["edit.undo"].text() == "Undo “paint dog”"
    assert actions["edit.undo"].toolTip() == spec.tooltip + keys_text(spec.shortcuts)
    actions.set_text("edit.undo")
    assert actions["edit.undo"].text() == "Undo"


def test_connect_calls_without_arguments(actions: ActionSet) -> None:
    calls: list[tuple[object, ...]] = []
    actions.connect("view.contour", lambda *arguments: calls.append(arguments))
    actions["view.contour"].trigger()
    assert calls == [()]
