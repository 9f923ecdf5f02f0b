"""The journal of a workspace: what was done, appended before it takes effect. Owner thread; `sync` the writer thread.

    <workspace>/journal/<number of the first record>.journal    (storage/journal_file.py)

It serves two ends. After a crash the records since the last saved project file bring the workspace to the last action.
And it is the memory of undo: a step that was pushed out of memory is read back from here. The files together stay below
a quota; over it the oldest goes as a whole. Every file but the very first begins with a snapshot, so any later part of
the journal can be read without the earlier ones.

A record reaches the operating system at once, so a killed program loses none; the writer thread has it on the medium
before it saves any mask that the record is about.
"""
from __future__ import annotations

import io
import os
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from storage.atomic_file import PARTIAL_PREFIX, disk_error, remove_partials, sync_folder, write_atomic
from storage.io_errors import reason
from storage.journal_file import (
    FILE_HEAD_BYTES,
    DamagedRecordError,
    Record,
    file_head,
    find_end,
    read_record,
    record_bytes,
    whole_records,
)
from storage.mask_writer import MaskWriter
from storage.project import Json
from util.errors import AppError
from util.observer import Signal

SUFFIX = ".journal"
DAMAGED_SUFFIX = ".damaged"
DEFAULT_QUOTA = 2 << 30

Meta = Mapping[str, Json]
Snapshot = Callable[[], tuple[Meta, bytes]]


@dataclass(frozen=True, order=True)
class Address:
    """Where a record is. `segment`: number of its file's first record."""

    segment: int
    offset: int


@dataclass(frozen=True)
class _Chunk:
    """Bytes on their way into a file; at offset 0 a new file begins."""

    path: Path
    offset: int
    data: bytes


class Journal:
    """The folder is made by the first append.

    Attributes:
        snapshot: gives the first record of a new file; set by who appends. Called while `append` runs, before the new
            record has had any effect.
        trimmed: emitted on the owner thread with the number of the first segment that is left.
        notice: what the user should know about this opening; empty when nothing is unusual.

    Raises:
        NewerVersionError: written by a newer version of the program. AppError: the folder cannot be read.
    """

    SEGMENT_BYTES = 16 << 20

    def __init__(self, folder: Path, writer: MaskWriter, *, quota_bytes: int = DEFAULT_QUOTA) -> None:
        self.folder = folder
        self.quota_bytes = quota_bytes
        self.snapshot: Snapshot | None = None
        self.trimmed: Signal[[int]] = Signal()
        self.notice = ""
        self.last_number = 0
        self._writer = writer
        self._lock = threading.Lock()
        self._file: io.FileIO | None = None
        self._waiting: deque[_Chunk] = deque()
        self._unsynced: set[Path] = set()
        self._has_new_file = False
        self._checkpoint = 0
        self._references: deque[tuple[int, int]] = deque()  # number of a record, segment it refers to
        self._id = uuid.uuid4().bytes
        self._sizes = self._list_segments()
        self._end = 0  # of the last segment
        while self._sizes and not self._read_last_segment():
            pass

    # -- what is there

    @property
    def journal_id(self) -> str:
        """Empty before the first record."""
        return self._id.hex() if self._sizes else ""

    @property
    def nbytes(self) -> int:
        return sum(self._sizes.values())

    @property
    def first_segment(self) -> int:
        """Number of the oldest record that is left; 1 more than the last one when there is none."""
        return min(self._sizes, default=self.last_number + 1)

    def end_of(self, segment: int) -> int:
        """Bytes of a file, with what is still to be written. Raises AppError when it is gone."""
        if segment not in self._sizes:
            raise AppError(f"{self._path(segment)} is gone.", "Older steps can no longer be undone.")
        return self._end if segment == max(self._sizes) else self._sizes[segment]

    def read(self, address: Address) -> Record:
        """Raises DamagedRecordError; AppError when the file is gone or cannot be read."""
        path = self._path(address.segment)
        with self._lock:
            for chunk in self._waiting:
                if (chunk.path, chunk.offset) == (path, address.offset):
                    record = read_record(io.BytesIO(chunk.data), 0, path)
                    return Record(record.number, record.meta, record.body, address.offset, record.nbytes)
        try:
            with open(path, "rb") as file:
                return read_record(file, address.offset, path)
        except OSError as error:
            raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the disk.") from error

    def records_from(self, address: Address) -> Iterator[tuple[Address, Record]]:
        """For use before the first append: the record at `address` and all that follow, up to the end or to damage."""
        for segment in sorted(segment for segment in self._sizes if segment >= address.segment):
            path, is_last = self._path(segment), segment == max(self._sizes)
            end = 0
            try:
                with open(path, "rb") as file:
                    start = address.offset if segment == address.segment else FILE_HEAD_BYTES
                    for record in whole_records(file, path, start):
                        yield Address(segment, record.offset), record
                        end = record.offset + record.nbytes
            except OSError as error:
                raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the disk.") from error
            if not is_last and end < self._sizes[segment]:
                raise DamagedRecordError(f"{path}: is damaged at byte {end}.", "Older steps can no longer be undone.")

    def start_of(self, number: int) -> Address | None:
        """Where the file begins that holds record `number`, or would; None when that part is gone or never was."""
        segments = [segment for segment in self._sizes if segment <= number]
        return Address(max(segments), FILE_HEAD_BYTES) if segments else None

    # -- writing

    def append(self, meta: Meta, body: bytes = b"", *, refers: Address | None = None, may_roll: bool = True) -> Address:
        """Write a record. A disk that refuses it is told by the writer's `failed`; the record is then kept in memory.

        Args:
            refers: the older record that this one cannot be understood without.
            may_roll: whether a new file may begin here.
        """
        is_full = self._end >= min(self.SEGMENT_BYTES, max(self.quota_bytes // 8, 1))
        if not self._sizes or (is_full and may_roll):
            self.begin_segment()
        with self._lock:
            number = self.last_number + 1
            segment = max(self._sizes)
            data = record_bytes(number, meta, body)
            address = Address(segment, self._end)
            self._put(_Chunk(self._path(segment), self._end, data))
            self.last_number = number
            if refers is not None:
                self._references.append((number, refers.segment))
        self._trim()
        self._writer.enqueue(self.folder, self.sync, rank="first")
        return address

    def begin_segment(self) -> None:
        """Start a new file with a snapshot."""
        if self.snapshot is None:
            raise RuntimeError("a journal needs to know how to take a snapshot")
        meta, body = self.snapshot()
        with self._lock:
            self._shut()
            number = self.last_number + 1
            self._sizes[number] = 0
            self._end = 0
            self._put(_Chunk(self._path(number), 0, file_head(self._id) + record_bytes(number, meta, body)))
            self.last_number = number
        self._writer.enqueue(self.folder, self.sync, rank="first")

    def checkpoint(self, number: int) -> None:
        """Any thread: the records up to `number` are no longer needed to recover from a crash."""
        self._checkpoint = number

    def sync(self) -> None:
        """Writer thread: have everything on the medium. Raises AppError; what could not be written is kept."""
        with self._lock:
            try:
                self._drain()
            except OSError as error:
                self._shut()
                raise disk_error(error, self.folder) from error
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
            sync_folder(self.folder)

    def close(self) -> None:
        with self._lock:
            self._shut()

    def set_aside(self) -> None:
        """Rename every file, so that the journal begins anew. For one that does not fit its workspace. AppError."""
        try:
            for segment in list(self._sizes):
                path = self._path(segment)
                os.replace(path, path.with_suffix(DAMAGED_SUFFIX))
                del self._sizes[segment]
        except OSError as error:
            raise disk_error(error, self.folder) from error
        self._id = uuid.uuid4().bytes
        self._end = self.last_number = self._checkpoint = 0

    # -- inside

    def _put(self, chunk: _Chunk) -> None:
        """With the lock held: write now, or keep for later."""
        self._waiting.append(chunk)
        self._end = chunk.offset + len(chunk.data)
        self._sizes[max(self._sizes)] = self._end
        try:
            self._drain()
        except OSError:
            self._shut()  # `sync`, which the writer runs soon, tries again and tells

    def _shut(self) -> None:
        """With the lock held: the next write opens the file anew."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _drain(self) -> None:
        """With the lock held. Raises OSError; whatever part of a chunk was written is written over next time."""
        while self._waiting:
            chunk = self._waiting[0]
            if chunk.offset == 0:
                self.folder.mkdir(exist_ok=True)
                self._create(chunk)
                self._has_new_file = True
            else:
                if self._file is None:
                    self._file = io.FileIO(chunk.path, "r+b")
                    self._file.truncate(chunk.offset)
                self._file.seek(chunk.offset)
                left = memoryview(chunk.data)
                while left:
                    left = left[self._file.write(left) :]
            self._unsynced.add(chunk.path)
            self._waiting.popleft()

    def _create(self, chunk: _Chunk) -> None:
        try:
            write_atomic(chunk.path, chunk.data)
        except AppError as error:
            assert isinstance(error.__cause__, OSError)
            raise error.__cause__ from error

    def _trim(self) -> None:
        """Delete the oldest files while the quota is exceeded and a recovery could not need them."""
        while self._references and self._references[0][0] <= self._checkpoint:
            self._references.popleft()
        needed = min((segment for _, segment in self._references), default=max(self._sizes))
        segments = sorted(self._sizes)
        has_trimmed = False
        while self.nbytes > self.quota_bytes and len(segments) > 1:
            oldest, following = segments[:2]
            if following > self._checkpoint + 1 or oldest >= needed:
                break
            try:
                self._path(oldest).unlink(missing_ok=True)
            except OSError:
                break  # tried again with the next record
            del self._sizes[oldest]
            segments.pop(0)
            has_trimmed = True
        if has_trimmed:
            self.trimmed.emit(segments[0])

    def _path(self, segment: int) -> Path:
        return self.folder / f"{segment:012d}{SUFFIX}"

    def _list_segments(self) -> dict[int, int]:
        """First number -> bytes."""
        try:
            names = os.listdir(self.folder)
            if any(name.startswith(PARTIAL_PREFIX) for name in names):
                remove_partials(self.folder)
            stems = [Path(name).stem for name in names if name.endswith(SUFFIX)]
            return {int(stem): self._path(int(stem)).stat().st_size for stem in sorted(stems) if stem.isdecimal()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise AppError(f"{self.folder}: cannot be read ({reason(error)}).", "Check the permissions.") from error

    def _read_last_segment(self) -> bool:
        """Find the end of the journal; False after setting a file aside of which nothing can be read."""
        segment = max(self._sizes)
        path = self._path(segment)
        try:
            found = find_end(path)
            if found is None:
                os.replace(path, path.with_suffix(DAMAGED_SUFFIX))
                del self._sizes[segment]
                return False
            if found.damaged:
                path.with_name(f"{path.stem}-{found.end}{DAMAGED_SUFFIX}").write_bytes(found.damaged)
                self.notice = f"{path.name} was damaged; what stood after the damage is kept beside it."
        except OSError as error:
            raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the disk.") from error
        self._id, self._end, self.last_number = found.journal_id, found.end, found.number
        return True
