"""Steps over many frames are packed and written to the journal by a worker, and the owner's thread does not wait."""
from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interact import step_keeper, step_log
from interact.commands import Step
from interact.recovery import Opening
from interact.step_codec import pack_step
from storage.journal import Journal
from storage.mask_writer import MaskWriter
from storage.workspace import Workspace
from tests.interact.scene import NUM_FRAMES, SIZE, Driver
from util.jobs import CancelToken, Job, Outcome, run_inline


class Worker:
    """Runs every job's `run` on a thread of its own, as the window does. `cancels`: names of jobs to be stopped."""

    def __init__(self) -> None:
        self.cancels = ""
        self.names: list[str] = []

    def __call__(self, job: Job[Any]) -> Outcome:
        self.names.append(job.name)
        token = CancelToken()
        results: list[Any] = []

        def collect() -> None:
            for result in job.run(token):
                results.append(result)

        def cancelled(token: CancelToken) -> Generator[Any, None, None]:
            yield from list(job.run(token))
            token.cancel()
            token.check()

        if self.cancels and self.cancels in job.name:
            return run_inline(Job(job.name, job.total, cancelled, job.apply, job.finish))
        thread = threading.Thread(target=collect, name="worker")
        thread.start()
        thread.join()
        return run_inline(Job(job.name, job.total, lambda token: iter_of(results), job.apply, job.finish))


def iter_of(results: list[Any]) -> Generator[Any, None, None]:
    yield from results


@pytest.fixture
def hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    monkeypatch.setattr(MaskWriter, "DELAY", 0.0)
    monkeypatch.setattr(step_keeper, "_FEW_MARKS", 3)
    hand = Driver(tmp_path)
    hand.session.steps.short_pixels = 0
    hand.session.steps.work = Worker()
    yield hand
    hand.session.close()


@pytest.fixture
def packed_on(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """label of a step -> the thread that packed it."""
    threads: dict[str, str] = {}

    def pack(step: Step) -> bytes:
        threads[step.label] = threading.current_thread().name
        return pack_step(step)

    monkeypatch.setattr(step_log, "pack_step", pack)
    return threads


def blocks() -> dict[int, np.ndarray]:
    mask = np.zeros(SIZE, np.uint8)
    mask[4:12, 4:12] = 1
    return {frame: np.roll(mask, frame, axis=1) for frame in range(NUM_FRAMES)}


def test_long_steps_are_noted_down_by_the_worker(hand: Driver, packed_on: dict[str, str]) -> None:
    session = hand.session
    session.import_masks(blocks())
    session.set_marks("verified", [1], range(NUM_FRAMES), on=True)
    session.set_marks("locked", [1], [0], on=True)
    assert packed_on == {
        f"import {NUM_FRAMES} masks": "worker", f"verify object 1 on {NUM_FRAMES} frames": "worker",
        "lock object 1 on frame 0": "MainThread",
    }  # fmt: skip
    labels = [session.undo() for _ in range(3)]
    assert labels == list(reversed(packed_on)) and not session.masks.frames()


def test_one_that_is_stopped_leaves_no_trace(hand: Driver) -> None:
    session, journal = hand.session, hand.session.workspace.journal
    session.add_object()
    size, number = journal.nbytes, journal.last_number
    worker = session.steps.work
    assert isinstance(worker, Worker)
    worker.cancels = "Noting down"
    session.import_masks(blocks())
    assert hand.messages[-1] == "Stopped: nothing was changed." and not session.masks.frames()
    assert (journal.nbytes, journal.last_number) == (size, number)
    assert sum(path.stat().st_size for path in journal.folder.iterdir()) == size
    worker.cancels = ""
    session.import_masks(blocks())
    assert session.undo() == f"import {NUM_FRAMES} masks"


def test_a_large_snapshot_is_packed_by_the_writer(
    hand: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Journal, "SEGMENT_BYTES", 1)
    monkeypatch.setattr(Journal, "SMALL_SNAPSHOT", 0)
    monkeypatch.setattr(Journal, "OVERFULL", 1 << 40)
    threads: list[str] = []
    pack = step_log.pack_snapshot

    def note(snapshot: step_log.Snapshot) -> bytes:
        threads.append(threading.current_thread().name)
        return pack(snapshot)

    monkeypatch.setattr(step_log, "pack_snapshot", note)
    session = hand.session
    session.add_object()
    threads.clear()  # of the first file, which holds nothing yet
    for name in "abc":
        session.rename_object(1, name)
        session.workspace.flush()
    assert threads == ["mask-writer"] * len(threads) and len(threads) >= 2
    assert len(list(session.workspace.journal.folder.glob("*.journal"))) >= 3
    session.close()
    workspace = Workspace.open(session.frames.source, hand.workspace)
    labels = [ref.label for ref in Opening(workspace).state.done]
    workspace.close()
    assert labels == ["add object 1", "rename object 1", "rename a", "rename b"]
