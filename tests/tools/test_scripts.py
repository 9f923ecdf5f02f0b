"""The set-up scripts, with the programs they ask replaced by small ones that answer what the test wants."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the scripts serve Linux")

NOTHING_INSTALLED = "exit 0"
NOT_ROOT = "echo 1000"


class Machine:
    """A folder of stand-ins in front of PATH."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.folder = folder
        self.tools = repository / "tools"

    def provide(self, program: str, body: str) -> None:
        file = self.folder / program
        file.write_text(f"#!/bin/bash\n{body}\n")
        file.chmod(0o755)

    def provide_all_libraries(self) -> None:
        """Whatever the script asks for is there."""
        self.provide("ldconfig", f"grep -oE '^lib[^ ]+' {self.tools}/system_packages.sh | sed 's/$/ (libc6)/'")

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}
        command = ["bash", str(self.tools / script), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def machine(tmp_path: Path, repository: Path) -> Machine:
    folder = tmp_path / "bin"
    folder.mkdir()
    return Machine(folder, repository)


def test_missing_libraries_print_the_one_line_to_run(machine: Machine) -> None:
    machine.provide("ldconfig", NOTHING_INSTALLED)
    machine.provide("id", NOT_ROOT)
    done = machine.run("system_packages.sh", "check")
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "apt-get install" in line]
    assert len(lines) == 1
    for package in ("libgl1", "libxkbcommon-x11-0", "libxcb-icccm4", "libxcb-cursor0", "libdbus-1-3"):
        assert f" {package} " in f"{lines[0]} "


def test_nothing_is_said_when_all_is_there(machine: Machine) -> None:
    machine.provide_all_libraries()
    machine.provide("Xvfb", "")
    done = machine.run("system_packages.sh", "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_missing_libraries_do_not_stop_the_set_up(machine: Machine) -> None:
    machine.provide("ldconfig", NOTHING_INSTALLED)
    machine.provide("id", NOT_ROOT)
    done = machine.run("system_packages.sh", "install")
    assert done.returncode == 0
    assert "sudo apt-get" in done.stderr


def test_root_installs_what_is_missing(machine: Machine, tmp_path: Path) -> None:
    machine.provide("ldconfig", NOTHING_INSTALLED)
    machine.provide("id", "echo 0")
    machine.provide("apt-get", f'echo "$@" >>{tmp_path}/log')
    done = machine.run("system_packages.sh", "install")
    assert done.returncode == 0
    update, install = (tmp_path / "log").read_text().splitlines()
    assert update.split()[0] == "update"
    assert install.split()[0] == "install" and "libgl1" in install.split()


def test_a_virtual_display_that_cannot_start_fails_loudly(machine: Machine, tmp_path: Path) -> None:
    machine.provide_all_libraries()
    machine.provide("Xvfb", "echo no such screen >&2; exit 1")
    done = machine.run("with_xvfb.sh", "touch", str(tmp_path / "ran"))
    assert done.returncode == 3
    assert "did not start" in done.stderr and "no such screen" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_command_runs_on_the_virtual_display(machine: Machine) -> None:
    machine.provide_all_libraries()
    machine.provide("Xvfb", "echo 57 >&3; exec sleep 60")
    done = machine.run("with_xvfb.sh", "bash", "-c", "echo $DISPLAY $QT_QPA_PLATFORM ${WAYLAND_DISPLAY-none}; exit 5")
    assert done.stdout.split() == [":57", "xcb", "none"]
    assert done.returncode == 5


def test_an_old_python_is_refused(machine: Machine) -> None:
    machine.provide("python3", "exit 1")
    done = machine.run("setup.sh", "run")
    assert done.returncode == 1
    assert "Python 3.10 or newer" in done.stderr
