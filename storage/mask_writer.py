"""Write-behind: saving happens on a thread of its own, so that neither painting nor a propagation waits for the disk.

The owner thread enqueues small tasks, one per key (a frame, the project file); a task that is enqueued again before it
ran runs once and then saves the newest state. The thread lives only while there is work and is not a daemon: leaving
the program without `flush` still saves everything.
"""
from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal

from util.errors import AppError
from util.observer import Signal

_log = logging.getLogger(__name__)

Task = Callable[[], None]

Rank = Literal["first", "middle", "last"]
"""A "first" task runs before all others (the journal, which has to know of a change before its files do); a "last" one
only when all others have succeeded (a file that speaks about them)."""


@dataclass(frozen=True)
class _Item:
    key: Hashable
    task: Task
    rank: Rank


class MaskWriter:
    """Runs the newest task of every key, in the order in which the keys were enqueued.

    A task raises AppError when it could not save. It is then kept and tried again by `flush`, by the next `enqueue`
    of its key, and by any `enqueue` more than `RETRY_AFTER` seconds later.

    Signals, emitted from the writer thread:
        saved: everything enqueued so far is on disk.
        failed: a task could not save (its AppError); once until `saved`, not once per file.
    """

    DELAY = 0.25
    """Seconds that a burst of changes is left to grow, so that a brush stroke writes its frame a few times a second."""
    RETRY_AFTER = 5.0

    def __init__(self) -> None:
        self.saved: Signal[[]] = Signal()
        self.failed: Signal[[AppError]] = Signal()
        self.last_saved: float | None = None
        """time.time() of the last `saved`."""
        self._wake = threading.Condition()
        self._queues: dict[Rank, dict[Hashable, _Item]] = {"first": {}, "middle": {}, "last": {}}
        self._failed: dict[Hashable, tuple[_Item, AppError]] = {}
        self._thread: threading.Thread | None = None
        self._is_running = False  # a task is being run
        self._is_hurried = False  # a flush is waiting
        self._has_told = False  # `failed` was emitted since the last `saved`
        self._retry_at = 0.0

    @property
    def has_unsaved(self) -> bool:
        with self._wake:
            return bool(self._has_queued or self._failed or self._is_running)

    @property
    def _has_queued(self) -> bool:
        return any(self._queues.values())

    def enqueue(self, key: Hashable, task: Task, *, rank: Rank = "middle") -> None:
        """Have `task` run soon, in place of an earlier one of `key`.

        Args:
            key: what is saved.
            task: called on the writer thread; raises AppError when it could not save.
            rank: see `Rank`.
        """
        with self._wake:
            self._failed.pop(key, None)
            if self._failed and time.monotonic() >= self._retry_at:
                self._requeue_failed()
            self._queues[rank][key] = _Item(key, task, rank)
            self._start()

    def flush(self) -> None:
        """Block until everything enqueued is on disk. Raises the first AppError; what failed is kept."""
        with self._wake:
            if self._thread is threading.current_thread():
                raise RuntimeError("flush called from the writer thread")
            self._requeue_failed()
            if self._has_queued:
                self._start()
            self._is_hurried = True
            self._wake.notify_all()
            self._wake.wait_for(lambda: self._thread is None)
            self._is_hurried = False
            for _, error in self._failed.values():
                raise error

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="mask-writer")
            self._thread.start()

    def _requeue_failed(self) -> None:
        """In front of what came later, in their order."""
        for rank, queue in self._queues.items():
            again = {key: item for key, (item, _) in self._failed.items() if item.rank == rank and key not in queue}
            self._queues[rank] = {**again, **queue}
        self._failed.clear()

    def _run(self) -> None:
        with self._wake:
            self._wake.wait_for(lambda: self._is_hurried, self.DELAY)
        while True:
            item = self._pick()
            if item is not None:
                self._attempt(item)
                continue
            self._tell_saved()
            with self._wake:
                if self._next_item() is None:
                    self._thread = None
                    self._wake.notify_all()
                    return

    def _next_item(self) -> _Item | None:
        """The oldest of the first rank that has any."""
        for rank, queue in self._queues.items():
            if queue and (rank != "last" or not self._failed):
                return next(iter(queue.values()))
        return None

    def _pick(self) -> _Item | None:
        with self._wake:
            item = self._next_item()
            if item is not None:
                del self._queues[item.rank][item.key]
                self._is_running = True
            return item

    def _attempt(self, item: _Item) -> None:
        error: AppError | None = None
        try:
            item.task()
        except AppError as raised:
            error = raised
        except Exception as raised:  # a defect; the thread and the data have to survive it
            _log.exception("saving %s failed", item.key)
            error = AppError(f"{item.key}: cannot be saved: {raised}.", "See the log.")
        with self._wake:
            self._is_running = False
            if error is None:
                return
            self._retry_at = time.monotonic() + self.RETRY_AFTER
            if item.key not in self._queues[item.rank]:
                self._failed[item.key] = (item, error)
            is_news, self._has_told = not self._has_told, True
        if is_news:
            self._emit(lambda: self.failed.emit(error))

    def _tell_saved(self) -> None:
        with self._wake:
            if self._failed or self._has_queued:
                return
            self._has_told = False
            self.last_saved = time.time()
        self._emit(self.saved.emit)

    def _emit(self, emit: Callable[[], None]) -> None:
        try:
            emit()
        except Exception:  # a listener's defect must not end the saving
            _log.exception("a listener of the mask writer failed")
