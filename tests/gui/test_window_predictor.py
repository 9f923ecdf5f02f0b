"""What answers clicks in the window: loaded by the first click, on the worker, and named when it cannot be."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from gui.engine import make_predictor
from interact.grabcut import GrabCutPredictor
from interact.network_predictor import LazyPredictor
from model import zoo
from model.interaction_net import InteractionNet
from tests.gui.conftest import Start
from util.config import AppConfig


def test_the_flag_chooses() -> None:
    assert isinstance(make_predictor(AppConfig()), GrabCutPredictor)
    light = make_predictor(AppConfig(interaction="light"))
    assert isinstance(light, LazyPredictor) and light.name == "light"


def test_a_click_by_the_network_and_one_without_its_weights(
    start: Start, synthetic_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "weights.safetensors"
    monkeypatch.setattr(zoo, "resolve", lambda name, explicit=None, find=zoo.resolve: find(name, weights))
    driver = start("--images", synthetic_folder, "--interaction", "light", "--device", "cpu")
    driver.wait_open()
    driver.wait_idle()
    driver.click(26.5, 30.5)
    driver.wait_idle()
    assert "weights.safetensors" in driver.window.hint_label.full_text and not driver.mask().any()
    save_file(InteractionNet().state_dict(), weights)
    driver.click(26.5, 30.5)
    driver.wait(lambda: np.any(driver.mask()))
    assert driver.mask()[30, 26] == 1
