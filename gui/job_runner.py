"""Runs `util.jobs.Job`s, one after another, on one worker thread and hands their results to the thread that owns it.

The worker only ever puts messages into a mailbox; the owner (the GUI thread) empties it from a zero timer, a few
milliseconds at a time, so that a job which yields faster than its results can be applied never keeps the window from
handling input. No more than `max_pending` results wait at a time: beyond that the job waits.
"""
from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal

from util.errors import AppError
from util.jobs import Cancelled, CancelToken, Job, Outcome

log = logging.getLogger(__name__)

# Longest time, in seconds, that results are applied in one go before the window gets its turn.
DRAIN_SLICE = 0.008


@dataclass
class _Entry:
    """One submitted job. `is_abandoned` (its results are no longer wanted) and `failure` belong to the owner thread."""

    job_id: int
    job: Job[Any]
    key: str | None
    token: CancelToken = field(default_factory=CancelToken)
    is_abandoned: bool = False
    failure: Exception | None = None


@dataclass(frozen=True)
class _Message:
    """What the worker tells the owner: `outcome` is set in a job's last message, `result` in those between."""

    entry: _Entry
    kind: str
    result: object = None
    outcome: Outcome | None = None


class JobRunner(QObject):
    """One worker thread and its queue of jobs. Every method is for the owner thread, the one that made the object.

    A job's `run` is called on the worker, its `apply` and `finish` on the owner thread, `finish` exactly once, also
    for a job that was cancelled before it began. The generator is closed on the worker. `shutdown` must be called
    before the object goes away.

    Signals: `started(job id, name, total)`, `stepped(job id, result)` after `apply`, `finished(job id, Outcome)` after
    `finish`; all emitted in the owner thread.
    """

    started = pyqtSignal(int, str, object)
    stepped = pyqtSignal(int, object)  # not `event`: that name is QObject's own handler
    finished = pyqtSignal(int, object)
    _wake = pyqtSignal()

    def __init__(self, name: str, parent: QObject | None = None, *, max_pending: int = 4) -> None:
        super().__init__(parent)
        self._ids = itertools.count(1)
        self._entries: dict[int, _Entry] = {}
        self._queue: deque[_Entry] = deque()
        self._condition = threading.Condition()
        self._is_closing = False
        self._slots = threading.BoundedSemaphore(max_pending)
        self._mailbox: queue.SimpleQueue[_Message] = queue.SimpleQueue()
        self._drain_timer = QTimer(self)
        self._drain_timer.setSingleShot(True)
        self._drain_timer.setInterval(0)
        self._drain_timer.timeout.connect(self._drain)
        self._wake.connect(self._drain_timer.start, Qt.QueuedConnection)
        # A daemon, so that a window that died of a defect does not leave a process behind; `shutdown` joins it.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    # Owner thread

    def submit(self, job: Job[Any], *, replace: str | None = None) -> int:
        """Queue a job. With `replace`, earlier jobs of the same key are cancelled and their results dropped."""
        if self._is_closing:
            raise RuntimeError(f"the runner is shut down; {job.name!r} came too late")
        if replace is not None:
            for entry in [entry for entry in self._entries.values() if entry.key == replace]:
                entry.is_abandoned = True
                self.cancel(entry.job_id)
        entry = _Entry(next(self._ids), job, replace)
        self._entries[entry.job_id] = entry
        with self._condition:
            self._queue.append(entry)
            self._condition.notify()
        return entry.job_id

    def cancel(self, job_id: int | None = None) -> None:
        """Ask one job, or all of them, to end. Results that the job has already given are still applied."""
        wanted = list(self._entries.values()) if job_id is None else [self._entries.get(job_id)]
        for entry in wanted:
            if entry is None:
                continue
            entry.token.cancel()
            with self._condition:
                was_queued = entry in self._queue
                if was_queued:
                    self._queue.remove(entry)
            if was_queued:
                self._post(_Message(entry, "finished", outcome=Outcome("cancelled")))

    def is_busy(self) -> bool:
        """Whether a job waits, runs, or has results that are not yet applied."""
        return bool(self._entries)

    @property
    def has_waiting(self) -> bool:
        """Whether a job waits for the one that runs. Any thread."""
        with self._condition:
            return bool(self._queue)

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """Cancel everything, apply what has come back, and end the thread; True when it has ended in time.

        Blocks the calling thread up to `timeout_ms`. After False the jobs are still told to end: call again.
        """
        deadline = time.monotonic() + timeout_ms / 1000
        self.cancel()
        with self._condition:
            self._is_closing = True
            self._condition.notify()
        while self._thread.is_alive() and time.monotonic() < deadline:
            try:
                self._handle(self._mailbox.get(timeout=min(0.02, max(0.0, deadline - time.monotonic()))))
            except queue.Empty:
                self._thread.join(0.001)
        self._drain_timer.stop()
        if self._thread.is_alive():
            self._drain_timer.start()
            return False
        while not self._mailbox.empty():
            self._handle(self._mailbox.get())
        return True

    def _drain(self) -> None:
        end = time.monotonic() + DRAIN_SLICE
        while not self._mailbox.empty():
            self._handle(self._mailbox.get())
            if time.monotonic() >= end:
                self._drain_timer.start()
                return

    def _handle(self, message: _Message) -> None:
        entry = message.entry
        if message.kind == "started":
            self.started.emit(entry.job_id, entry.job.name, entry.job.total)
        elif message.kind == "event":
            self._apply(entry, message.result)
        else:
            assert message.outcome is not None
            self._finish(entry, message.outcome)

    def _apply(self, entry: _Entry, result: object) -> None:
        try:
            if entry.is_abandoned:
                return
            entry.job.apply(result)
        except Exception as error:
            _log_failure(entry, error)
            entry.failure = error
            entry.is_abandoned = True
            entry.token.cancel()
            return
        finally:
            self._slots.release()
        self.stepped.emit(entry.job_id, result)

    def _finish(self, entry: _Entry, outcome: Outcome) -> None:
        if entry.failure is not None:
            outcome = Outcome("failed", entry.failure)
        elif entry.is_abandoned and outcome.kind == "done":
            outcome = Outcome("cancelled")
        try:
            entry.job.finish(outcome)
        except Exception as error:
            _log_failure(entry, error)
            outcome = Outcome("failed", error)
        del self._entries[entry.job_id]
        self.finished.emit(entry.job_id, outcome)

    # Worker thread

    def _work(self) -> None:
        while (entry := self._next()) is not None:
            self._post(_Message(entry, "started"))
            self._post(_Message(entry, "finished", outcome=self._run(entry)))
            # Without this the last job, and everything it has hold of, would live until the next one comes.
            del entry

    def _next(self) -> _Entry | None:
        with self._condition:
            while not self._queue:
                if self._is_closing:
                    return None
                self._condition.wait()
            return self._queue.popleft()

    def _run(self, entry: _Entry) -> Outcome:
        try:
            generator = entry.job.run(entry.token)
            try:
                for result in generator:
                    self._slots.acquire()
                    self._post(_Message(entry, "event", result))
                    if entry.is_abandoned:
                        return Outcome("cancelled")
            finally:
                generator.close()
        except Cancelled:
            return Outcome("cancelled")
        except Exception as error:
            _log_failure(entry, error)
            return Outcome("failed", error.with_traceback(None))
        return Outcome("done")

    def _post(self, message: _Message) -> None:
        self._mailbox.put(message)
        self._wake.emit()


def _log_failure(entry: _Entry, error: Exception) -> None:
    """Log the traceback of a defect once; an `AppError` is for the user's eyes and needs none."""
    if isinstance(error, AppError):
        log.info("%s: %s", entry.job.name, error)
    else:
        # As text: a log record that holds the exception would hold its frames, and with them the tensors of the step.
        log.error("%s failed\n%s", entry.job.name, "".join(traceback.format_exception(error)))
