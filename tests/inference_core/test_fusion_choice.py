"""Which fuser a core is built with."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from inference_core.factory import build_core
from inference_core.registry import FusionChoice
from model import zoo
from model.fusion_net import FusionNet
from model.light_fusion import LightFusionNet
from tests.inference_core.fakes import ArrayFrames
from util.config import AppConfig
from util.errors import AppError

FRAMES = ArrayFrames(np.zeros((2, 32, 48, 3), np.uint8))


@pytest.fixture(params=[FusionNet, LightFusionNet])
def fusion_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The light engine takes the published network too, and other engines the light one."""
    save_file(request.param().state_dict(), tmp_path / "fusion.safetensors")
    return tmp_path / "fusion.safetensors"


def built(choice: FusionChoice, model: Path | None = None, engine: str = "light") -> str:
    """What the core says it fuses with."""
    config = AppConfig(engine=engine, device="cpu", fusion_model=model)
    core = build_core(config, FRAMES, lambda frame: np.zeros((32, 48), np.uint8), fusion=choice)
    return str(core.settings["fusion"])


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)


@pytest.mark.parametrize(("is_there", "expected"), [(True, "network"), (False, "linear")])
def test_network_of_the_engine_where_its_file_is(
    is_there: bool, expected: str, fusion_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row for row in zoo.WEIGHT_FILES if row.name != "light_fusion"]
    path = fusion_file if is_there else fusion_file.with_name("absent.safetensors")
    row = zoo.WeightFile("light_fusion", "light fusion network", path, "fusion", "light_fusion")
    monkeypatch.setattr(zoo, "WEIGHT_FILES", (*rows, row))
    assert built("auto") == expected
    assert built("linear") == "linear"
    assert built("none") == "none"
    if not is_there:
        with pytest.raises(AppError, match=r"absent\.safetensors"):
            built("network")


def test_named_network_wins(fusion_file: Path) -> None:
    assert built("auto", fusion_file) == built("network", fusion_file) == "network"
    assert built("auto", fusion_file, engine="static") == "network"


def test_engine_without_fusion_network() -> None:
    assert built("auto", engine="static") == "linear"
    with pytest.raises(AppError, match="static has no fusion network"):
        built("network", engine="static")
