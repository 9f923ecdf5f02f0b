"""Checksums of the files in `saves/`: recorded when a file first loads, compared every time after. No torch here.

The published projects name no checksums, so the first good load is the reference: what changes later is a damaged disk
or a file that was replaced, and the program must not compute with either unasked.
"""
from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path

from model import zoo
from util.errors import AppError

log = logging.getLogger(__name__)

_TABLE = "checksums.json"


def sha256(path: Path) -> str:
    """Hexadecimal checksum of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def weights_sha256(path: Path) -> str:
    """Of a weight file, or of a folder of them: then of its files' names and checksums."""
    if not path.is_dir():
        return sha256(path)
    files = [file for file in sorted(path.iterdir()) if file.is_file() and file.name != _TABLE]
    lines = [f"{sha256(file)}  {file.name}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def recorded(path: Path) -> str | None:
    """The checksum on record for a file of this name in this folder."""
    try:
        table = json.loads((path.parent / _TABLE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(path.parent / _TABLE) from error
    if not isinstance(table, dict) or not isinstance(table.get(path.name, ""), str):
        raise _unreadable(path.parent / _TABLE)
    return table.get(path.name)


def record(path: Path, checksum: str | None) -> None:
    """Note a file's checksum; None takes it off the record. Raises OSError when the table cannot be written."""
    place = path.parent / _TABLE
    table = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    table.pop(path.name, None)
    if checksum is not None:
        table[path.name] = checksum
    partial = place.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(partial, place)


def verify(path: Path) -> None:
    """Compare a file in `saves/` with its record, if there is one. Raises AppError if it has changed."""
    if not _is_kept(path) or not path.is_file():
        return
    expected = recorded(path)
    if expected is not None and sha256(path) != expected:
        raise changed(path)


def remember(path: Path) -> None:
    """Record a file in `saves/` that has just loaded, unless it is on record. A folder that is read-only stays so."""
    if not _is_kept(path) or recorded(path) is not None:
        return
    try:
        record(path, sha256(path))
    except OSError as error:
        log.warning("The checksum of %s cannot be recorded: %s", path, error.strerror)


def changed(path: Path) -> AppError:
    """A file that is not the one on record."""
    return AppError(
        f"{path} has changed since it was first used.",
        "It is damaged or was replaced: delete it and download it again, or if you replaced it yourself take it in by "
        "`python download_model.py NAME --from FILE`.",
    )


def _is_kept(path: Path) -> bool:
    folder = path.resolve().parent
    return zoo.SAVES.resolve() in (folder, folder.parent)  # the latter: a file of a folder of weights


def _unreadable(table: Path) -> AppError:
    return AppError(f"{table} is damaged.", "Delete it: checksums are recorded again when the files next load.")
