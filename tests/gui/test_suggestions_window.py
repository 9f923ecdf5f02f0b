"""Suggested objects in the window: outlines, accepting, renaming, dropping; and why the action may be grey."""
from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot

from inference_core.api import Proposal
from model import zoo
from tests.gui.conftest import Start
from tests.gui.driver import Driver
from tests.rvos_folders import shrink_base, write_rvos_folder
from util.config import AppConfig
from util.errors import AppError
from util.palette import object_color
from util.types import ImageU8, Size


class FakeProposer:
    """Two boxes, the one on the right surer."""

    engine, device, settings = "fake", "cpu", {}

    def __init__(self, size: Size) -> None:
        self.size = size
        self.starts = 0
        self.threads: set[str] = set()
        self.is_closed = False

    def start(self) -> None:
        self.starts += 1

    def propose(self, image: ImageU8) -> tuple[Proposal, ...]:
        self.threads.add(threading.current_thread().name)
        left, right = (np.full(self.size, 0.1, np.float32) for _ in range(2))
        left[10:30, 10:30], right[10:30, 50:80] = 0.7, 0.9
        return Proposal(1, left, 0.7), Proposal(2, right, 0.9)

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file that stands for the weights; made by the test that wants them."""
    file = tmp_path / "weights"
    entry = zoo.WeightFile("rvos_zero_shot", "RVOS without masks", file, "finding objects without a mask")
    rows = tuple(entry if row.name == entry.name else row for row in zoo.WEIGHT_FILES)
    monkeypatch.setattr(zoo, "WEIGHT_FILES", rows)
    return file


@pytest.fixture
def made() -> list[FakeProposer]:
    return []


@pytest.fixture
def driver(start: Start, weights: Path, synthetic_folder: Path, made: list[FakeProposer]) -> Driver:
    """The synthetic video with the weights in their place."""
    weights.touch()
    driver = start("--images", synthetic_folder)
    driver.wait_open()
    driver.wait_idle()

    def build(config: AppConfig, size: Size) -> FakeProposer:
        made.append(FakeProposer(size))
        return made[-1]

    driver.window.controller.suggest.build = build
    return driver


def suggest(driver: Driver) -> None:
    driver.trigger("object.suggest")
    driver.wait_idle()


def names(driver: Driver) -> list[str]:
    view = driver.window.suggest_panel.view
    return [view.item(i).text() for i in range(view.count())]


def test_without_weights_the_action_is_grey_and_says_why(start: Start, weights: Path, synthetic_folder: Path) -> None:
    driver = start("--images", synthetic_folder)
    driver.wait_open()
    action = driver.window.actions_by_id["object.suggest"]
    assert not action.isEnabled() and action.text() == "Suggest objects (weights missing)"
    assert "RVOS without masks are not here" in action.toolTip() and "Networks and weights" in action.toolTip()
    weights.touch()
    driver.window.controller.update_actions()
    assert action.isEnabled() and action.text() == "Suggest objects" and "one by one" in action.toolTip()


def test_suggestions_are_outlines_on_their_frame(driver: Driver, made: list[FakeProposer]) -> None:
    window = driver.window
    assert not window.suggest_panel.isVisible()
    suggest(driver)
    assert window.suggest_panel.isVisible() and names(driver) == ["suggestion 2", "suggestion 1"]
    assert "2 suggestions on frame 0" in window.hint_label.full_text
    assert [marker.kind for marker in window.canvas.markers] == ["frame", "outline"]
    assert window.canvas.markers[0].tint != window.canvas.markers[1].tint
    assert max(x for x, _ in window.canvas.markers[1].points) == 79.5
    window.controller.edit.seek(3)
    driver.wait(lambda: not window.canvas.markers)
    window.suggest_panel.view.setCurrentRow(1)
    driver.wait(lambda: driver.session.frame == 0 and len(window.canvas.markers) == 2)
    assert max(x for x, _ in window.canvas.markers[1].points) == 29.5
    assert made[0].threads == {"inference"} and not driver.session.history.undo_label


def test_accept_is_one_step_that_undo_takes_back(driver: Driver, qtbot: QtBot) -> None:
    suggest(driver)
    session, panel = driver.session, driver.window.suggest_panel
    panel.view.item(0).setText("box")
    qtbot.keyClick(panel.view, Qt.Key_Return)
    assert [item.name for item in session.objects.items] == ["box"] and names(driver) == ["suggestion 1"]
    assert session.masks.object_ids(0) == {1} and session.key_frames.on(0) == {1}
    assert (session.masks.get(0) == 1).sum() == 20 * 30
    # The one that is left has another colour than the new object.
    (outline,) = driver.window.canvas.markers
    assert outline.tint == object_color(2)
    driver.trigger("edit.undo")
    assert not len(session.objects) and session.masks.is_empty(0) and not session.key_frames.on(0)


def test_accept_all_and_drop(driver: Driver, qtbot: QtBot) -> None:
    session, panel = driver.session, driver.window.suggest_panel
    suggest(driver)
    qtbot.keyClick(panel.view, Qt.Key_Delete)
    assert names(driver) == ["suggestion 1"] and not len(session.objects)
    qtbot.mouseClick(panel.drop_all_button, Qt.LeftButton)
    assert not panel.isVisible() and not driver.window.canvas.markers
    suggest(driver)
    qtbot.mouseClick(panel.accept_all_button, Qt.LeftButton)
    assert [item.name for item in session.objects.items] == ["object 1", "object 2"] and not panel.isVisible()
    suggest(driver)
    assert not panel.isVisible() and "no further object" in driver.window.hint_label.full_text


def test_a_failure_is_a_dialog_and_closing_frees_the_network(
    driver: Driver, made: list[FakeProposer], synthetic_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggest(driver)
    driver.window.controller.open(synthetic_folder)
    driver.wait(lambda: made[0].is_closed)
    driver.wait_open()
    driver.wait_idle()
    assert not driver.window.suggest_panel.isVisible() and not driver.window.canvas.markers

    def fail(config: AppConfig, size: Size) -> FakeProposer:
        raise AppError("args.pkl was not read")

    driver.window.controller.suggest.build = fail
    suggest(driver)
    assert [error.message for error in driver.dialogs.errors] == ["args.pkl was not read"]


def test_the_real_network_from_its_folder(
    start: Start, tmp_path: Path, synthetic_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink_base(monkeypatch)
    write_rvos_folder(tmp_path / "rvos", takes_mask=False, gain=400)
    row = zoo.find("rvos_zero_shot")
    here = zoo.WeightFile(row.name, row.title, tmp_path / "rvos", row.used_for, row.network, parts=row.parts)
    rows = tuple(here if row.name == here.name else row for row in zoo.WEIGHT_FILES)
    monkeypatch.setattr(zoo, "WEIGHT_FILES", rows)
    driver = start("--images", synthetic_folder, "--device", "cpu", "--no_amp", "--engine", "light")
    driver.wait_open()
    suggest(driver)
    assert driver.dialogs.errors == [] and names(driver) and driver.window.canvas.markers
    (tmp_path / "rvos" / "args.pkl").unlink()
    driver.window.controller.update_actions()
    assert not driver.is_enabled("object.suggest")
