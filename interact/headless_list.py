"""Many videos in one go: the file of `--list`, and what became of each job.

A line of the file is a JSON object; its names are those of the flags: `{"video": "a.mp4", "masks": "a", "output":
"out/a"}`. Relative paths count from the folder of the file, so that a list and its videos travel together. Empty lines
and lines that begin with `#` say nothing.
"""
from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

from storage.io_errors import reason
from util.config import JOB_FIELDS, AppConfig, headless_complaint
from util.errors import AppError
from util.flags import Flag

_ROWS = {entry.name: cast(Flag, entry.metadata["flag"]) for entry in fields(AppConfig) if entry.name in JOB_FIELDS}


_EXAMPLE = 'Write it like {"video": "a.mp4", "masks": "a", "output": "out/a"}.'


@dataclass(frozen=True)
class ListedJob:
    """One line of a list, with the settings that were given for all of them."""

    line: int
    config: AppConfig

    @property
    def name(self) -> str:
        return str(self.config.output)


State = Literal["done", "done before", "failed", "stopped"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class JobEnd:
    """What became of a job. `note`: what is wrong, for one that failed."""

    line: int
    name: str
    state: State
    frames: int = 0
    seconds: float = 0.0
    note: str = ""


def read_list(config: AppConfig) -> tuple[ListedJob, ...]:
    """All jobs of `config.list_file`; the rest of `config` holds for each. AppError for a line that makes no sense."""
    file = config.list_file
    assert file is not None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise AppError(f"--list {file}: cannot be read ({reason(error)}).", "Check the name.") from error
    except UnicodeDecodeError as error:
        raise AppError(f"--list {file}: is no text file in UTF-8.", "Write one JSON object per line.") from error
    jobs = [
        ListedJob(number, _job(line, f"{file}, line {number}", config))
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not jobs:
        raise AppError(f"--list {file}: holds no job.", "Write one JSON object per line.")
    _check_outputs(file, jobs)
    return tuple(jobs)


def _job(line: str, place: str, config: AppConfig) -> AppConfig:
    try:
        given = json.loads(line)
    except ValueError as error:
        raise AppError(f"{place}: is no JSON ({error}).", _EXAMPLE) from error
    if not isinstance(given, dict):
        raise AppError(f"{place}: is no JSON object.", _EXAMPLE)
    values = {name: _value(name, value, place, config) for name, value in given.items()}
    job = replace(config, list_file=None, **values)
    wrong = headless_complaint(job)
    if wrong is not None:
        raise AppError(f"{place}: {wrong}.", "Names in a line are those of the flags, without their dashes.")
    return job


def _value(name: str, value: object, place: str, config: AppConfig) -> Any:  # noqa: ANN401 - as the field has it
    row = _ROWS.get(name)
    if row is None:
        raise AppError(f"{place}: '{name}' is unknown.", f"A line may say {', '.join(sorted(_ROWS))}.")
    if row.parse is None:
        if not isinstance(value, bool):
            raise AppError(f"{place}: '{name}' is true or false, not {value!r}.", "Write it without quotation marks.")
        return value
    if not isinstance(value, str):
        raise AppError(f"{place}: '{name}' needs a text, got {value!r}.", "Write it in quotation marks.")
    try:
        parsed = row.parse(value)
    except argparse.ArgumentTypeError as error:
        raise AppError(f"{place}: '{name}' {error}.", "As for the flag of the same name.") from error
    assert config.list_file is not None
    return config.list_file.parent / parsed if isinstance(parsed, Path) else parsed


def _check_outputs(file: Path, jobs: Sequence[ListedJob]) -> None:
    """No two jobs may write to the same place."""
    taken: dict[Path, int] = {}
    for job in jobs:
        settings = job.config
        for path in (settings.output, settings.overlay, settings.stats, settings.workspace):
            first = None if path is None else taken.setdefault(path.resolve(), job.line)
            if first not in (None, job.line):
                raise AppError(
                    f"{file}, line {job.line}: {path} is written by line {first} as well.", "Name another place."
                )


def as_table(ends: Sequence[JobEnd]) -> str:
    """A line per job, in the order of the list, and one that counts them."""
    ordered = sorted(ends, key=lambda end: end.line)
    rows = [("output", "state", "frames", "seconds", "")]
    rows += [(e.name, e.state, str(e.frames or "-"), f"{e.seconds:.1f}" if e.seconds else "-", e.note) for e in ordered]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    left, right = widths[:2], widths[2:]
    lines = []
    for row in rows:
        names = [text.ljust(width) for text, width in zip(row[:2], left, strict=True)]
        numbers = [text.rjust(width) for text, width in zip(row[2:4], right, strict=True)]
        lines.append("  ".join([*names, *numbers, row[4]]).rstrip())
    counts = [(state, sum(end.state == state for end in ends)) for state in STATES]
    lines.append(f"{len(ends)} videos: " + ", ".join(f"{count} {state}" for state, count in counts if count))
    return "\n".join(lines)
