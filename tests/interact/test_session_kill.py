"""Fifty kills at random moments of random work: each next start has the state of at worst one action before."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NUM_KILLS = 50


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_killed_at_random_moments_of_work(tmp_path: Path, repository: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.interact.killing", str(tmp_path), str(NUM_KILLS), "7"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    lines = done.stdout.splitlines()
    assert len(lines) == NUM_KILLS
    # The kills hit what they are meant to: work that was not saved yet, and now and then an action that was under way.
    assert sum("0 unsaved" not in line for line in lines) > NUM_KILLS // 4
    assert any(line.startswith("one action later") for line in lines)
