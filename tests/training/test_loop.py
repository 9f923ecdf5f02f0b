"""The training loop on tiny clips: exact resume, stopping, breaking down, and what lands in the folder."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from model.light import load_light
from tests.training.trainings import CPU, NETWORK, PRESET, make_trainer
from training import loop
from training.history import History
from training.loop import Trainer
from training.meter import Meter
from training.preset import OptimiserName
from training.state import STATE, read_state
from training.travel import export_weights
from util.errors import AppError


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert not different


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
@pytest.mark.usefixtures("one_thread")
def test_an_interrupted_training_ends_with_the_same_bits(
    packs: Path, tmp_path: Path, optimiser: OptimiserName
) -> None:
    preset = replace(PRESET, optimiser=optimiser)
    whole = make_trainer(packs, tmp_path / "whole", preset=preset)
    whole.run()
    first = make_trainer(packs, tmp_path / "parts", preset=preset)
    first.run(until=4)
    assert first.state.seen == 4
    torch.rand(5)
    second = make_trainer(packs, tmp_path / "parts", preset=preset)
    assert second.resume()
    assert second.state.step == 2
    second.run()
    tensors, position = read_state(tmp_path / "whole" / STATE, NETWORK)
    again, other = read_state(tmp_path / "parts" / STATE, NETWORK)
    assert replace(position, seconds=0) == replace(other, seconds=0)
    assert position.seen == PRESET.samples and position.step == 6 and position.network == "light-propagation"
    assert_equal(tensors, again)
    assert {name.split(".")[0] for name in tensors} == {"network", "average", "optimiser"}
    scores = [History(tmp_path / part).read()[-1] for part in ("whole", "parts")]
    assert scores[0] == scores[1] and "held out weight" in scores[0]


@pytest.mark.parametrize(("one", "other"), [("adamw", "muon"), ("muon", "adamw")])
def test_a_state_of_the_other_optimiser_is_refused(
    packs: Path, tmp_path: Path, one: OptimiserName, other: OptimiserName
) -> None:
    make_trainer(packs, tmp_path, preset=replace(PRESET, optimiser=one)).run(until=2)
    with pytest.raises(AppError, match="is not a state of this training"):
        make_trainer(packs, tmp_path, preset=replace(PRESET, optimiser=other)).resume()


def test_training_changes_weights_and_average_follows(packs: Path, tmp_path: Path) -> None:
    trainer = make_trainer(packs, tmp_path)
    start = {k: v.clone() for k, v in trainer.state.network.state_dict().items()}
    trainer.run(until=8)
    own, average = trainer.state.network.state_dict(), trainer.state.average.state_dict()
    assert not torch.equal(own["key_proj.weight"], start["key_proj.weight"])
    apart = [(x["key_proj.weight"] - start["key_proj.weight"]).norm() for x in (average, own)]
    assert 0 < apart[0] < apart[1]
    assert torch.equal(own["key_encoder.bn1.running_mean"], average["key_encoder.bn1.running_mean"])


def test_told_to_stop_it_saves(packs: Path, tmp_path: Path) -> None:
    asked = count()
    lines: list[str] = []
    make_trainer(packs, tmp_path, stop=lambda: next(asked) == 2, report=lines.append).run()
    assert read_state(tmp_path / STATE, NETWORK)[1].seen == 4
    assert "4 seen of 12; the same command goes on" in lines[-1]


def test_nothing_to_do(packs: Path, tmp_path: Path) -> None:
    make_trainer(packs, tmp_path).run(until=2)
    lines: list[str] = []
    again = make_trainer(packs, tmp_path, report=lines.append)
    again.resume()
    before = (tmp_path / STATE).stat().st_mtime_ns
    again.run(until=2)
    assert "nothing to do" in lines[-1]
    assert (tmp_path / STATE).stat().st_mtime_ns == before


def test_fewer_samples_than_were_seen(packs: Path, tmp_path: Path) -> None:
    make_trainer(packs, tmp_path).run(until=6)
    with pytest.raises(AppError, match="has seen 6 samples, more than the 4"):
        make_trainer(packs, tmp_path, preset=replace(PRESET, samples=4)).resume()


@pytest.fixture
def logs_often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(loop, "_LOG_EVERY", 2)
    monkeypatch.setattr(loop, "_SAVE_EVERY", 2)
    yield


def poison(trainer: Trainer) -> None:
    with torch.no_grad():
        trainer.state.network.pred.weight.fill_(float("nan"))


@pytest.mark.usefixtures("logs_often")
def test_losses_that_are_no_numbers_keep_the_last_good_state(packs: Path, tmp_path: Path) -> None:
    make_trainer(packs, tmp_path).run(until=4)
    good = (tmp_path / STATE).read_bytes()
    trainer = make_trainer(packs, tmp_path)
    trainer.resume()
    poison(trainer)
    with pytest.raises(AppError, match="no longer a number: key, cross_entropy"):
        trainer.run()
    assert (tmp_path / STATE).read_bytes() == good


def test_a_broken_state_is_not_saved_when_told_to_stop(packs: Path, tmp_path: Path) -> None:
    """Between two log lines nothing has looked at the losses yet."""
    trainer = make_trainer(packs, tmp_path)
    poison(trainer)
    with pytest.raises(AppError, match="no longer a number"):
        trainer.run(until=2)
    assert not (tmp_path / STATE).exists()


@pytest.mark.usefixtures("logs_often")
def test_what_is_written(packs: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    make_trainer(packs, tmp_path, report=lines.append).run()
    history = History(tmp_path).read()
    assert [line["seen"] for line in history] == [4, 8, 12, 12]
    names = {"seen", "key", "cross_entropy", "dice", "gradient norm", "rate", "samples/s", "data share", "hours"}
    assert history[0].keys() == names
    assert 0 < history[0]["data share"] < 1 and history[0]["samples/s"] > 0
    assert history[0]["hours"] < history[2]["hours"]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((tmp_path / "events").glob("events.out.tfevents.*"))
    assert any("held out: weight" in line for line in lines)


@pytest.mark.usefixtures("logs_often")
def test_lines_beyond_the_resumed_state_are_forgotten(packs: Path, tmp_path: Path) -> None:
    make_trainer(packs, tmp_path).run(until=4)
    History(tmp_path).add(6, {"key": 1.0})
    trainer = make_trainer(packs, tmp_path)
    trainer.resume()
    trainer.run(until=8)
    assert [line["seen"] for line in History(tmp_path).read()] == [4, 8]


def test_beginning_with_given_weights(packs: Path, tmp_path: Path) -> None:
    make_trainer(packs, tmp_path / "a").run(until=6)
    export_weights(tmp_path / "a", NETWORK, tmp_path / "weights.safetensors")
    trainer = make_trainer(packs, tmp_path / "b")
    trainer.start_from(tmp_path / "weights.safetensors")
    given = load_file(tmp_path / "weights.safetensors")
    for module in (trainer.state.network, trainer.state.average):
        assert torch.equal(module.state_dict()["pred.weight"], given["pred.weight"].float())
    assert trainer.state.seen == 0 and not trainer.state.optimiser.state
    trainer.run(until=2)
    assert load_light(tmp_path / "weights.safetensors").key_proj.weight.shape == given["key_proj.weight"].shape


def test_beginning_with_weights_of_another_network(packs: Path, tmp_path: Path) -> None:
    make_trainer(packs, tmp_path / "a").run(until=2)
    export_weights(tmp_path / "a", NETWORK, tmp_path / "narrow.safetensors")
    trainer = make_trainer(packs, tmp_path / "b", preset=replace(PRESET, width=0.25))
    with pytest.raises(AppError, match=r"narrow\.safetensors"):
        trainer.start_from(tmp_path / "narrow.safetensors")
    with pytest.raises(AppError, match=r"absent\.safetensors"):
        trainer.start_from(tmp_path / "absent.safetensors")


def test_the_meter_means_and_shares() -> None:
    meter = Meter(CPU.device)
    for value in (1.0, 3.0):
        meter.begin()
        meter.got_data()
        meter.end({"loss": torch.tensor(value, requires_grad=True)}, 4)
    assert meter.losses() == {"loss": 2.0}
    reading = meter.read()
    assert reading.losses == {"loss": 2.0}
    assert 0 <= reading.data_share <= 1 and reading.speed > 0
    assert meter.losses() == {}
