"""train.py as it is called: a training that is told to stop and goes on, exports, and what is refused."""
from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import train
from generation.clips import ClipBatch
from model.light import load_light
from tests.training.trainings import NETWORK, PRESET, TinyTask
from training import presets, tasks
from training.state import STATE, read_state
from training.stopping import StopRequest


class StoppedTask(TinyTask):
    """Somebody ends the program while the third batch is made."""

    signal = signal.SIGTERM

    def batch(self, number: int, size: int, side: int) -> ClipBatch:
        if number == 2:
            os.kill(os.getpid(), self.signal)
        return super().batch(number, size, side)


class InterruptedTask(StoppedTask):
    signal = signal.SIGINT


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, one_thread: None) -> Iterator[None]:
    """The preset is tiny, and nothing that concerns the whole process is changed."""
    monkeypatch.setitem(presets.PRESETS, (NETWORK, "cpu"), PRESET)
    monkeypatch.setattr(torch, "set_flush_denormal", lambda on: True)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


@pytest.fixture
def tiny_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.TaskRow, "load", lambda row: TinyTask)


def command(packs: Path, out: Path, *more: str) -> list[str]:
    files = ["--train", str(packs / "train.npz"), "--heldout", str(packs / "heldout.npz")]
    return [NETWORK, *files, "--out", str(out), "--device", "cpu", *more]


@pytest.mark.parametrize(("task", "code"), [(StoppedTask, 143), (InterruptedTask, 130)])
def test_a_signal_saves_and_the_same_command_goes_on(
    packs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    task: type[StoppedTask], code: int,
) -> None:  # fmt: skip
    loads = iter([task, TinyTask])
    monkeypatch.setattr(tasks.TaskRow, "load", lambda row: next(loads))
    assert train.main(command(packs, tmp_path)) == code
    assert read_state(tmp_path / STATE, NETWORK)[1].seen == 6
    assert "6 seen of 12; the same command goes on" in capsys.readouterr().out
    assert train.main(command(packs, tmp_path)) == 0
    assert read_state(tmp_path / STATE, NETWORK)[1].seen == 12
    out = capsys.readouterr().out
    assert "resumed" in out and "M parameters" in out and "held out: weight" in out


def test_a_second_signal_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with StopRequest() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
        now = 1.0
        os.kill(os.getpid(), signal.SIGTERM)  # torchrun passes the same one on
        now = 5.0
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("tiny_task")
def test_exports_and_a_new_beginning(packs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, c = (tmp_path / name for name in "abc")
    assert train.main(command(packs, a, "--until", "4")) == 0
    assert train.main([NETWORK, "--out", str(a), "--export-weights", str(tmp_path / "w.safetensors")]) == 0
    assert "samples: 4" in capsys.readouterr().out
    load_light(tmp_path / "w.safetensors")
    assert train.main([NETWORK, "--out", str(a), "--export-state", str(tmp_path / "bag")]) == 0
    assert " MB, the largest " in capsys.readouterr().out
    assert train.main([NETWORK, "--out", str(b), "--import-state", str(tmp_path / "bag")]) == 0
    assert "ready to go on" in capsys.readouterr().out
    assert train.main(command(packs, b, "--until", "6")) == 0
    assert read_state(b / STATE, NETWORK)[1].seen == 6
    begin = command(packs, c, "--until", "2", "--init", str(tmp_path / "w.safetensors"))
    assert train.main(begin) == 0
    assert f"from {tmp_path / 'w.safetensors'}" in capsys.readouterr().out
    (tmp_path / "w.safetensors").unlink()
    assert train.main(begin) == 0  # resumed: what it began with is not needed any more
    assert "nothing to do" in capsys.readouterr().out


def error(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert train.main(argv) == 2
    return capsys.readouterr().err


@pytest.mark.usefixtures("tiny_task")
def test_what_is_refused(packs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    (tmp_path / "file").touch()
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / STATE).write_bytes(b"nothing of the kind")
    assert "file" in error(command(packs, tmp_path / "file"), capsys)
    assert "train.npz is no pack of training pictures: not there" in error(command(tmp_path, out), capsys)
    assert "is no state of a training" in error(command(packs, tmp_path / "wrong"), capsys)
    assert "absent.safetensors" in error(command(packs, out, "--init", "absent.safetensors"), capsys)
    assert "is not there" in error([NETWORK, "--out", str(out), "--export-state", str(tmp_path / "x")], capsys)
    assert train.main(command(packs, out, "--until", "4")) == 0
    assert "more than the 2" in error(command(packs, out, "--samples", "2"), capsys)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([NETWORK, "--out", "o"], "--train and --heldout are needed"),
        ([NETWORK], "--out"),
        (["other", "--out", "o"], "invalid choice"),
        ([NETWORK, "--out", "o", "--samples", "0"], "needs a whole number"),
        ([NETWORK, "--out", "o", "--export-state", "a", "--import-state", "b"], "not allowed with"),
    ],
)
def test_bad_arguments(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        train.main(argv)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_networks_that_need_the_light_one_take_its_weights() -> None:
    for row in tasks.TASKS.values():
        given = train._parser().parse_args([row.name, "--out", "o"])
        assert given.light.name == "light.safetensors"
        if row.needs_light:
            assert train._parser().parse_args([row.name, "--out", "o", "--light", "x"]).light == Path("x")


def test_every_row_is_a_task() -> None:
    for row in tasks.TASKS.values():
        assert row.load().name == row.name
