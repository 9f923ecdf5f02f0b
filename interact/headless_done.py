"""How a job of a list knows that it was done before: a file beside its masks says from what they were made."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from storage.atomic_file import write_atomic
from util.config import HEADLESS, AppConfig
from util.errors import AppError

DONE_NAME = "propagate-done.json"

_NO_SETTINGS = frozenset({"video", "images", "masks", "output", "list_file", "device", "mem_profile"})
"""Flags that say where something is or how fast it goes: masks do not depend on them, or their files are looked at."""


def job_record(config: AppConfig) -> dict[str, object]:
    """What the masks of a job depend on: its settings, and names, sizes and times of its input files.

    Raises:
        AppError: an input is not there.
    """
    settings = {
        entry.name: str(getattr(config, entry.name))
        for entry in fields(config)
        if HEADLESS in entry.metadata["flag"].programs and entry.name not in _NO_SETTINGS
    }
    inputs = (config.source, config.masks, config.weights, config.fusion_model)
    return {"settings": settings, "inputs": {str(path.absolute()): _state(path) for path in inputs if path is not None}}


def is_done(config: AppConfig, record: dict[str, object]) -> bool:
    """Whether this very job was finished before and what it wrote is still there."""
    assert config.output is not None
    try:
        note = json.loads((config.output / DONE_NAME).read_text())
    except (OSError, ValueError):
        return False  # not done, or nobody can tell: it is done again
    if not isinstance(note, dict) or note.get("job") != record:
        return False
    others = (config.overlay, config.stats, config.workspace)
    num_masks = sum(path.suffix == ".png" for path in config.output.iterdir())
    return num_masks >= note.get("masks", 0) and all(path is None or path.exists() for path in others)


def note_done(config: AppConfig, record: dict[str, object], num_masks: int) -> None:
    """Leave the note. AppError when it cannot be written.

    Args:
        record: of the job as it was when it began.
    """
    assert config.output is not None
    write_atomic(config.output / DONE_NAME, json.dumps({"job": record, "masks": num_masks}, indent=1).encode())


def _state(path: Path) -> str:
    """A checksum of what can be seen of a file, or of the files in a folder, without reading them."""
    digest = hashlib.sha256()
    try:
        for file in _files(path):
            seen = file.stat()
            digest.update(f"{file.name} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    except OSError as error:
        raise AppError(f"{path}: cannot be read ({error.strerror or error}).", "Check the list.") from error
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from sorted(file for file in path.iterdir() if file.is_file())
