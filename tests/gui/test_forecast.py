"""What a propagation will cost is told before it runs, from the one before."""
from __future__ import annotations

from pathlib import Path

import pytest

from gui.forecast import Pace, foretell
from gui.settings import Settings
from tests.gui.conftest import Start
from tests.gui.driver import Driver


@pytest.mark.parametrize(
    ("frames", "pace", "text"),
    [
        (0, Pace(4, 1 << 20), ""),
        (1, None, "1 frame"),
        (60, None, "60 frames"),
        (60, Pace(4, 1 << 20), "60 frames · about 0:15 · 13 MB"),
    ],
)
def test_words(frames: int, pace: Pace | None, text: str) -> None:
    assert foretell(frames, pace, 5) == text


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
    assert "all frames: 11 frames (P)" in tooltip(driver, "propagate.both")
    driver.trigger("propagate.both")
    driver.wait(lambda: not driver.window.controller.propagation.is_running)
    driver.wait_idle()
    assert "11 frames · about 0:0" in tooltip(driver, "propagate.forward")
    driver.window.controller.edit.seek(3)
    driver.wait_idle()
    assert "3 frames" not in tooltip(driver, "propagate.forward")
    assert "after it: 8 frames · about" in tooltip(driver, "propagate.forward")
