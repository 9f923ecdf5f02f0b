"""One holder at a time, and none once the holder is dead."""
from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage import lock
from storage.lock import LOCK_NAME, FolderLock
from util.errors import AppError

HOLDER = """
import sys
from pathlib import Path
from storage.lock import FolderLock
held = FolderLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def start_holder(folder: Path, repository: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        cwd=repository,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_another_process_is_named_and_its_death_frees_the_folder(tmp_path: Path, repository: Path) -> None:
    with start_holder(tmp_path, repository) as process:
        with pytest.raises(AppError) as caught:
            FolderLock(tmp_path)
        assert str(tmp_path) in caught.value.message
        assert f"process {process.pid} " in caught.value.message
        with pytest.raises(AppError, match=f"process {process.pid} "):  # the attempt left the holder's text alone
            FolderLock(tmp_path)
        process.kill()
        process.wait()
        FolderLock(tmp_path).release()


def test_twice_in_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = FolderLock(tmp_path)
    with pytest.raises(AppError, match="this program itself"):
        FolderLock(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(AppError, match="this program itself"):
        FolderLock(tmp_path / "link")
    monkeypatch.setattr(lock, "_held", set())  # the operating system's lock refuses it by itself
    with pytest.raises(AppError, match=f"process {os.getpid()} "):
        FolderLock(tmp_path)
    held.release()


def test_release_and_again(tmp_path: Path) -> None:
    for _ in range(2):
        held = FolderLock(tmp_path)
        held.release()
        held.release()
    assert (tmp_path / LOCK_NAME).exists()


def test_stale_text_has_no_meaning(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).write_text("1 on some-host with a long name that must not shine through\n")
    held = FolderLock(tmp_path)
    assert (tmp_path / LOCK_NAME).read_text().startswith(f"{os.getpid()} on ")
    assert "some-host" not in (tmp_path / LOCK_NAME).read_text()
    held.release()


def test_folder_that_cannot_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AppError, match="absent"):
        FolderLock(tmp_path / "absent")

    def unsupported(_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with monkeypatch.context() as patch:
        patch.setattr(lock, "_lock", unsupported)
        with pytest.raises(AppError, match=LOCK_NAME):
            FolderLock(tmp_path)
    FolderLock(tmp_path).release()
