"""Write-behind: order, coalescing, failures and the end of the thread."""
from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from storage.mask_writer import MaskWriter, Rank
from util.errors import AppError

WAIT = 20.0  # seconds after which a thread that should have answered has failed


class Disk:
    """Records what was written and fails on demand."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.broken: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def write(self, name: str) -> None:
        self.entered.set()
        assert self.gate.wait(WAIT)
        if name in self.broken:
            raise AppError(f"{name}: the disk is full.")
        self.written.append(name)


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> MaskWriter:
    monkeypatch.setattr(MaskWriter, "DELAY", 0.0)
    return MaskWriter()


@pytest.fixture
def disk() -> Disk:
    return Disk()


def put(writer: MaskWriter, disk: Disk, *names: str, rank: Rank = "middle") -> None:
    for name in names:
        writer.enqueue(name, lambda name=name: disk.write(name), rank=rank)


def test_order_and_last(writer: MaskWriter, disk: Disk) -> None:
    disk.gate.clear()
    put(writer, disk, "project", rank="last")
    assert disk.entered.wait(WAIT)  # the queue was empty: even a last one runs
    put(writer, disk, "project", rank="last")
    put(writer, disk, "b", "a", "c")
    disk.gate.set()
    writer.flush()
    assert disk.written == ["project", "b", "a", "c", "project"]


def test_newest_task_of_a_key_wins(writer: MaskWriter, disk: Disk) -> None:
    disk.gate.clear()
    put(writer, disk, "first")
    assert disk.entered.wait(WAIT)
    for number in range(5):
        writer.enqueue("frame", lambda number=number: disk.write(f"frame {number}"))
    disk.gate.set()
    writer.flush()
    assert disk.written == ["first", "frame 4"]


def test_a_burst_is_collected(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MaskWriter, "DELAY", 2 * WAIT)
    writer = MaskWriter()
    started = time.monotonic()
    for _ in range(3):
        put(writer, disk, "frame")
    assert disk.written == []
    writer.flush()
    assert disk.written == ["frame"]
    assert time.monotonic() - started < WAIT  # flush does not wait for the delay


def test_signals_and_state(writer: MaskWriter, disk: Disk) -> None:
    saved = threading.Event()
    threads: list[threading.Thread] = []
    writer.saved.connect(lambda: threads.append(threading.current_thread()))
    writer.saved.connect(saved.set)
    assert writer.last_saved is None and not writer.has_unsaved
    disk.gate.clear()
    put(writer, disk, "a")
    assert disk.entered.wait(WAIT)
    assert writer.has_unsaved  # in hand, no longer queued
    disk.gate.set()
    assert saved.wait(WAIT)
    assert not writer.has_unsaved and writer.last_saved is not None
    assert threads != [threading.main_thread()]
    writer.flush()


def test_failure_is_kept_told_once_and_retried(writer: MaskWriter, disk: Disk) -> None:
    told: list[AppError] = []
    writer.failed.connect(told.append)
    disk.broken = {"a", "b"}
    put(writer, disk, "a", "b", "c")
    with pytest.raises(AppError, match="a: the disk is full"):
        writer.flush()
    with pytest.raises(AppError, match="a: the disk is full"):
        writer.flush()
    assert disk.written == ["c"] and writer.has_unsaved and writer.last_saved is None
    assert [error.message for error in told] == ["a: the disk is full."]
    disk.broken = {"b"}
    with pytest.raises(AppError, match="b: the disk is full"):
        writer.flush()
    disk.broken = set()
    writer.flush()
    assert disk.written == ["c", "a", "b"] and not writer.has_unsaved and writer.last_saved is not None
    disk.broken = {"a"}
    put(writer, disk, "a")
    with pytest.raises(AppError):
        writer.flush()
    assert len(told) == 2  # saved in between: news again


def test_last_waits_for_what_failed(writer: MaskWriter, disk: Disk) -> None:
    disk.broken = {"a"}
    put(writer, disk, "project", rank="last")
    put(writer, disk, "a")
    writer_error = pytest.raises(AppError, writer.flush)
    assert "a:" in str(writer_error.value)
    disk.written.clear()
    put(writer, disk, "project", rank="last")
    pytest.raises(AppError, writer.flush)
    assert disk.written == []
    disk.broken = set()
    writer.flush()
    assert disk.written == ["a", "project"]


def test_failed_last_task_stays_last(writer: MaskWriter, disk: Disk) -> None:
    disk.broken = {"project"}
    put(writer, disk, "project", rank="last")
    pytest.raises(AppError, writer.flush)
    disk.broken = set()
    put(writer, disk, "a")
    writer.flush()
    assert disk.written == ["a", "project"]


def test_newer_state_replaces_a_failed_one(writer: MaskWriter, disk: Disk) -> None:
    disk.broken = {"old"}
    writer.enqueue("frame", lambda: disk.write("old"))
    pytest.raises(AppError, writer.flush)
    writer.enqueue("frame", lambda: disk.write("new"))
    writer.flush()
    assert disk.written == ["new"]


@pytest.mark.parametrize("retry_after", [0.0, 3600.0])
def test_later_changes_retry_after_a_while(
    writer: MaskWriter, disk: Disk, retry_after: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MaskWriter, "RETRY_AFTER", retry_after)
    failed, done = threading.Event(), threading.Event()
    writer.failed.connect(lambda _: failed.set())
    disk.broken = {"a"}
    put(writer, disk, "a")
    assert failed.wait(WAIT)
    disk.broken = set()
    writer.enqueue("b", done.set)
    assert done.wait(WAIT)
    while writer._thread is not None:  # let it finish without flush, which would retry too
        with writer._wake:
            writer._wake.wait_for(lambda: writer._thread is None, WAIT)
    assert disk.written == (["a"] if retry_after == 0 else [])
    assert writer.has_unsaved == (retry_after > 0)
    writer.flush()
    assert disk.written == ["a"]


def test_a_defect_in_a_task_is_reported_and_survived(
    writer: MaskWriter, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    def defect() -> None:
        raise ZeroDivisionError("oops")

    with caplog.at_level(logging.CRITICAL):
        writer.enqueue("frame 3", defect)
        put(writer, disk, "b")
        with pytest.raises(AppError, match="frame 3: cannot be saved: oops"):
            writer.flush()
    assert disk.written == ["b"]


def test_a_defect_in_a_listener_does_not_end_the_saving(writer: MaskWriter, disk: Disk) -> None:
    def defect() -> None:
        raise RuntimeError("wrapped C/C++ object has been deleted")

    writer.saved.connect(defect)
    put(writer, disk, "a")
    writer.flush()
    put(writer, disk, "b")
    writer.flush()
    assert disk.written == ["a", "b"]


def test_flush_with_nothing_to_do_returns(writer: MaskWriter) -> None:
    writer.flush()
    assert writer.last_saved is None


def test_flush_on_the_writer_thread_is_refused(writer: MaskWriter) -> None:
    errors: list[BaseException] = []

    def task() -> None:
        try:
            writer.flush()
        except RuntimeError as error:
            errors.append(error)

    writer.enqueue("a", task)
    writer.flush()
    assert len(errors) == 1


def test_leaving_the_program_saves(tmp_path: Path, repository: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from storage.mask_writer import MaskWriter\n"
        "MaskWriter().enqueue('a', lambda: Path(sys.argv[1]).write_text('saved'))\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "a")], cwd=repository, check=True, timeout=60)
    assert (tmp_path / "a").read_text() == "saved"


def test_first_rank_overtakes(writer: MaskWriter, disk: Disk) -> None:
    disk.gate.clear()
    put(writer, disk, "a")
    assert disk.entered.wait(WAIT)
    put(writer, disk, "b", "c")
    put(writer, disk, "project", rank="last")
    put(writer, disk, "journal", rank="first")
    disk.gate.set()
    writer.flush()
    assert disk.written == ["a", "journal", "b", "c", "project"]
