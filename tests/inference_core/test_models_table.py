"""docs/models.md and the command that writes it: counts are right, and nothing is missing in the document."""
from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import nn

from inference_core import models_table
from inference_core.click.settings import ZoomSettings
from inference_core.cost_meter import count_flop, milliseconds, parameters
from inference_core.device import ComputeDevice
from inference_core.network_list import (
    CLICK_REGION,
    LIGHT_WINDOW,
    NETWORKS,
    S2M_WINDOW,
    Call,
    Network,
    zero_shot_calls,
)
from inference_core.registry import ENGINES
from interact.methods import LIGHT_LENS, S2M_LENS
from model import zoo
from model.click.variants import PUBLISHED
from tests.rvos_folders import shrink_base, write_rvos_folder


class Tiny(nn.Module):
    """On 10 x 12: 8*10*12 outputs of 3*3*3 products and a bias, then 8 -> 5 with a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.linear = nn.Linear(8, 5)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.norm(self.conv(x)).mean((2, 3)))


def test_operations_and_parameters_of_a_net_known_by_hand() -> None:
    network = Tiny().eval()
    image = torch.randn(2, 3, 10, 12)
    assert count_flop(lambda: network(image)) == 2 * (2 * 8 * 10 * 12 * 27 + 2 * 8 * 5)
    assert parameters(network) == (8 * 27 + 8) + (8 * 5 + 5) + 2 * 8


def test_operations_of_a_memory_read_known_by_hand() -> None:
    query, memory, values = torch.randn(1, 7, 64), torch.randn(1, 64, 30), torch.randn(2, 30, 16)
    flop = count_flop(lambda: (query @ memory).softmax(-1) @ values)
    assert flop == 2 * 7 * 64 * 30 + 2 * 2 * 7 * 30 * 16


def test_time_is_the_least_of_the_calls_in_the_seconds_given(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, processor = iter([0.0, 2.0, 4.0, 6.0]), iter([10.0, 15.0, 20.0, 22.0, 30.0, 39.0])
    monkeypatch.setattr("inference_core.cost_meter.perf_counter", lambda: next(wall))
    monkeypatch.setattr("inference_core.cost_meter.process_time", lambda: next(processor))
    calls: list[int] = []
    assert milliseconds(lambda: calls.append(1), 5) == 2000
    assert len(calls) == 3


def test_a_long_call_is_measured_once() -> None:
    calls: list[int] = []
    assert milliseconds(lambda: calls.append(1), 0) >= 0
    assert len(calls) == 1


@pytest.fixture(scope="module")
def text() -> str:
    return models_table.DOCUMENT.read_text(encoding="utf-8")


def test_document_is_what_the_tables_say(text: str) -> None:
    """Everything but the figures, which are of the machine they were measured on."""
    tables = (models_table.engines_table(), models_table.files_table(), models_table.networks_table())
    for line in (line for table in tables for line in table):
        assert line in text, f"run python -m inference_core.models_table; missing in docs/models.md: {line}"


def test_document_has_costs_of_every_network(text: str) -> None:
    (measured_on,) = re.findall(r"Measured on: (.*)\.\n", text)
    assert models_table.costs_of(text, measured_on).keys() == {network.name for network in NETWORKS}
    assert models_table.costs_of(text, f"not {measured_on}") == {}
    assert models_table.document(models_table.costs_of(text, measured_on), measured_on) == text


def test_every_file_engine_and_click_network_is_in_the_list() -> None:
    listed = {name for network in NETWORKS for name in network.files}
    assert listed == {entry.name for entry in zoo.WEIGHT_FILES}
    assert {engine.weights for engine in ENGINES} - {None} <= listed
    assert PUBLISHED.keys() <= {network.name for network in NETWORKS}


@pytest.mark.parametrize("half", [None, torch.bfloat16])
def test_zero_shot_call_in_either_precision(
    half: torch.dtype | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink_base(monkeypatch)
    write_rvos_folder(tmp_path / "rvos", takes_mask=False)
    (call,) = zero_shot_calls(tmp_path / "rvos", ComputeDevice(torch.device("cpu"), half))
    with torch.inference_mode():
        assert call.prepare(1)() is not None


def test_sizes_are_those_the_program_works_at() -> None:
    assert max(CLICK_REGION) == ZoomSettings().side
    assert (max(LIGHT_WINDOW), max(S2M_WINDOW)) == (LIGHT_LENS.side, S2M_LENS.side)


def tiny_calls(path: Path, compute: ComputeDevice) -> Sequence[Call]:
    assert path.is_file()
    network, image = Tiny().eval(), torch.randn(1, 3, 100, 120)
    return [Call("a picture", lambda count: lambda: [network(image) for _ in range(count)])]


@pytest.fixture
def tiny_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    networks = [Network(name, name, "nobody", (), Tiny, tiny_calls) for name in ("tiny", "other")]
    monkeypatch.setattr(models_table, "NETWORKS", networks)
    monkeypatch.setattr(models_table, "DOCUMENT", tmp_path / "models.md")
    monkeypatch.setattr(models_table, "surroundings", lambda: "a machine")
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)
    return tmp_path / "models.md"


def test_command_measures_what_is_named_and_keeps_the_rest(tiny_table: Path) -> None:
    assert models_table.main(["--seconds", "0"]) == 0
    written = tiny_table.read_text(encoding="utf-8")
    lines = re.findall(r"\| `(\w+)` \| a picture \| ([\d.]+) \| [\d.]+ \| ([\d.]+) \| [\d.]+ \|", written)
    assert lines == [(name, "0.0052", "0.016") for name in ("tiny", "other")]
    tiny_table.write_text(re.sub(r"(a picture \|).*", r"\1 9.9 | 1 | 9.9 | 2 |", written), encoding="utf-8")
    assert models_table.main(["other", "--seconds", "0"]) == 0
    again = tiny_table.read_text(encoding="utf-8").splitlines()
    assert sum("| 9.9 | 1 | 9.9 | 2 |" in line for line in again) == 1
    assert any(line.startswith("| `tiny` | a picture | 9.9") for line in again)


def test_unknown_network_is_one_line(tiny_table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        models_table.main(["resnet"])
    assert caught.value.code == models_table.EXIT_INPUT
    assert "there is no network called resnet; there are tiny, other" in capsys.readouterr().err
    assert not tiny_table.exists()
