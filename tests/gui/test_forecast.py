"""What a propagation will cost is told before it runs, from the one before."""
from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from gui.forecast import Pace, foretell
from gui.settings import Settings
from storage import disk_space
from tests.gui.conftest import Start
from tests.gui.driver import Driver


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("frames", "pace", "text"),
    [
        (0, Pace(4, 1 << 20), ""),
        (1, None, "1 frame · 3 MB on disk"),
        (60, None, "60 frames · 3 MB on disk"),
        (60, Pace(4, 1 << 20), "60 frames · about 0:15 · 13 MB · 3 MB on disk"),
    ],
)
def test_words(frames: int, pace: Pace | None, text: str) -> None:
    assert foretell(frames, pace, 5, 3 << 20) == text


def test_pace_is_kept_and_nonsense_is_not_believed() -> None:
    settings = Settings()
    settings.keep_pace("a", Pace(4.5, 1000))
    assert settings.pace("a") == Pace(4.5, 1000) and settings.pace("b") is None
    settings._store.setValue("pace/a", "fast")
    assert settings.pace("a") is None


def tooltip(driver: Driver, action_id: str) -> str:
    return driver.window.actions_by_id[action_id].toolTip()


def test_tooltips_tell_frames_then_time_and_memory(start: Start, synthetic_folder: Path) -> None:
    driver = start("--images", synthetic_folder)
    driver.wait_open()
    driver.wait_idle()
    assert "frames:" not in tooltip(driver, "propagate.both")
    driver.trigger("tool.brush")
    driver.click(30, 30)
    assert "all frames: 11 frames · " in tooltip(driver, "propagate.both")
    assert "kB on disk (P)" in tooltip(driver, "propagate.both")
    driver.trigger("propagate.both")
    driver.wait(lambda: not driver.window.controller.propagation.is_running)
    driver.wait_idle()
    assert "11 frames · about 0:0" in tooltip(driver, "propagate.forward")
    driver.window.controller.edit.seek(3)
    driver.wait_idle()
    assert "3 frames" not in tooltip(driver, "propagate.forward")
    assert "after it: 8 frames · about" in tooltip(driver, "propagate.forward")


def test_a_disk_without_room_is_told_before_a_propagation(
    start: Start, synthetic_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = start("--images", synthetic_folder)
    driver.wait_open()
    driver.wait_idle()
    driver.trigger("tool.brush")
    driver.click(30, 30)
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda path: Usage(1 << 40, 0, 201 << 20))
    driver.trigger("propagate.forward")
    driver.wait(lambda: not driver.window.controller.propagation.is_running)
    assert driver.dialogs.questions == [], "there is room for this one"
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda path: Usage(1 << 40, 0, 200 << 20))
    driver.dialogs.says_yes = False
    driver.session.undo()
    driver.trigger("propagate.forward")
    assert "where 200 MB are free" in driver.dialogs.questions[0]
    assert not driver.window.controller.propagation.is_running and not driver.mask(5).any()
    driver.dialogs.says_yes = True
    driver.trigger("propagate.forward")
    driver.wait(lambda: not driver.window.controller.propagation.is_running)
    assert driver.mask(5).any()


def test_a_nearly_full_disk_is_told_when_something_was_saved(
    start: Start, synthetic_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda path: Usage(1 << 40, 0, 1 << 20))
    driver = start("--images", synthetic_folder)
    driver.wait_open()
    driver.trigger("object.add")
    driver.wait(lambda: "disk nearly full" in driver.window.saved_label.text())
    assert "make room" in driver.window.saved_label.toolTip()


def test_the_export_dialog_tells_what_it_takes(
    opened: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.trigger("tool.brush")
    opened.click(30, 30)
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda path: Usage(1 << 40, 0, 5 << 30))
    opened.trigger("file.export_masks")
    dialog = opened.window.controller.exports.dialog
    assert dialog is not None
    dialog.choose("rgba")
    size = opened.session.frames.size
    assert dialog.needed(dialog.wish) == round(1.5 * size.height * size.width * 12)
    assert dialog.room.text() == "Takes about 111 kB; 5.0 GB are free there."
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda path: Usage(1 << 40, 0, 1 << 20))
    opened.dialogs.says_yes = False
    opened.export(tmp_path / "out", "rgba")
    assert "1 MB are free" in opened.dialogs.questions[0] and not (tmp_path / "out").exists()
