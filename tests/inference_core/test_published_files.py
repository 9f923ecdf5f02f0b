"""Files with the tensors of the published networks load into networks that the engines run."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from inference_core.engine_setup import EngineSetup
from inference_core.propagator import Memory, Propagator
from inference_core.propagators import afb_urr, stcn, stm
from inference_core.scribble_predictor import build_scribble_segmenter
from model.afb_urr import AfbUrr
from model.fusion_file import load_fusion
from model.fusion_net import FusionNet
from model.scribble_net import ScribbleNet
from model.stcn import STCN
from model.stm import STM
from tests.inference_core.engines import FLOAT32
from util.errors import AppError
from util.types import Size

SIZE = Size(21, 35)


def write(path: Path, build: Callable[[], nn.Module]) -> Path:
    """A small file: every tensor is one number, expanded. Positive, so that variances are no problem."""
    with torch.device("meta"):
        network = build()
    state = network.state_dict()
    torch.save({key: torch.full((), 0.01).to(t.dtype).expand(t.shape) for key, t in state.items()}, path)
    return path


@pytest.mark.parametrize(
    ("build", "network"),
    [(stm.build, STM), (stcn.build, STCN), (stcn.build, lambda: STCN(attention=False)), (afb_urr.build, AfbUrr)],
    ids=["stm", "stcn", "stcn_no_cbam", "afb_urr"],
)
@torch.inference_mode()
def test_engines_run_what_they_load(
    tmp_path: Path, build: Callable[[EngineSetup], Propagator], network: Callable[[], nn.Module]
) -> None:
    engine = build(EngineSetup(SIZE, write(tmp_path / "file.pth", network), FLOAT32))
    engine.set_objects([1, 2])
    features = engine.encode(np.zeros((*SIZE, 3), np.uint8))
    prob = torch.full((3, *engine.working_size()), 1 / 3)
    engine.memorize(0, features, prob, [0, 1], Memory.PINNED)
    engine.begin_pass(0, prob)
    prob = engine.segment(1, features, [0, 1])
    assert prob.shape == (3, 32, 48) and bool(prob.isfinite().all())


@pytest.mark.parametrize("name", ["fusion.pth", "fusion_stcn.pth"])
def test_both_fusion_files_load(tmp_path: Path, name: str) -> None:
    network = load_fusion(write(tmp_path / name, FusionNet))
    assert float(network.final_conv.weight[0, 0, 0, 0]) == pytest.approx(0.01)


def test_files_of_other_networks_are_called_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "s2m.pth", ScribbleNet)
    with pytest.raises(AppError, match="S2M"):
        stm.build(EngineSetup(SIZE, path, FLOAT32))
    with pytest.raises(AppError, match=r"fusion\.pth"):
        build_scribble_segmenter("cpu", mixed_precision=False, weights=write(tmp_path / "fusion.pth", FusionNet))


def test_scribbles_are_answered_from_a_file(tmp_path: Path) -> None:
    segmenter = build_scribble_segmenter(
        "cpu", mixed_precision=False, weights=write(tmp_path / "s2m.pth", ScribbleNet)
    )
    nothing = np.zeros(SIZE, np.bool_)
    found = segmenter.segment(np.zeros((*SIZE, 3), np.uint8), nothing, nothing, nothing)
    assert found.shape == SIZE and found.dtype == np.float32 and np.isfinite(found).all()
