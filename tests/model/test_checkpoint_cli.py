"""`python -m model.checkpoint` and the checksums of saves/."""
from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from model import checksums, zoo
from model.checkpoint import load_into, load_state
from model.checkpoint_cli import EXIT_INPUT, main
from model.fusion_file import load_fusion
from model.fusion_net import FusionNet
from util.errors import AppError


@pytest.fixture
def fusion(tmp_path: Path) -> Path:
    """The fusion network, wrapped as its training program does."""
    path = tmp_path / "fusion_checkpoint.pth"
    state = {"module." + key: tensor for key, tensor in FusionNet().state_dict().items()}
    torch.save({"it": 30000, "network": state, "optimizer": {"state": {0: torch.ones(1)}}}, path)
    return path


def test_inspect_as_it_is_called(fusion: Path, repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "model.checkpoint", "inspect", str(fusion)], cwd=repository, capture_output=True,
        text=True, check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == [
        f"sha256: {checksums.sha256(fusion)}",
        "network: the fusion network",
        "wrapping: network > module.",
        "it: 30000",
        "tensors: 12",
        "numbers: 39,905 (with a fraction: 39,905)",
        "types: 12 float32",
    ]


def test_inspect_of_a_list_and_of_an_unknown_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "list.pth"
    torch.save([{"config": {"class": "a.B"}, "state_dict": {"w": torch.ones(2).half()}}] * 2, path)
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert text.count("network: not known") == 2 and "network 2 of 2" in text
    assert "config: {'class': 'a.B'}" in text and "types: 1 float16" in text


@pytest.mark.parametrize("half", [False, True])
def test_convert(fusion: Path, half: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(fusion), *(["--half"] if half else [])]) == 0
    converted = fusion.with_suffix(".safetensors")
    assert f"{converted}: 12 tensors" in capsys.readouterr().out
    before, after = load_state(fusion), load_state(converted)
    assert before.keys() == after.keys()
    assert all(torch.equal(after[key], before[key].half() if half else before[key]) for key in before)
    assert load_fusion(converted).conv1[0].weight.dtype == torch.float32
    assert sorted(path.name for path in fusion.parent.iterdir()) == [fusion.name, converted.name]


def test_convert_touches_nothing_that_is_there(
    fusion: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "mine.safetensors"
    other.write_text("mine")
    assert main(["convert", str(fusion), "--output", str(other)]) == EXIT_INPUT
    assert "mine.safetensors is there already" in capsys.readouterr().err and other.read_text() == "mine"
    assert main(["convert", str(fusion), "--output", str(tmp_path / "gone" / "a.safetensors")]) == EXIT_INPUT
    assert "cannot be written" in capsys.readouterr().err
    assert main(["inspect", str(other)]) == EXIT_INPUT
    assert capsys.readouterr().err.startswith("model.checkpoint: ")


@pytest.fixture
def saves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "saves"
    folder.mkdir()
    monkeypatch.setattr(zoo, "SAVES", folder)
    return folder


def write(path: Path, value: float) -> Path:
    torch.save({"weight": torch.full((2, 3), float(value)), "bias": torch.ones(2)}, path)
    return path


def test_the_first_load_is_recorded_and_later_ones_compared(saves: Path) -> None:
    path = write(saves / "net.pth", 1)
    load_into(nn.Linear(3, 2), load_state(path), path)
    assert json.loads((saves / "checksums.json").read_text()) == {"net.pth": checksums.sha256(path)}
    load_into(nn.Linear(3, 2), load_state(path), path)
    write(path, 2)
    with pytest.raises(AppError, match=r"net\.pth has changed since it was first used.*--from FILE"):
        load_state(path)


def test_a_load_that_fails_records_nothing(saves: Path) -> None:
    path = write(saves / "net.pth", 1)
    with pytest.raises(AppError):
        load_into(nn.Linear(2, 3), load_state(path), path)
    assert not (saves / "checksums.json").exists()


def test_files_elsewhere_are_not_recorded(saves: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "net.pth", 1)
    load_into(nn.Linear(3, 2), load_state(path), path)
    assert not list(tmp_path.rglob("checksums.json"))


def test_a_folder_that_cannot_be_written_is_told_and_loads(
    saves: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(path: Path, checksum: str | None) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(saves / "net.pth", 1)
    monkeypatch.setattr(checksums, "record", refuse)
    with caplog.at_level(logging.WARNING):
        load_into(nn.Linear(3, 2), load_state(path), path)
    assert "net.pth cannot be recorded: Permission denied" in caplog.text


@pytest.mark.parametrize("content", ["{broken", "[1]", '{"net.pth": 3}'])
def test_a_damaged_record_is_told(saves: Path, content: str) -> None:
    path = write(saves / "net.pth", 1)
    (saves / "checksums.json").write_text(content)
    with pytest.raises(AppError, match=r"checksums\.json is damaged"):
        load_state(path)
