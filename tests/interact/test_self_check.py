"""The self-check: what is a fault, what a note."""
from __future__ import annotations

import os
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from inference_core.registry import weight_files
from interact import self_check as module
from interact.self_check import Surroundings, as_text, check_codecs, check_folder, check_weights, self_check
from storage.codecs import CODERS, Coder, can
from util.errors import AppError
from util.user_folders import user_data_folder

Usage = namedtuple("Usage", "total used free")


def test_only_the_weights_of_the_engine_that_works_everywhere_have_to_be_there() -> None:
    entries = weight_files()
    assert check_weights(entries).state in ("ok", "note")
    states = {}
    for gone in entries:
        changed = [replace(entry, path=Path("/nowhere/at/all")) if entry is gone else entry for entry in entries]
        states[gone.name] = check_weights(changed).state
    assert [name for name, state in states.items() if state == "fault"] == ["light"]


def test_codecs() -> None:
    assert can(Coder("reading H.264", "r", ("h264",))) and not can(Coder("reading", "r", ("no_such_codec",)))
    needed = next(coder for coder in CODERS if coder.is_needed)
    wanted = next(coder for coder in CODERS if not coder.is_needed)
    assert [check_codecs(CODERS, missing).state for missing in ([], [wanted], [needed])] == ["ok", "note", "fault"]


@pytest.mark.parametrize(("free", "state"), [(1 << 40, "ok"), (1 << 30, "note"), (1 << 20, "fault")])
def test_room_on_the_disk(free: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: Usage(1 << 41, 0, free))
    assert check_folder("Data", tmp_path / "not" / "yet").state == state
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = check_folder("Data", tmp_path / "file")
    assert finding.state == "fault" and "nothing can be written" in finding.text


def test_all_findings(tmp_path: Path) -> None:
    def fail() -> str:
        raise AppError("no device", "buy one")

    here = Surroundings("5 on paper", False, fail, [("Data", tmp_path)], tmp_path / "log")
    found = {finding.name: finding for finding in self_check(here)}
    assert found["Qt"].state == "fault" and "system_packages" in found["Qt"].hint
    assert (found["Device"].state, found["Device"].hint) == ("fault", "buy one")
    assert "FAULT  Device: no device\n       buy one" in as_text(list(found.values()))


def test_the_data_folder_of_each_system() -> None:
    assert user_data_folder({"XDG_DATA_HOME": "/data"}, "linux") == Path("/data/video-masks")
    assert user_data_folder({"XDG_DATA_HOME": "data"}, "linux") == Path.home() / ".local/share/video-masks"
    assert user_data_folder({"LOCALAPPDATA": "/local"}, "win32") == Path("/local/video-masks")
    assert user_data_folder({}, "darwin").parts[-3:] == ("Library", "Application Support", "video-masks")


def test_the_program_prints_it_and_ends_with_its_code(repository: Path, tmp_path: Path) -> None:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    for extra, code, word in (({"QT_QPA_PLATFORM": "offscreen"}, 0, "on offscreen"), ({}, 2, "no display")):
        done = subprocess.run(
            [sys.executable, "interactive_gui.py", "--self_check", "--device", "cpu"], cwd=repository,
            env=environment | extra, capture_output=True, text=True, timeout=240, check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert word in done.stdout and "Device: cpu" in done.stdout and "Video formats" in done.stdout
