"""Long work as a value: a generator that a worker thread runs and whose results the owner thread applies.

The window runs a `Job` on its worker thread (`gui/job_runner.py`), tests and command-line programs run the same object
with `run_inline`. Nothing here knows about Qt.
"""
from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

E = TypeVar("E")


class Cancelled(Exception):
    """Raised inside a job's generator by `CancelToken.check` after `cancel`."""


class CancelToken:
    """A flag that any thread may set and the job polls between two steps."""

    def __init__(self) -> None:
        self._flag = threading.Event()

    def cancel(self) -> None:
        self._flag.set()

    @property
    def is_cancelled(self) -> bool:
        return self._flag.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if `cancel` was called."""
        if self._flag.is_set():
            raise Cancelled


@dataclass(frozen=True)
class Outcome:
    """How a job ended. `error` is set exactly when `kind` is "failed"."""

    kind: Literal["done", "cancelled", "failed"]
    error: BaseException | None = None


@dataclass(frozen=True)
class Job(Generic[E]):
    """Work in steps.

    Args:
        name: what the progress bar says.
        total: number of events to expect, None when unknown (busy bar).
        run: called on the worker; yields results and calls `token.check()` between them.
        apply: called on the owner thread for every result, in order; the only place that writes stores.
        finish: called on the owner thread exactly once, after the last `apply`.
    """

    name: str
    total: int | None
    run: Callable[[CancelToken], Generator[E, None, None]]
    apply: Callable[[E], None]
    finish: Callable[[Outcome], None]


def run_inline(job: Job[E], token: CancelToken | None = None) -> Outcome:
    """Run a job in the calling thread. A failure is returned in the outcome, after `finish` has seen it."""
    token = token or CancelToken()
    outcome = Outcome("done")
    generator = job.run(token)
    try:
        for event in generator:
            job.apply(event)
    except Cancelled:
        outcome = Outcome("cancelled")
    except Exception as error:
        outcome = Outcome("failed", error)
    finally:
        generator.close()
    job.finish(outcome)
    return outcome
