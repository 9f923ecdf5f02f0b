"""What answers clicks and scribbles in the window: the list in the tool panel, flags, memory, and missing weights."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PyQt5.QtCore import Qt
from pytestqt.qtbot import QtBot
from safetensors.torch import save_file

from gui.choice_box import ChoiceBox
from gui.method_control import make_methods
from gui.settings import Settings
from inference_core import registry
from interact.method_choice import AUTO
from interact.methods import find_method
from interact.network_predictor import NetworkPredictor
from model import zoo
from model.interaction_net import InteractionNet
from model.zoo import WeightFile
from tests.gui.conftest import Start
from util.config import AppConfig


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All weight files lie in an empty folder."""
    rows = [WeightFile(r.name, r.title, tmp_path / r.path.name, r.used_for, r.network) for r in zoo.WEIGHT_FILES]
    monkeypatch.setattr(zoo, "WEIGHT_FILES", tuple(rows))
    assert registry.weight_files() == tuple(rows)
    return tmp_path


def entries(box: ChoiceBox) -> dict[str, bool]:
    """Names of the entries, and whether they can be chosen."""
    model = box.model()
    return {box.itemData(i): bool(model.flags(model.index(i, 0)) & Qt.ItemIsEnabled) for i in range(box.count())}


@pytest.mark.usefixtures("shelf")
def test_flags_choose_for_their_kinds_and_files_for_theirs(tmp_path: Path) -> None:
    def wanted(**flags: object) -> tuple[str, str]:
        choice = make_methods(AppConfig(**flags), Settings())
        return choice.wanted("click"), choice.wanted("scribble")

    assert wanted() == (AUTO, AUTO)
    assert wanted(interaction="light") == ("light", "light")
    assert wanted(interaction="ritm") == ("ritm", AUTO)
    assert wanted(fbrs_model=tmp_path / "a.pth", s2m_model=tmp_path / "b.pth") == ("fbrs", "s2m")
    choice = make_methods(AppConfig(fbrs_model=tmp_path / "a.pth"), Settings())
    assert not choice.offers("click")[1].is_ready
    (tmp_path / "a.pth").touch()
    assert choice.offers("click")[1].is_ready


def test_the_list_shows_what_is_here_and_remembers_the_choice(
    start: Start, shelf: Path, synthetic_folder: Path, qtbot: QtBot
) -> None:
    driver = start("--images", synthetic_folder, "--interaction", "auto", "--device", "cpu")
    driver.wait_open()
    box = driver.window.tool_panel.model
    assert box.isVisible() and box.currentText() == "Best: GrabCut"
    assert entries(box) == {AUTO: True, "ritm": False, "fbrs": False, "light": False, "grabcut": True}
    assert "Networks and weights" in box.itemData(1, Qt.ToolTipRole)
    (shelf / "ritm.pth").touch()
    driver.trigger("tool.model")
    assert box.view().isVisible() and box.currentText() == "Best: RITM" and entries(box)["ritm"]
    for key in (Qt.Key_End, Qt.Key_Return):
        qtbot.keyClick(box.view(), key)
    assert driver.window.controller.methods.choice.answering("click").name == "grabcut"
    assert "GrabCut" in driver.window.hint_label.full_text
    driver.trigger("tool.scribble")
    assert set(entries(box)) == {AUTO, "s2m", "light", "grabcut"} and box.currentData() == AUTO
    driver.trigger("tool.brush")
    assert not box.isVisible()
    driver.trigger("tool.model")
    assert "Click and Scribble" in driver.window.hint_label.full_text
    assert make_methods(AppConfig(), Settings()).wanted("click") == "grabcut"


def test_what_answers_is_built_before_the_first_prompt(
    start: Start, shelf: Path, synthetic_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmed: list[NetworkPredictor] = []
    monkeypatch.setattr(NetworkPredictor, "warm_up", lambda predictor: warmed.append(predictor))
    torch.manual_seed(0)
    save_file(InteractionNet().state_dict(), shelf / "light_interaction.safetensors")
    driver = start("--images", synthetic_folder, "--interaction", "auto", "--device", "cpu")
    choice = driver.window.controller.methods.choice
    assert not choice.is_prepared(find_method("light")) and not warmed
    driver.wait(lambda: choice.is_prepared(find_method("light")))
    assert len(warmed) == 1
    (shelf / "s2m.pth").touch()  # not weights at all: the first stroke tells, choosing the tool does not
    driver.trigger("tool.scribble")
    driver.wait_idle()
    assert not choice.is_prepared(find_method("s2m"))
    assert choice.answering("scribble").name == "s2m"


def test_a_click_by_the_network_and_one_without_its_weights(
    start: Start, shelf: Path, synthetic_folder: Path
) -> None:
    driver = start("--images", synthetic_folder, "--interaction", "light", "--device", "cpu")
    driver.wait_open()
    driver.wait_idle()
    driver.click(26.5, 30.5)
    driver.wait_idle()
    assert "light_interaction.safetensors" in driver.window.hint_label.full_text and not driver.mask().any()
    save_file(InteractionNet().state_dict(), shelf / "light_interaction.safetensors")
    driver.click(26.5, 30.5)
    driver.wait(lambda: np.any(driver.mask()))
    assert driver.mask()[30, 26] == 1
