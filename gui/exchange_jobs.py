"""Exports, and the look at masks before an import, as jobs for the thread of files. No Qt here."""
from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from storage.exchange.export_run import Progress, run_export
from storage.exchange.format import Format, MaskReader
from storage.exchange.import_masks import Found, open_masks, survey
from storage.exchange.material import Material
from storage.exchange.other_work import OtherWork, open_other_work
from storage.exchange.report import Report
from storage.frame_store import FrameStore
from util.jobs import CancelToken, Job, Outcome

T = TypeVar("T")


@dataclass(frozen=True)
class Surveyed:
    """Masks that may be imported, and what is in them."""

    reader: MaskReader
    found: tuple[Found, ...]


@dataclass(frozen=True)
class OtherSurveyed:
    """Work that may be merged, and what is in it."""

    other: OtherWork
    found: tuple[Found, ...]


def export_job(
    fmt: Format,
    material: Material,
    target: Path,
    told: Callable[[Progress | Report], None],
    finish: Callable[[Outcome], None],
    *,
    replace: bool,
) -> Job[Progress | Report]:
    """Ends with the report."""

    def run(token: CancelToken) -> Generator[Progress | Report, None, None]:
        yield (yield from run_export(fmt, material, target, token, replace=replace))

    return Job(f"Exporting {fmt.title}", 2 * len(material.wanted), run, told, finish)


def survey_job(
    path: Path,
    frames: FrameStore,
    fallback: int,
    told: Callable[[Surveyed | None], None],
    finish: Callable[[Outcome], None],
) -> Job[Surveyed | None]:
    """Find out what masks there are at `path`; None now and then, while it looks.

    Args:
        fallback: the frame that a single picture is for, if its name is no frame's.
    """

    def run(token: CancelToken) -> Generator[Surveyed | None, None, None]:
        reader = yield from _silently(open_masks(path, frames, fallback), token)
        yield Surveyed(reader, (yield from _silently(survey(reader), token)))

    return Job(f"Looking at {path.name}", None, run, told, finish)


def other_work_job(
    path: Path,
    frames: FrameStore,
    told: Callable[[OtherSurveyed | None], None],
    finish: Callable[[Outcome], None],
) -> Job[OtherSurveyed | None]:
    """Find out what somebody else did on the same video; None now and then, while it looks."""

    def run(token: CancelToken) -> Generator[OtherSurveyed | None, None, None]:
        other = yield from _silently(open_other_work(path, frames), token)
        yield OtherSurveyed(other, (yield from _silently(survey(other.reader), token)))

    return Job(f"Looking at {path.name}", None, run, told, finish)


def _silently(steps: Generator[int, None, T], token: CancelToken) -> Generator[None, None, T]:
    """What a generator returns, with a chance to cancel after every step."""
    while True:
        token.check()
        try:
            next(steps)
        except StopIteration as stop:
            value: T = stop.value
            return value
        yield None
