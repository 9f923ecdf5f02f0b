"""One program at a time in a folder. The operating system's file lock does it: it ends with the process, however
that ends, so there is no stale lock to clear away."""
from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path
from typing import BinaryIO

from storage.atomic_file import disk_error
from util.errors import AppError

LOCK_NAME = "workspace.lock"

_LOCKED_BYTE = 1 << 30  # Windows forbids others to read what is locked; the text stands far in front of it
_held: set[Path] = set()  # folders this process holds: some network file systems lock per process, not per open file


class FolderLock:
    """Holds `folder` from construction to `release`. The lock file stays behind; what it says then has no meaning.

    Args:
        what: what the folder is called, and hint: what to do, when another program holds it.

    Raises AppError: another program (or another window of this one) holds it, or the folder cannot be locked.
    """

    def __init__(
        self,
        folder: Path,
        *,
        what: str = "workspace",
        hint: str = "Close the other window, or choose another folder with --workspace.",
    ) -> None:
        self._folder = folder.resolve()
        path = self._folder / LOCK_NAME
        if self._folder in _held:
            raise AppError(_in_use(folder, what, f"{os.getpid()} on {socket.gethostname()}, this program itself"), hint)
        try:
            # Not "w": the present holder's text must survive our attempt.
            self._file: BinaryIO = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        except OSError as error:
            raise disk_error(error, path) from error
        try:
            _lock(self._file)
            self._file.truncate(0)
            self._file.write(f"{os.getpid()} on {socket.gethostname()}\n".encode())
            self._file.flush()
        except BlockingIOError as error:
            self._file.seek(0)
            owner = self._file.read(200).decode(errors="replace").strip()
            self._file.close()
            raise AppError(_in_use(folder, what, owner or "unknown"), hint) from error
        except OSError as error:
            self._file.close()
            raise disk_error(error, path) from error
        _held.add(self._folder)

    def release(self) -> None:
        """Let others in. A second call does nothing."""
        if not self._file.closed:
            self._file.close()  # closing is what ends the lock
            _held.discard(self._folder)


def _in_use(folder: Path, what: str, owner: str) -> str:
    return f"{folder}: this {what} is in use by process {owner}."


def _lock(file: BinaryIO) -> None:
    """Take the exclusive lock or raise BlockingIOError."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EDEADLOCK):
                raise BlockingIOError(*error.args) from error
            raise
        finally:
            file.seek(0)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
