"""A job that keeps a record of what happened to it. For tests of the job runner."""
from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

from util.jobs import CancelToken, Job, Outcome


@dataclass
class Record:
    """A job and everything that happened to it."""

    name: str = "job"
    results: list[object] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    run_threads: set[threading.Thread] = field(default_factory=set)
    closed_in: list[threading.Thread] = field(default_factory=list)
    apply_error: Exception | None = None
    finish_error: Exception | None = None

    def apply(self, result: object) -> None:
        assert threading.current_thread() is threading.main_thread()
        if self.apply_error is not None:
            raise self.apply_error
        self.results.append(result)

    def finish(self, outcome: Outcome) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.outcomes.append(outcome)
        if self.finish_error is not None:
            raise self.finish_error

    def job(self, steps: Callable[[CancelToken], Iterator[object]], total: int | None = None) -> Job[object]:
        def run(token: CancelToken) -> Generator[object, None, None]:
            try:
                for step in steps(token):
                    self.run_threads.add(threading.current_thread())
                    yield step
            finally:
                self.closed_in.append(threading.current_thread())

        return Job(self.name, total, run, self.apply, self.finish)

    @property
    def is_over(self) -> bool:
        return bool(self.outcomes)
