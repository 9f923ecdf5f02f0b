"""The files of a journal's folder: their names, and what is done about the ends that crashes leave. Owner thread."""
from __future__ import annotations

import os
from pathlib import Path

from storage.atomic_file import PARTIAL_PREFIX, remove_partials
from storage.io_errors import reason
from storage.journal_file import End, find_end
from util.errors import AppError

SUFFIX = ".journal"
DAMAGED_SUFFIX = ".damaged"


def segment_path(folder: Path, number: int) -> Path:
    """The file whose first record has this number."""
    return folder / f"{number:012d}{SUFFIX}"


def list_segments(folder: Path) -> dict[int, int]:
    """First number -> bytes; what was half written when the program was killed is removed. AppError: not readable."""
    try:
        names = os.listdir(folder)
        if any(name.startswith(PARTIAL_PREFIX) for name in names):
            remove_partials(folder)
        stems = [Path(name).stem for name in names if name.endswith(SUFFIX)]
        return {int(stem): segment_path(folder, int(stem)).stat().st_size for stem in sorted(stems) if stem.isdecimal()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise AppError(f"{folder}: cannot be read ({reason(error)}).", "Check the permissions.") from error


def last_number(folder: Path) -> int:
    """The last whole record of a journal that nobody has open, which is left as it is; 0 without any. AppError."""
    try:
        files = [path for path in folder.iterdir() if path.suffix == SUFFIX and path.stem.isdecimal()]
        for path in sorted(files, reverse=True):
            found = find_end(path)
            if found is not None:
                return found.number
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise AppError(f"{folder}: cannot be read ({reason(error)}).", "Check the permissions.") from error
    return 0


def repair(path: Path, nbytes: int) -> End | None:
    """Where a file's whole records end, which is its end from now on: another one may begin before anything is written
    to this one. What follows damage is kept beside it. None: nothing of it can be read, and it was set aside.

    Raises AppError: it cannot be read or cut. NewerVersionError.
    """
    try:
        found = find_end(path)
        if found is None:
            set_aside(path)
            return None
        if found.damaged:
            path.with_name(f"{path.stem}-{found.end}{DAMAGED_SUFFIX}").write_bytes(found.damaged)
        if nbytes > found.end:
            os.truncate(path, found.end)
        return found
    except OSError as error:
        raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the disk.") from error


def set_aside(path: Path) -> None:
    """Rename a file so that it is none of the journal's. OSError."""
    os.replace(path, path.with_suffix(DAMAGED_SUFFIX))
