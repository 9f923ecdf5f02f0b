"""Files that are either the old version or the new one, never half of it. Any thread; numpy- and Qt-free.

A new version is written under a temporary name in the same folder and then renamed over the old one. A process that
dies in between leaves only a file that `remove_partials` recognises.
"""
from __future__ import annotations

import errno
import os
import secrets
import sys
from pathlib import Path

from storage.io_errors import reason
from util.errors import AppError

PARTIAL_PREFIX = ".partial-"


def write_atomic(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Make `path` hold exactly `data`, or leave it as it was.

    Args:
        path: the file; its folder must exist.
        data: the whole content.
        durable: wait until the content is on the medium, so that a power failure cannot leave an empty file.

    Raises:
        AppError: disk full, no permission or any other failure of the file system; the old file is untouched.
    """
    # The temporary name does not contain the file's own: that one may already be as long as the file system allows.
    partial = path.parent / f"{PARTIAL_PREFIX}{secrets.token_hex(8)}"
    try:
        try:
            with open(partial, "xb") as file:
                file.write(data)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise disk_error(error, path) from error


def sync_folder(folder: Path) -> None:
    """Wait until renames and removals inside `folder` are on the medium; raises AppError."""
    if sys.platform == "win32":  # folders cannot be opened there; NTFS journals renames itself
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTSUP):  # file systems without it (some network mounts) say so
            return
        raise disk_error(error, folder) from error


def remove_partials(folder: Path) -> int:
    """Delete what a killed process left half-written in `folder` (not below it); returns how many files that were.

    Only for a folder that no other process is writing to. Raises AppError.
    """
    removed = 0
    try:
        for path in folder.iterdir():
            if path.name.startswith(PARTIAL_PREFIX):
                path.unlink()
                removed += 1
    except OSError as error:
        raise disk_error(error, folder) from error
    return removed


def disk_error(error: OSError, path: Path) -> AppError:
    """The message a person needs for a failed write, removal or creation of `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return AppError(f"{path}: cannot be saved: the disk is full.", "Free some space and save again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return AppError(
            f"{path}: cannot be written ({reason(error)}).", "Change the permissions or choose another folder."
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return AppError(f"{path}: cannot be written: the folder does not exist.", "Create it or choose another one.")
    return AppError(f"{path}: cannot be written ({reason(error)}).", "Check the disk or choose another folder.")
