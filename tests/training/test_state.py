"""States on disk: exact ones, ones that travel, finished weights, and files that are refused."""
from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from model.light import LightNet, load_light
from tests.training.trainings import NETWORK, PRESET, make_trainer
from training import travel
from training.history import HISTORY, History
from training.state import STATE, Position, TrainingState, load_state, read_state, save_state
from training.travel import export_state, export_weights, import_state
from util.errors import AppError


def make_state(*, trained: bool = True, width: int = 8) -> TrainingState:
    """A small network after one step."""
    torch.manual_seed(0)
    network, average = (
        nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width)).to(memory_format=torch.channels_last)
        for _ in range(2)
    )
    optimiser = torch.optim.AdamW(network.parameters(), fused=False)
    if trained:
        network(torch.rand(2, 3, 8, 8)).square().sum().backward()
        optimiser.step()
    return TrainingState(network, average, optimiser, Position("light-propagation", 7, 28, 3600.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A training's folder with a state and a history."""
    result = tmp_path / "training"
    result.mkdir()
    save_state(make_state(), result / STATE)
    History(result).add(20, {"held out J&F": 71.234, "held out J": 70.0})
    History(result).add(28, {"key": 0.5})
    return result


def test_round_trip_is_exact_and_keeps_the_memory_format(folder: Path) -> None:
    one, other = make_state(), make_state(trained=False)
    load_state(other, folder / STATE)
    assert other.position == one.position
    tensors = one.tensors()
    assert {"network.0.weight", "average.1.running_var", "optimiser.0.exp_avg", "optimiser.3.step"} <= tensors.keys()
    for name, value in other.tensors().items():
        assert torch.equal(value, tensors[name]), name
    moment = other.optimiser.state[other.network[0].weight]["exp_avg"]
    assert moment.stride() == other.network[0].weight.stride()


def test_a_state_without_network_and_time_is_read(tmp_path: Path) -> None:
    """States of the first version of this program noted step and seen only."""
    save_file(make_state().tensors(), tmp_path / STATE, metadata={"step": "3", "seen": "12"})
    state = make_state(trained=False)
    load_state(state, tmp_path / STATE)
    assert state.position == Position("light-propagation", 3, 12, 0.0)


def test_the_state_of_another_network(folder: Path) -> None:
    state = make_state()
    state.position = Position("light-fusion")
    with pytest.raises(AppError, match="of light-propagation, not of light-fusion"):
        load_state(state, folder / STATE)
    with pytest.raises(AppError, match="of light-propagation, not of light-fusion"):
        export_weights(folder, "light-fusion", folder / "w.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        {"optimiser.0.exp_avg": torch.zeros(5)},
        {"optimiser.99.exp_avg": torch.zeros(5)},
        {"optimiser.x": torch.zeros(5)},
        {"network.0.weight": torch.zeros(1, 3, 3, 3)},
        {"other.0": torch.zeros(1)},
        {"average.0.weight": None},
    ],
)
def test_tensors_that_do_not_fit(tmp_path: Path, change: Mapping[str, Tensor | None]) -> None:
    tensors = {k: v for k, v in (make_state().tensors() | change).items() if v is not None}
    save_file(tensors, tmp_path / STATE, metadata={"step": "3", "seen": "12"})
    with pytest.raises(AppError, match=f"{STATE} is not a state of this training"):
        load_state(make_state(), tmp_path / STATE)


@pytest.mark.parametrize("about", [{}, {"step": "x", "seen": "1"}, {"step": "-1", "seen": "1"}])
def test_a_file_without_a_position(tmp_path: Path, about: dict[str, str]) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / STATE, metadata=about)
    with pytest.raises(AppError, match="is no state of a training"):
        read_state(tmp_path / STATE, NETWORK)


def test_damaged_and_absent_files(folder: Path) -> None:
    (folder / STATE).write_bytes((folder / STATE).read_bytes()[:-9])
    with pytest.raises(AppError, match="is no state of a training, or is damaged"):
        read_state(folder / STATE, NETWORK)
    with pytest.raises(AppError, match=r"absent\.safetensors is not there"):
        read_state(folder / "absent.safetensors", NETWORK)


def test_travelling_there_and_back(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exact, position = read_state(folder / STATE, NETWORK)
    monkeypatch.setattr(travel, "PART_LIMIT", 1200)
    files = export_state(folder, NETWORK, tmp_path / "bag")
    parts = [file for file in files if file.suffix == ".safetensors"]
    assert len(parts) > 1 and sorted((tmp_path / "bag").iterdir()) == sorted(files)
    stored = {k: v for part in parts for k, v in load_file(part).items()}
    assert stored["network.0.weight"].dtype == torch.float32
    assert stored["average.0.weight"].dtype == torch.float16
    assert stored["optimiser.0.exp_avg_sq"].dtype == torch.bfloat16
    assert stored["average.1.running_var"].dtype == torch.float32
    import_state(tmp_path / "bag", NETWORK, tmp_path / "there")
    back, other = read_state(tmp_path / "there" / STATE, NETWORK)
    assert other == position and back.keys() == exact.keys()
    for name, value in back.items():
        assert value.dtype == exact[name].dtype
        close = {"network": 0.0, "average": 1e-3, "optimiser": 1e-2}[name.split(".")[0]]
        torch.testing.assert_close(value, exact[name], rtol=close, atol=1e-7)
    assert (tmp_path / "there" / HISTORY).read_bytes() == (folder / HISTORY).read_bytes()
    state = make_state(trained=False)
    load_state(state, tmp_path / "there" / STATE)
    state.network(torch.rand(2, 3, 8, 8)).sum().backward()
    state.optimiser.step()


def test_the_full_network_travels_in_little_luggage(tmp_path: Path) -> None:
    """Sizes that the issue allows: 60 MB in files of 16 MiB for the embedded network."""
    network, average = LightNet(), LightNet()
    optimiser = torch.optim.AdamW(network.parameters())
    for parameter in network.parameters():
        moments = {"exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}
        optimiser.state[parameter] = {"step": torch.tensor(1.0), **moments}
    save_state(TrainingState(network, average, optimiser, Position("light-propagation")), tmp_path / STATE)
    sizes = [file.stat().st_size for file in export_state(tmp_path, NETWORK, tmp_path / "bag")]
    assert max(sizes) <= 16 << 20 and sum(sizes) < 60e6


def test_incomplete_or_mixed_luggage(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(travel, "PART_LIMIT", 1200)
    first, second, *_ = export_state(folder, NETWORK, tmp_path / "bag")
    with pytest.raises(AppError, match="holds an exported state already"):
        export_state(folder, NETWORK, tmp_path / "bag")
    other = make_state()
    other.position = replace(other.position, step=8)
    save_state(other, folder / STATE)
    export_state(folder, NETWORK, tmp_path / "later")
    shutil.copy(tmp_path / "later" / second.name, second)
    with pytest.raises(AppError, match="parts of different states"):
        import_state(tmp_path / "bag", NETWORK, tmp_path / "there")
    first.unlink()
    with pytest.raises(AppError, match="some of its files are missing"):
        import_state(tmp_path / "bag", NETWORK, tmp_path / "there")
    with pytest.raises(AppError, match="is not here"):
        import_state(tmp_path / "nowhere", NETWORK, tmp_path / "there")
    assert not (tmp_path / "there").exists()
    with pytest.raises(AppError, match="holds a training already"):
        import_state(tmp_path / "later", NETWORK, folder)


def test_weights_say_where_they_come_from(folder: Path, tmp_path: Path) -> None:
    about = export_weights(folder, NETWORK, tmp_path / "w.safetensors")
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        assert file.metadata() == about
        assert file.get_tensor("0.weight").dtype == torch.float16
    exported = about.pop("exported")
    assert exported.endswith("+00:00")
    assert about == {
        "network": "light-propagation", "samples": "28", "steps": "7", "hours": "1.00",
        "held out J&F": "71.23", "held out J": "70.00", "scored at samples": "20",
    }  # fmt: skip


def test_weights_are_the_average_and_load(packs: Path, tmp_path: Path) -> None:
    trainer = make_trainer(packs, tmp_path)
    trainer.run(until=4)
    export_weights(tmp_path, NETWORK, tmp_path / "w.safetensors")
    loaded, average = load_light(tmp_path / "w.safetensors"), trainer.state.average.state_dict()
    assert len(loaded.key_encoder.bn1.weight) == 64 * PRESET.width
    torch.testing.assert_close(loaded.state_dict()["pred.weight"], average["pred.weight"], rtol=1e-3, atol=1e-6)
    assert not torch.equal(average["pred.weight"], trainer.state.network.state_dict()["pred.weight"])


def test_weights_that_do_not_fit_half_precision(folder: Path, tmp_path: Path) -> None:
    state = make_state()
    state.average[1].running_var.fill_(1e6)
    save_state(state, folder / STATE)
    with pytest.raises(AppError, match=r"1\.running_var has values that half precision cannot hold"):
        export_weights(folder, NETWORK, tmp_path / "w.safetensors")
    assert not (tmp_path / "w.safetensors").exists()
