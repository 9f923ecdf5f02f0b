"""Flicker in the window: measured by itself, shown in the strip, a reason for a suspect, taken out by cleaning."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from gui.sheet_dialog import SheetDialog
from inference_core.api import KeyFrame
from tests.gui.conftest import Start
from tests.gui.driver import Driver, FakeBuilder, FakeCore
from tests.gui.test_cleaning_window import dialog, press, shown
from util.config import AppConfig
from util.types import IndexMask

TORN = 5


class TearingCore(FakeCore):
    """Loses half of the object on frame 5 only."""

    def _carried(self, anchor: KeyFrame, frame: int, barriers: frozenset[int]) -> IndexMask:
        mask = super()._carried(anchor, frame, barriers)
        if frame == TORN:
            mask[:, 25:] = 0
        return mask


class TearingBuilder(FakeBuilder):
    def __call__(self, config: AppConfig, frames: object, existing: object) -> FakeCore:
        self.cores.append(TearingCore(frames, existing, self.gate, self.step_error))
        return self.cores[-1]


@pytest.fixture
def torn(start: Start, synthetic_folder: Path) -> Driver:
    """Object 1 was carried from frame 0 to all others, half of it is missing on frame 5."""
    driver = start("--images", synthetic_folder, build=TearingBuilder())
    driver.wait_open()
    mask = np.zeros(driver.session.frames.size, np.uint8)
    mask[10:30, 10:40] = 1
    driver.session.import_masks({0: mask})
    driver.trigger("propagate.both")
    driver.wait_idle()
    return driver


def settle(driver: Driver) -> None:
    driver.wait(lambda: not driver.session.flicker.waiting)
    driver.wait(lambda: not driver.window.controller.video.panels._timer.isActive())  # type: ignore[union-attr]


def test_a_mask_that_flickers_is_a_suspect_and_says_why(torn: Driver) -> None:
    settle(torn)
    strips = torn.window.timeline._strips
    assert strips is not None and strips.flicker[TORN] == pytest.approx(0.5) and strips.flicker[3] == 0
    assert torn.window.timeline._shapes[0].lane.suspect == (range(TORN, TORN + 1),)
    torn.trigger("review.next_suspect")
    assert torn.session.frame == TORN
    assert torn.window.hint_label.full_text == "Frame 5 is suspect: flicker 50%."
    torn.trigger("review.sheet")
    (sheet,) = torn.window.findChildren(SheetDialog)
    assert sheet.view.item(0).text().endswith("flicker 50%")
    torn.wait_idle()


def test_verified_it_is_settled_and_a_change_is_measured_anew(torn: Driver) -> None:
    settle(torn)
    torn.session.seek(TORN)
    torn.trigger("frame.verify")
    settle(torn)
    assert torn.window.timeline._shapes[0].lane.suspect == ()
    torn.trigger("edit.undo")
    torn.trigger("edit.copy_previous")
    settle(torn)
    strips = torn.window.timeline._strips
    assert strips is not None and strips.flicker[TORN] == 0


def test_cleaning_takes_flicker_out_with_a_preview_and_spares_what_is_protected(torn: Driver, qtbot: QtBot) -> None:
    session = torn.session
    session.seek(TORN)
    torn.wait_idle()
    box = dialog(torn)
    assert shown(torn)[20, 35] == 0
    box.steady.click()
    assert shown(torn)[20, 35] == 1 and session.masks.get(TORN)[20, 35] == 0
    press(qtbot, box, QDialogButtonBox.Cancel)
    session.set_marks("locked", [1], [TORN], on=True)
    torn.dialogs.says_yes = False
    for says_yes, pixel in ((False, 0), (True, 1)):
        torn.dialogs.says_yes = says_yes
        box = dialog(torn)
        box.steady.setChecked(True)
        press(qtbot, box, QDialogButtonBox.Ok)
        torn.wait_idle()
        assert session.masks.get(TORN)[20, 35] == pixel
    torn.trigger("edit.undo")
    torn.wait_idle()
    assert session.masks.get(TORN)[20, 35] == 0


def test_growing_is_seen_before_it_is_done(torn: Driver, qtbot: QtBot) -> None:
    box = dialog(torn)
    box.grow.setValue(3)
    assert shown(torn)[20, 42] == 1 and torn.mask()[20, 42] == 0
    box.grow.setValue(-3)
    assert shown(torn)[20, 38] == 0 and torn.mask()[20, 38] == 1
    qtbot.keyClick(box, Qt.Key_Escape)
    assert np.array_equal(shown(torn), torn.mask())
