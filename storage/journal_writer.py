"""How the journal's bytes come into its files: in order, at once, and again where the disk refused them.

Owner thread, except where said. Nothing is ever written in place, but for one thing: a large record may be staged, that
is, all of it but its head be written ahead on another thread. Without a head it is not there, whatever happens; the
head, a few bytes, makes it count.
"""
from __future__ import annotations

import io
import os
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from storage.atomic_file import PARTIAL_PREFIX, disk_error, sync_folder, write_atomic
from storage.journal_file import RECORD_HEAD_BYTES
from util.errors import AppError


@dataclass(frozen=True)
class Chunk:
    """Bytes on their way into a file; at offset 0 a new file begins."""

    path: Path
    offset: int
    data: bytes


class JournalWriter:
    """Args: folder: made by the first chunk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._aside = folder / f"{PARTIAL_PREFIX}next"  # gone at the next opening, like all that is half written
        self._lock = threading.Lock()
        self._file: io.FileIO | None = None
        self._waiting: deque[Chunk] = deque()
        self._unsynced: set[Path] = set()
        self._has_new_file = False

    def waiting(self, path: Path, offset: int) -> bytes | None:
        """What is still to be written there."""
        with self._lock:
            found = (chunk.data for chunk in self._waiting if (chunk.path, chunk.offset) == (path, offset))
            return next(found, None)

    def put(self, chunk: Chunk) -> None:
        """Write now, or keep for later: `sync`, which the writer thread runs soon, tries again and tells."""
        with self._lock:
            if chunk.offset == 0:
                self._shut()
            self._waiting.append(chunk)
            try:
                self._drain()
            except OSError:
                self._shut()

    def stage(self, chunk: Chunk) -> bool:
        """Any thread: write a record at the end of its file, but for its head; whether that was possible.

        Until it is committed or dropped nothing else may be put.
        """
        with self._lock:
            if self._waiting:
                return False  # what comes before it is not there yet
            self._shut()
            try:
                with io.FileIO(chunk.path, "r+b") as file:
                    file.truncate(chunk.offset)
                    _write(file, memoryview(chunk.data)[RECORD_HEAD_BYTES:], chunk.offset + RECORD_HEAD_BYTES)
            except OSError:
                return False
            return True

    def commit(self, chunk: Chunk) -> None:
        """Make a staged record count. A disk that refuses gets all of it anew, as by `put`."""
        with self._lock:
            try:
                with io.FileIO(chunk.path, "r+b") as file:
                    _write(file, memoryview(chunk.data)[:RECORD_HEAD_BYTES], chunk.offset)
                self._unsynced.add(chunk.path)
                return
            except OSError:
                pass
        self.put(chunk)

    def drop(self, chunk: Chunk) -> None:
        """Take away what was staged. Raises AppError."""
        try:
            os.truncate(chunk.path, chunk.offset)
        except OSError as error:
            raise disk_error(error, chunk.path) from error

    def write_aside(self, data: bytes) -> None:
        """Writer thread: a file that may become part of the journal by `adopt`; one at a time. Raises AppError."""
        write_atomic(self._aside, data)

    def adopt(self, path: Path) -> bool:
        """Give the file that was written aside its place; whether that was possible."""
        with self._lock:
            if self._waiting:
                return False  # what comes before it is not there yet
            self._shut()
            try:
                os.replace(self._aside, path)
            except OSError:
                return False
            self._unsynced.add(path)
            self._has_new_file = True
            return True

    def sync(self) -> None:
        """Writer thread: have everything on the medium. Raises AppError; what could not be written is kept."""
        with self._lock:
            try:
                self._drain()
            except OSError as error:
                self._shut()
                raise disk_error(error, self._folder) from error
            paths, self._unsynced = self._unsynced, set()
            has_new_file, self._has_new_file = self._has_new_file, False
        for path in paths:
            try:
                descriptor = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                continue  # trimmed
            except OSError as error:
                raise disk_error(error, path) from error
            try:
                os.fsync(descriptor)
            except OSError as error:
                raise disk_error(error, path) from error
            finally:
                os.close(descriptor)
        if has_new_file:
            sync_folder(self._folder)

    def close(self) -> None:
        with self._lock:
            self._shut()

    # -- with the lock held

    def _shut(self) -> None:
        """The next write opens the file anew."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _drain(self) -> None:
        """Raises OSError; whatever part of a chunk was written is written over next time."""
        while self._waiting:
            chunk = self._waiting[0]
            if chunk.offset == 0:
                self._folder.mkdir(exist_ok=True)
                self._create(chunk)
                self._has_new_file = True
            else:
                if self._file is None:
                    self._file = io.FileIO(chunk.path, "r+b")
                    self._file.truncate(chunk.offset)
                _write(self._file, memoryview(chunk.data), chunk.offset)
            self._unsynced.add(chunk.path)
            self._waiting.popleft()

    def _create(self, chunk: Chunk) -> None:
        try:
            write_atomic(chunk.path, chunk.data)
        except AppError as error:
            assert isinstance(error.__cause__, OSError)
            raise error.__cause__ from error


def _write(file: io.FileIO, left: memoryview, offset: int) -> None:
    file.seek(offset)
    while left:
        left = left[file.write(left) :]
