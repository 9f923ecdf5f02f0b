"""Saved state, recovery after a crash, undo over closing, and the trash, through the window."""
from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QListWidget
from pytestqt.qtbot import QtBot

from gui.dialogs import Dialogs
from gui.recovery_dialog import SHOWN, RecoveryDialog
from gui.save_state import short_reason
from gui.trash_dialog import TrashDialog, when
from interact.session import VideoSession
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.mask_writer import MaskWriter
from storage.workspace import Workspace, default_folder
from tests.gui.conftest import Start
from tests.gui.driver import Driver
from tests.interact.scene import DiscPredictor
from util.errors import AppError


@pytest.fixture
def crashed(synthetic_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A video in whose workspace an object is saved; two masks that were laid on it since are not."""
    source = open_source(synthetic_folder)
    workspace = Workspace.open(source, tmp_path / "live")
    session = VideoSession(FrameStore(source), workspace, DiscPredictor())
    session.add_object("dog")
    workspace.flush()
    with monkeypatch.context() as patch:
        patch.setattr(MaskWriter, "DELAY", 3600.0)
        for frame in (0, 4):
            session.import_masks({frame: np.ones(source.size, np.uint8)})
        shutil.copytree(workspace.folder, default_folder(source))
        session.close()
    return synthetic_folder


@pytest.mark.parametrize("recover", [True, False])
def test_crash_is_told_and_the_answer_followed(start: Start, crashed: Path, recover: bool) -> None:
    driver = start()
    driver.dialogs.recovers = recover
    driver.open(crashed)
    driver.wait_idle()
    assert driver.dialogs.unsaved == ["import 1 mask", "import 1 mask"]
    assert driver.session.masks.frames() == ([0, 4] if recover else [])
    assert driver.session.objects.name(1) == "dog" and driver.is_enabled("edit.undo")
    assert driver.session.history.undo_label == ("import 1 mask" if recover else "add dog")
    driver.close()
    again = start("--images", crashed)
    again.wait_open()
    assert again.dialogs.unsaved == [] and again.session.masks.frames() == ([0, 4] if recover else [])


def test_not_deciding_leaves_everything_as_it_is(start: Start, crashed: Path) -> None:
    driver = start()
    driver.dialogs.recovers = None
    driver.window.controller.open(crashed)
    driver.wait(lambda: driver.dialogs.unsaved)
    driver.wait_idle()
    assert driver.window.controller.video is None and not driver.window.controller.opener.is_opening
    driver.dialogs.recovers = True
    driver.open(crashed)
    assert driver.session.masks.frames() == [0, 4]


def test_closing_the_window_while_it_asks(start: Start, crashed: Path) -> None:
    driver = start()
    asked = []
    driver.dialogs.ask_recovery = lambda name, unsaved, decided: asked.append(decided)  # type: ignore[method-assign]
    driver.window.controller.open(crashed)
    driver.wait(lambda: asked)
    driver.close()
    asked[0](True)  # too late
    Workspace.open(open_source(crashed)).close()


def test_recovery_dialog(start: Start, qtbot: QtBot) -> None:
    window = start().window
    for button, answer in (("recover", True), ("leave", False), ("cancel", None)):
        answers: list[bool | None] = []
        Dialogs(window).ask_recovery("clip.mp4", [f"paint object {n}" for n in range(SHOWN + 5)], answers.append)
        dialog = window.findChild(RecoveryDialog, "recovery")
        listed = dialog.findChild(QListWidget, "unsaved")
        assert listed.item(0).text() == f"paint object {SHOWN + 4}" and listed.item(SHOWN).text() == "and 5 more"
        qtbot.mouseClick(getattr(dialog, button), Qt.LeftButton)
        assert answers == [answer]
        qtbot.waitUntil(lambda: window.findChild(RecoveryDialog, "recovery") is None)


def test_saved_state_says_why_not(opened: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    label = opened.window.saved_label
    opened.wait(lambda: label.text().startswith("✔ saved "))
    assert len(label.text()) == len("✔ saved 14:03")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", full)
        opened.trigger("object.add")
        assert label.text() == "saving…"
        opened.wait(lambda: label.text() == "✖ not saved: the disk is full")
        assert [str(error) for error in opened.dialogs.errors] == [label.toolTip()]
    opened.session.workspace.flush()
    opened.wait(lambda: label.text().startswith("✔ saved "))
    opened.close()
    assert opened.dialogs.questions == []  # nothing was unsaved, so nothing is asked


def test_short_reason() -> None:
    assert short_reason(AppError("/a: b/1.png: cannot be saved: the disk is full.", "Free some.")) == "the disk is full"


def test_undo_reaches_back_over_closing(opened: Driver, start: Start, synthetic_folder: Path) -> None:
    opened.trigger("object.add")
    opened.trigger("tool.brush")
    opened.click(30, 30)
    painted = opened.mask().copy()
    opened.close()
    again = start("--images", synthetic_folder)
    again.wait_open()
    again.wait_idle()
    assert "paint object 1" in again.window.actions_by_id["edit.undo"].text()
    again.trigger("edit.undo")
    assert not again.mask().any()
    again.trigger("edit.redo")
    np.testing.assert_array_equal(again.mask(), painted)


def test_deleted_object_is_restored_from_the_list(opened: Driver, qtbot: QtBot) -> None:
    assert not opened.is_enabled("object.restore")
    opened.trigger("object.add")
    opened.trigger("tool.brush")
    opened.click(30, 30)
    painted = opened.mask().copy()
    opened.trigger("object.add")
    opened.session.select_object(1)
    opened.trigger("object.delete")
    opened.wait_idle()
    opened.session.delete_object(2)
    assert opened.session.objects.order == () and not opened.mask().any()
    opened.trigger("object.restore")
    dialog = opened.window.findChild(TrashDialog, "trash")
    rows = [dialog.list.item(row).text() for row in range(dialog.list.count())]
    assert [row.split(" — ")[0] for row in rows] == ["object 2", "object 1"] and "deleted at" in rows[0]
    dialog.list.setCurrentRow(1)
    qtbot.mouseClick(dialog.restore, Qt.LeftButton)
    opened.wait(lambda: opened.session.objects.order == (1,))
    opened.wait_idle()
    np.testing.assert_array_equal(opened.mask(), painted)
    assert opened.session.key_frames.on(0) == {1} and opened.is_enabled("object.restore")


def test_when() -> None:
    now = 1_700_000_000.0
    assert when(now, now).startswith("at ") and when(now - 86400, now).startswith("yesterday at ")
    assert when(now - 3 * 86400, now).startswith("on 20")


def test_prompts_of_a_frame_come_back_with_it(opened: Driver, start: Start, synthetic_folder: Path) -> None:
    canvas = opened.window.canvas
    opened.trigger("tool.click")
    opened.click(30, 30)
    opened.wait_idle()
    assert [marker.is_past for marker in canvas.markers] == [False]
    opened.trigger("frame.next")
    opened.wait_idle()
    assert canvas.markers == ()
    opened.trigger("frame.previous")
    opened.wait_idle()
    assert [(marker.kind, marker.is_past) for marker in canvas.markers] == [("click", True)]
    opened.trigger("tool.brush")
    assert canvas.markers == ()
    opened.trigger("tool.click")
    opened.click(33, 33)
    opened.wait_idle()
    opened.close()
    again = start("--images", synthetic_folder)
    again.wait_open()
    again.wait_idle()
    assert again.session.interaction is not None  # still open: the next click goes on with it
    assert [marker.is_past for marker in again.window.canvas.markers] == [False]
    again.trigger("tool.brush")
    again.trigger("tool.click")
    assert [marker.is_past for marker in again.window.canvas.markers] == [True]
