"""Weight files of every kind a person can hand us: good, wrapped, damaged, hostile, another network's."""
from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from model.checkpoint import load_into, load_state
from model.checksums import sha256
from model.fusion_file import load_fusion
from model.fusion_net import FusionNet
from model.light import LightNet
from model.stcn import STCN, load_stcn
from util.errors import AppError

STATE = {"weight": torch.arange(6.0).view(2, 3), "bias": torch.ones(2)}


class Attack:
    """Unpickled carelessly, this creates a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.target),)


def small_stcn(**options: bool) -> dict[str, Tensor]:
    """The tensors of STCN with no memory behind them: expanded zeros, so that a file of them is small."""
    with torch.device("meta"):
        network = STCN(**options)
    return {key: torch.zeros((), dtype=t.dtype).expand(t.shape) for key, t in network.state_dict().items()}


def write(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "config": {"depth": 3}},
        lambda state: {"model": state, "epoch": 3},
        lambda state: {"it": 100, "network": state},
        lambda state: {"module." + key: value for key, value in state.items()},
        lambda state: {"model": {"state_dict": {"module." + key: value for key, value in state.items()}}},
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_wrappers_come_off(tmp_path: Path, wrap: Callable[[dict[str, Tensor]], object], zipped: bool) -> None:
    path = tmp_path / "a.pth"
    torch.save(wrap(STATE), path, _use_new_zipfile_serialization=zipped)
    loaded = load_state(path)
    assert loaded.keys() == STATE.keys()
    assert all(torch.equal(loaded[key], STATE[key]) for key in STATE)


def test_safetensors_are_told_by_content(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(save(STATE))
    assert torch.equal(load_state(path)["weight"], STATE["weight"])


def test_sha256(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)) * 8192)
    assert sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x02abc", b"PK\x03\x04 and nothing", b"\x10\0\0\0\0\0\0\0{broken", bytes(range(256)) * 4],
)
def test_no_weight_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.pth"
    path.write_bytes(content)
    with pytest.raises(AppError, match=r"bad\.pth is no weight file or is incomplete"):
        load_state(path)


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_truncated(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "cut.pth"
    if kind == "safetensors":
        path.write_bytes(save(STATE))
    else:
        torch.save(STATE, path, _use_new_zipfile_serialization=kind == "zip")
    whole = path.read_bytes()
    for size in (len(whole) // 3, len(whole) * 2 // 3, len(whole) - 4):
        path.write_bytes(whole[:size])
        with pytest.raises(AppError, match=r"cut\.pth is no weight file or is incomplete"):
            load_state(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_hostile_file_is_not_executed(tmp_path: Path, zipped: bool) -> None:
    target = tmp_path / "attacked"
    path = tmp_path / "hostile.pth"
    content = {**STATE, "attack": Attack(target)}
    if zipped:
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    with pytest.raises(AppError, match=r"hostile\.pth"):
        load_state(path)
    assert not target.exists()


def test_more_than_tensors_says_why(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="holds more than tensors"):
        load_state(write(tmp_path / "module.pth", nn.Linear(2, 2)))


@pytest.mark.parametrize("content", [[torch.ones(2)], {}, {"epoch": 3}, {"a": {"b": torch.ones(2)}}, torch.ones(2)])
def test_tensors_but_no_state(tmp_path: Path, content: object) -> None:
    with pytest.raises(AppError, match=r"odd\.pth holds no weights"):
        load_state(write(tmp_path / "odd.pth", content))


def test_web_page(tmp_path: Path) -> None:
    path = tmp_path / "stcn.pth"
    path.write_text("\n<!DOCTYPE html><html>Quota exceeded</html>")
    with pytest.raises(AppError, match=r"stcn\.pth is a web page"):
        load_state(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"gone\.pth cannot be read: No such file"):
        load_state(tmp_path / "gone.pth")
    with pytest.raises(AppError, match="cannot be read: Is a directory"):
        load_state(tmp_path)


def test_half_precision_is_widened(tmp_path: Path) -> None:
    linear = nn.Linear(3, 2)
    load_into(linear, {key: value.half() for key, value in STATE.items()}, tmp_path / "a.pth")
    assert linear.weight.dtype == torch.float32
    assert torch.equal(linear.weight, STATE["weight"])


def test_mismatch_names_tensors(tmp_path: Path) -> None:
    state = {"weight": torch.ones(2, 4), "extra": torch.ones(1)}
    with pytest.raises(AppError) as caught:
        load_into(nn.Linear(3, 2), state, tmp_path / "a.pth")
    for part in ("a.pth", "Linear", "missing bias", "unexpected extra", "weight 2x4 instead of 2x3"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("build", "title"),
    [
        (FusionNet, "the fusion network"),
        (LightNet, "the light network"),
    ],
)
def test_another_network_is_recognised(tmp_path: Path, build: Callable[[], nn.Module], title: str) -> None:
    path = write(tmp_path / "stcn.pth", build().state_dict())
    with pytest.raises(AppError, match=f"stcn.pth does not hold the weights of STCN: .*It looks like {title}"):
        load_stcn(path)


def test_stcn_in_place_of_fusion(tmp_path: Path) -> None:
    path = write(tmp_path / "fusion_stcn.pth", small_stcn())
    with pytest.raises(AppError, match="does not hold the weights of the fusion network: .*It looks like STCN"):
        load_fusion(path)


def test_first_stage_stcn_is_recognised(tmp_path: Path) -> None:
    state = small_stcn()
    state["value_encoder.conv1.weight"] = torch.zeros(64, 4, 7, 7)
    with pytest.raises(AppError, match="conv1.weight 64x4x7x7 instead of 64x5x7x7.*first training stage"):
        load_stcn(write(tmp_path / "s0.pth", state))


@pytest.mark.parametrize("attention", [True, False])
def test_published_variants_load(tmp_path: Path, attention: bool) -> None:
    network = load_stcn(write(tmp_path / "stcn.pth", small_stcn(attention=attention)))
    assert (network.value_encoder.fuser.attention is not None) == attention
    assert not network.training


def test_zoo_needs_no_torch(repository: Path) -> None:
    code = "import sys, model.zoo; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=repository, check=True)
