"""Propagation settings: remembered, applied to the open video at once, and taken back when they cannot be had."""
from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from gui import engine_settings
from gui.engine_dialog import EngineDialog
from gui.engine_settings import EngineSettings, for_project, remembered
from inference_core.api import ExistingMask, FrameReader
from tests.gui.conftest import Start
from tests.gui.driver import Driver, FakeBuilder, FakeCore
from tests.gui.test_review_window import FakeJudge
from util.config import AppConfig
from util.errors import AppError


class PickyBuilder(FakeBuilder):
    """Has no GPU; keeps the settings that engines were built with."""

    def __init__(self) -> None:
        super().__init__()
        self.configs: list[AppConfig] = []

    def __call__(self, config: AppConfig, frames: FrameReader, existing: ExistingMask) -> FakeCore:
        if config.device == "cuda":
            raise AppError("There is no NVIDIA GPU here.", "Choose another device.")
        self.configs.append(config)
        return super().__call__(config, frames, existing)


@pytest.fixture
def build() -> PickyBuilder:
    return PickyBuilder()


@pytest.fixture
def driver(start: Start, build: PickyBuilder, synthetic_folder: Path) -> Driver:
    driver = start("--images", synthetic_folder, build=build)
    driver.wait_open()
    driver.wait_idle()
    return driver


def dialog_of(driver: Driver) -> EngineDialog:
    driver.trigger("propagate.settings")
    dialog = driver.window.controller.engine.dialog
    assert dialog is not None and dialog.isVisible()
    return dialog


def confirm(qtbot: QtBot, dialog: EngineDialog) -> None:
    buttons = dialog.findChild(QDialogButtonBox)
    qtbot.mouseClick(buttons.button(QDialogButtonBox.Ok), Qt.LeftButton)


def test_changed_settings_reach_a_new_engine_and_are_remembered(
    driver: Driver, build: PickyBuilder, qtbot: QtBot
) -> None:
    dialog = dialog_of(driver)
    assert dialog.settings == EngineSettings()
    dialog.mem_every.setValue(3)
    dialog.size_choice.setCurrentIndex(dialog.size_choice.findData("-1"))
    dialog.engine.setCurrentIndex(dialog.engine.findData("static"))
    confirm(qtbot, dialog)
    driver.wait_idle()
    assert len(build.cores) == 2 and build.cores[0].is_closed and not build.cores[1].is_closed
    now = build.configs[-1]
    assert (now.engine, now.mem_every, now.size) == ("static", 3, -1)
    kept = driver.window.settings.engine
    assert remembered(AppConfig(), kept).mem_every == 3
    assert remembered(AppConfig(mem_every=7), kept).mem_every == 7, "the command line wins"


def test_settings_that_cannot_be_had_are_taken_back(driver: Driver, build: PickyBuilder, qtbot: QtBot) -> None:
    dialog = dialog_of(driver)
    dialog.device.setCurrentIndex(dialog.device.findData("cuda"))
    confirm(qtbot, dialog)
    driver.wait(lambda: driver.dialogs.errors)
    driver.wait_idle()
    assert "no NVIDIA GPU" in str(driver.dialogs.errors[0])
    assert build.configs[-1].device == "auto" and "fake" in driver.window.top_bar.engine.text()
    assert driver.window.settings.engine == {}, "only what works is remembered"


def test_nothing_changed_loads_nothing(driver: Driver, build: PickyBuilder, qtbot: QtBot) -> None:
    confirm(qtbot, dialog_of(driver))
    driver.wait_idle()
    assert len(build.cores) == 1


@pytest.mark.parametrize(
    "kept",
    [
        {"engine": "nothing"}, {"mem_every": 0}, {"mem_every": "5"}, {"top_k": -1}, {"size": 7}, {"device": "toaster"},
        {"no_amp": 1}, {"mem_profile": 9}, {"weights": "/etc/passwd"}, {"mem_every": True},
    ],
)  # fmt: skip
def test_a_settings_file_that_makes_no_sense_changes_nothing(kept: dict[str, object]) -> None:
    assert remembered(AppConfig(), kept) == AppConfig()


def test_another_engine_lets_go_of_the_files_of_the_one_before() -> None:
    config = AppConfig(engine="stcn", weights=Path("stcn.pth"), fusion_model=Path("f.pth"))
    same = EngineSettings(**{**asdict(EngineSettings.of(config)), "mem_every": 2}).applied_to(config)
    assert same.weights == Path("stcn.pth") and same.mem_every == 2
    assert EngineSettings(engine="light").applied_to(config).weights is None
    assert remembered(config, {"engine": "light"}).engine == "stcn"


def test_a_project_goes_on_with_the_settings_it_was_made_with(
    driver: Driver, build: PickyBuilder, qtbot: QtBot, start: Start, synthetic_folder: Path
) -> None:
    dialog = dialog_of(driver)
    dialog.mem_every.setValue(3)
    dialog.size_choice.setCurrentIndex(dialog.size_choice.findData("-1"))
    confirm(qtbot, dialog)
    driver.wait_idle()
    assert driver.session.engine_settings == {}, "nothing was made with them yet"
    driver.window.controller.review.advice.build = lambda config: FakeJudge(None)  # loads no torch
    mask = np.zeros(driver.session.frames.size, np.uint8)
    mask[10:30, 10:40] = 1
    driver.session.import_masks({0: mask})
    driver.wait_idle()
    driver.trigger("propagate.forward")
    driver.wait(lambda: not driver.window.controller.propagation.is_running)
    expected = {"engine": "auto", "mem_every": 3, "top_k": None, "size": -1}
    assert driver.session.engine_settings == expected
    driver.window.settings.engine = {"mem_every": 8, "device": "cpu"}  # another day, for another video
    driver.window.settings.save()
    driver.close()
    again = start("--images", synthetic_folder, build=build)
    again.wait_open()
    again.wait_idle()
    now = build.configs[-1]
    assert (now.mem_every, now.size, now.device) == (3, -1, "cpu"), "the device is the machine's"
    text = again.window.hint_label.full_text
    assert "remember every 3 (yours: 8), size native (yours: what suits the network)" in text
    again.trigger("propagate.settings")
    dialog = again.window.controller.engine.dialog
    assert dialog is not None and dialog.settings.mem_every == 3
    dialog.mem_every.setValue(4)
    confirm(qtbot, dialog)
    again.wait_idle()
    assert again.session.engine_settings == {**expected, "mem_every": 4}, "a change is the project's, too"


def test_the_command_line_wins_over_the_project_and_missing_weights_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told = AppConfig(mem_every=9)
    config, note = for_project(told, {"top_k": 20}, {"engine": "auto", "mem_every": 3, "top_k": None, "size": 600})
    assert (config.mem_every, config.top_k, config.size) == (9, None, 600)
    assert "best places what suits the network (yours: 20)" in note and "remember every" not in note
    monkeypatch.setattr(engine_settings, "missing_weights", lambda engine: "Its weights are not here.")
    config, note = for_project(AppConfig(), {}, {"engine": "stcn", "mem_every": 5})
    assert config == AppConfig() and "Its weights are not here." in note
    assert for_project(AppConfig(), {}, {"engine": "toaster", "mem_every": 0}) == (AppConfig(), "")
