"""Fixtures for every test, and the surroundings that keep tests away from the machine's own settings.

The environment is set when this file is loaded, before any test module imports Qt.
"""
from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.synthetic import SyntheticVideo, make_synthetic_video

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"

# Seconds that a thread of the code under test may take to end after the test.
THREAD_GRACE = 5.0


def _isolate_environment() -> None:
    """Point the home, settings, cache and runtime folders at a fresh folder; choose Qt's platform unless it is set."""
    home = Path(tempfile.mkdtemp(prefix="video-masks-tests-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    folders = {
        "HOME": home,
        "USERPROFILE": home,
        "APPDATA": home / "appdata",
        "LOCALAPPDATA": home / "localappdata",
        "XDG_CONFIG_HOME": home / "config",
        "XDG_DATA_HOME": home / "data",
        "XDG_CACHE_HOME": home / "cache",
        "XDG_STATE_HOME": home / "state",
        "XDG_RUNTIME_DIR": home / "runtime",
    }
    for name, folder in folders.items():
        folder.mkdir(mode=0o700, exist_ok=True)
        os.environ[name] = str(folder)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


_isolate_environment()
# Times on a shared machine vary too much for per-example deadlines, and a run must be repeatable.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")


@pytest.fixture
def shared() -> Path:
    """The folder of test data beside the repository; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the test data folder {SHARED}")
    return SHARED


@pytest.fixture
def repository() -> Path:
    """The repository's root folder."""
    return REPOSITORY


@pytest.fixture(scope="session")
def synthetic_video() -> SyntheticVideo:
    """T=12 frames of 65x97 with exact masks; `write_frames` / `write_masks` put them on disk."""
    return make_synthetic_video()


@pytest.fixture
def synthetic_folder(synthetic_video: SyntheticVideo, tmp_path: Path) -> Path:
    """The frames of `synthetic_video` as a folder of PNG files."""
    return synthetic_video.write_frames(tmp_path / "synthetic")


@pytest.fixture(autouse=True)
def isolated_settings(tmp_path: Path) -> None:
    """Every test starts with empty QSettings. Does nothing in a test run that has not loaded Qt."""
    core = sys.modules.get("PyQt5.QtCore")
    if core is None:
        return
    for file_format in (core.QSettings.NativeFormat, core.QSettings.IniFormat):
        core.QSettings.setPath(file_format, core.QSettings.UserScope, str(tmp_path / "qsettings"))


@pytest.fixture(autouse=True)
def no_dangling_threads() -> Iterator[None]:
    """Fail a test that leaves a non-daemon thread behind: such a thread would keep the program from ending."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREAD_GRACE
    left: list[threading.Thread] = []
    for thread in threading.enumerate():
        if thread in before or thread.daemon or isinstance(thread, threading._DummyThread):
            continue
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            left.append(thread)
    assert not left, f"threads still running after the test: {[thread.name for thread in left]}"
