"""Propagation settings: remembered, applied to the open video at once, and taken back when they cannot be had."""
from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from gui.engine_dialog import EngineDialog
from gui.engine_settings import EngineSettings, remembered
from inference_core.api import ExistingMask, FrameReader
from tests.gui.conftest import Start
from tests.gui.driver import Driver, FakeBuilder, FakeCore
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
