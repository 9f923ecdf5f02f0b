"""Whether this machine has what the program needs: every point with a plain sentence. No Qt; torch only when asked.

The window shows it as a page, `interactive_gui.py --self_check` prints it.
"""
from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import av

from inference_core import registry
from inference_core.registry import WeightFile, weight_files
from storage.codecs import Coder, sort_out
from storage.disk_space import NEARLY_FULL
from util.errors import AppError

State = Literal["ok", "note", "fault"]
"""In order; works, but something is missing that may be wanted; the program cannot do its work like this."""

SMALL_FREE = 2 << 30
"""Bytes: below the first nothing can be saved safely, below the second a long clip may fill the disk."""


@dataclass(frozen=True)
class Finding:
    """One line. Args: text: what was found; hint: what to do, empty when nothing has to be done."""

    name: str
    state: State
    text: str
    hint: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What is known elsewhere.

    Args:
        qt: Qt's version and platform, or what keeps it from starting.
        has_qt: whether it starts.
        describe_device: says where the networks run; raises AppError. May take seconds, for it loads torch.
        folders: where files are written, by what they are for; one that is missing counts as its parent.
        log: the log file.
    """

    qt: str
    has_qt: bool
    describe_device: Callable[[], str]
    folders: Sequence[tuple[str, Path]]
    log: Path


def describe_device(name: str, *, mixed_precision: bool) -> str:
    """Where the networks would run. Imports torch. Raises AppError where this machine has no such device."""
    from inference_core.factory import describe_device as describe

    return describe(name, mixed_precision=mixed_precision)


def self_check(here: Surroundings) -> Iterator[Finding]:
    """All findings, the quick ones first. Every one is made when it is asked for."""
    yield Finding("System", "ok", f"{platform.platform()}, Python {platform.python_version()}")
    hint = "" if here.has_qt else "Run `bash tools/system_packages.sh check`: it names what is missing."
    yield Finding("Qt", "ok" if here.has_qt else "fault", here.qt, hint)
    yield check_weights(weight_files())
    yield check_codecs(*sort_out())
    for purpose, folder in here.folders:
        yield check_folder(purpose, folder)
    yield Finding("Log file", "ok", str(here.log))
    try:
        yield Finding("Device", "ok", here.describe_device())
    except AppError as error:
        yield Finding("Device", "fault", error.message, error.hint)


def check_weights(entries: Sequence[WeightFile]) -> Finding:
    """The engine that works everywhere needs its own; what else is missing is something that cannot be chosen."""
    needed = registry.choose(registry.AUTO, has_gpu=False).weights
    lost = [entry.title for entry in entries if entry.name == needed and not entry.is_present]
    if lost:
        return Finding("Weights", "fault", f"missing: {', '.join(lost)}", "Restore them from the repository.")
    here = [entry.title for entry in entries if entry.is_present]
    missing = [entry.title for entry in entries if not entry.is_present]
    text = f"{len(here)} of {len(entries)} networks are here: {', '.join(here)}"
    if not missing:
        return Finding("Weights", "ok", text)
    return Finding("Weights", "note", text, "Tools, “Networks and weights…” says what the others do and fetches them.")


def check_codecs(there: Sequence[Coder], missing: Sequence[Coder]) -> Finding:
    text = f"PyAV {av.__version__}: {', '.join(coder.title for coder in there) or 'nothing works'}"
    if not missing:
        return Finding("Video formats", "ok", text)
    text += f"; missing: {', '.join(coder.title for coder in missing)}"
    if any(coder.is_needed for coder in missing):
        return Finding("Video formats", "fault", text, "Install PyAV from its wheel: pip install --force-reinstall av.")
    return Finding("Video formats", "note", text, "This build of PyAV lacks them; other formats work.")


def check_folder(purpose: str, folder: Path) -> Finding:
    """Whether a file can be written there, and how much room is left."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.NamedTemporaryFile(dir=place) as file:
            file.write(b"self check")
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(place).free
    except OSError as error:
        text = f"{folder}: nothing can be written there ({error.strerror or error})"
        return Finding(purpose, "fault", text, "Check the folder's permissions and the disk.")
    text = f"{folder}: can be written, {free / (1 << 30):.1f} GB free"
    if free < NEARLY_FULL:
        return Finding(purpose, "fault", text, "Make room on this disk: nothing can be saved safely.")
    if free < SMALL_FREE:
        return Finding(purpose, "note", text, "A long clip may need more room.")
    return Finding(purpose, "ok", text)


_WORDS = {"ok": "ok", "note": "note", "fault": "FAULT"}


def as_text(findings: Sequence[Finding]) -> str:
    """One line each, what to do below it."""
    lines = []
    for finding in findings:
        lines.append(f"{_WORDS[finding.state]:5}  {finding.name}: {finding.text}")
        lines += [f"       {finding.hint}"] if finding.hint else []
    return "\n".join(lines)
