"""What the window does with weight files, as jobs for a worker thread: fetch, take in by hand, verify. No Qt here."""
from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gui.engine import preload_libraries
from inference_core.registry import WeightFile, install_weights, verify_weights
from storage import weight_fetch
from storage.http_download import Report
from util.errors import AppError
from util.jobs import CancelToken, Job, Outcome

Work: TypeAlias = Callable[[WeightFile, Report, CancelToken], str]
"""Does something with one entry and says what came of it; raises AppError."""


@dataclass(frozen=True)
class Step:
    """What happened to one entry. Neither text nor error: its turn has come."""

    entry: WeightFile
    text: str = ""
    error: AppError | None = None


def fetch(entry: WeightFile, report: Report, token: CancelToken) -> str:
    """From the network."""

    def accept(file: Path) -> None:
        preload_libraries()
        install_weights(entry, file, is_chosen=False)

    return f"from {weight_fetch.fetch(entry, accept, report, token)}"


def take(file: Path) -> Work:
    """From a file that the user chose."""

    def work(entry: WeightFile, report: Report, token: CancelToken) -> str:
        def accept(copy: Path) -> None:
            preload_libraries()
            install_weights(entry, copy, is_chosen=True)

        weight_fetch.take_in(entry, file, accept)
        return f"from {file}"

    return work


def verify(entry: WeightFile, report: Report, token: CancelToken) -> str:
    """Against the recorded checksum."""
    preload_libraries()
    return verify_weights(entry)


def weights_job(
    what: str,
    entries: Sequence[WeightFile],
    work: Work,
    report: Report,
    apply: Callable[[Step], None],
    finish: Callable[[Outcome], None],
) -> Job[Step]:
    """Do `work` with every entry. One that fails does not keep the others from their turn.

    Args:
        report: called on the worker thread, with bytes here and bytes in all.
    """

    def run(token: CancelToken) -> Generator[Step, None, None]:
        for entry in entries:
            token.check()
            yield Step(entry)
            try:
                yield Step(entry, text=work(entry, report, token))
            except AppError as error:
                yield Step(entry, error=error)

    return Job(what, None, run, apply, finish)
