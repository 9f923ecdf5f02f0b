"""The journal of a workspace: what was done, appended before it takes effect. Owner thread; `sync` the writer thread.

    <workspace>/journal/<number of the first record>.journal    (storage/journal_file.py)

It serves two ends. After a crash the records since the last saved project file bring the workspace to the last action.
And it is the memory of undo: a step that was pushed out of memory is read back from here. The files together stay below
a quota; over it the oldest goes as a whole. Every file but the very first begins with a snapshot, so any later part of
the journal can be read without the earlier ones.

A record reaches the operating system before `append` returns, so a killed program loses none; the writer thread has it
on the medium before it saves any mask that the record is about. What is large does not keep the owner waiting: a record
is staged by another thread (`stage`), and so is the snapshot that the next file begins with (`prepare_segment`).
"""
from __future__ import annotations

import io
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from storage.atomic_file import disk_error
from storage.io_errors import reason
from storage.journal_file import (
    FILE_HEAD_BYTES,
    DamagedRecordError,
    Record,
    file_head,
    read_record,
    record_bytes,
    whole_records,
)
from storage.journal_folder import list_segments, repair, segment_path, set_aside
from storage.journal_writer import Chunk, JournalWriter
from storage.mask_writer import MaskWriter
from storage.project import Json
from util.errors import AppError
from util.observer import Signal

DEFAULT_QUOTA = 2 << 30

Meta = Mapping[str, Json]

@dataclass(frozen=True)
class Beginning:
    """What a file begins with: a snapshot.

    Args:
        pack: gives the body; may be called by any thread, at any time later.
        nbytes: about how much that will be.
    """

    meta: Meta
    pack: Callable[[], bytes]
    nbytes: int


@dataclass(frozen=True, order=True)
class Address:
    """Where a record is. `segment`: number of its file's first record."""

    segment: int
    offset: int


@dataclass(frozen=True)
class Staged:
    """A record whose bytes are in place but for its head. `chunk`: None where that was not possible."""

    meta: Meta
    body: bytes
    chunk: Chunk | None


@dataclass(frozen=True)
class _Prepared:
    """A file that can begin with record `number`, written aside. `nbytes`: 0 while that is under way."""

    number: int
    nbytes: int = 0


class Journal:
    """The folder is made by the first append.

    Attributes:
        snapshot: gives the first record of a new file; set by who appends. Called on the owner thread when all records
            have had their effect: by `prepare_segment`, or by `append` before the new one has.
        trimmed: emitted on the owner thread with the number of the first segment that is left.
        notice: what the user should know about this opening; empty when nothing is unusual.

    Raises:
        NewerVersionError: written by a newer version of the program. AppError: the folder cannot be read.
    """

    SEGMENT_BYTES = 16 << 20
    """Without the snapshot that a file begins with."""
    SMALL_SNAPSHOT = 256 << 10
    """Bytes; one up to here is taken when a file is full, a larger one has to be prepared."""
    OVERFULL = 4
    """Times its size that a file grows while the snapshot for the next one is not ready."""

    def __init__(self, folder: Path, writer: MaskWriter, *, quota_bytes: int = DEFAULT_QUOTA) -> None:
        self.folder = folder
        self.quota_bytes = quota_bytes
        self.snapshot: Callable[[], Beginning] | None = None
        self.trimmed: Signal[[int]] = Signal()
        self.notice = ""
        self.last_number = 0
        self._writer = writer
        self._files = JournalWriter(folder)
        self._prepared: _Prepared | None = None
        self._checkpoint = 0
        self._references: deque[tuple[int, int]] = deque()  # number of a record, segment it refers to
        self._id = uuid.uuid4().bytes
        self._sizes = list_segments(folder)
        self._end = self._first_end = 0  # of the last file, and of what it begins with
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
        data = self._files.waiting(path, address.offset)
        if data is not None:
            record = read_record(io.BytesIO(data), 0, path)
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
        if not self._sizes or (may_roll and self._is_full):
            self._roll()
        return self._appended(self._chunk(meta, body), refers, self._files.put)

    def stage(self, meta: Meta, body: bytes) -> Staged:
        """Any thread, while the owner waits: write a large record ahead. `append_staged` or `drop` has to come next."""
        if not self._sizes or self._is_full:
            self.begin_segment()
        chunk = self._chunk(meta, body)
        return Staged(meta, body, chunk if self._files.stage(chunk) else None)

    def append_staged(self, staged: Staged) -> Address:
        """Like `append`, without the waiting."""
        if staged.chunk is None:
            return self.append(staged.meta, staged.body)
        return self._appended(staged.chunk, None, self._files.commit)

    def drop(self, staged: Staged) -> None:
        """A record that was staged will not be appended. Raises AppError."""
        if staged.chunk is not None:
            self._files.drop(staged.chunk)

    def prepare_segment(self) -> None:
        """All records have had their effect: have the snapshot for the next file made, if this one is full."""
        number = self.last_number + 1
        if not self._sizes or not self._is_full or (self._prepared is not None and self._prepared.number == number):
            return
        snapshot = self._take_snapshot()
        if snapshot.nbytes > self.SMALL_SNAPSHOT:
            self._prepared = _Prepared(number)
            self._writer.enqueue((self.folder, "next"), partial(self._write_aside, self._prepared, snapshot))

    def begin_segment(self) -> None:
        """Start a new file with a snapshot."""
        number, snapshot = self.last_number + 1, self._take_snapshot()
        data = self._first_bytes(number, snapshot)
        self._begun(number, len(data))
        self._files.put(Chunk(self._path(number), 0, data))
        self._writer.enqueue(self.folder, self.sync, rank="first")

    def checkpoint(self, number: int) -> None:
        """Any thread: the records up to `number` are no longer needed to recover from a crash."""
        self._checkpoint = number

    def sync(self) -> None:
        """Writer thread: have everything on the medium. Raises AppError; what could not be written is kept."""
        self._files.sync()

    def close(self) -> None:
        self._files.close()

    def set_aside(self) -> None:
        """Rename every file, so that the journal begins anew. For one that does not fit its workspace. AppError."""
        try:
            for segment in list(self._sizes):
                set_aside(self._path(segment))
                del self._sizes[segment]
        except OSError as error:
            raise disk_error(error, self.folder) from error
        self._id = uuid.uuid4().bytes
        self._end = self._first_end = self.last_number = self._checkpoint = 0

    # -- inside

    @property
    def _is_full(self) -> bool:
        return self._end - self._first_end >= self._limit

    @property
    def _limit(self) -> int:
        return min(self.SEGMENT_BYTES, max(self.quota_bytes // 8, 1))

    def _chunk(self, meta: Meta, body: bytes) -> Chunk:
        """The next record, at the end of the last file."""
        return Chunk(self._path(max(self._sizes)), self._end, record_bytes(self.last_number + 1, meta, body))

    def _appended(self, chunk: Chunk, refers: Address | None, write: Callable[[Chunk], None]) -> Address:
        segment = max(self._sizes)
        address = Address(segment, self._end)
        self.last_number += 1
        self._end = self._sizes[segment] = chunk.offset + len(chunk.data)
        write(chunk)
        if refers is not None:
            self._references.append((self.last_number, refers.segment))
        self._trim()
        self._writer.enqueue(self.folder, self.sync, rank="first")
        return address

    def _roll(self) -> None:
        """Begin a new file, unless its snapshot has to be prepared first."""
        prepared, number = self._prepared, self.last_number + 1
        if prepared is not None and prepared.number == number and prepared.nbytes:
            self._prepared = None
            if self._files.adopt(self._path(number)):
                self._begun(number, prepared.nbytes)
                return
        is_overfull = self._end - self._first_end >= self.OVERFULL * self._limit
        if not self._sizes or is_overfull or self._take_snapshot().nbytes <= self.SMALL_SNAPSHOT:
            self.begin_segment()

    def _begun(self, number: int, nbytes: int) -> None:
        self._sizes[number] = self._end = self._first_end = nbytes
        self.last_number = number

    def _take_snapshot(self) -> Beginning:
        if self.snapshot is None:
            raise RuntimeError("a journal needs to know how to take a snapshot")
        return self.snapshot()

    def _first_bytes(self, number: int, snapshot: Beginning) -> bytes:
        return file_head(self._id) + record_bytes(number, snapshot.meta, snapshot.pack())

    def _write_aside(self, wanted: _Prepared, snapshot: Beginning) -> None:
        """Writer thread. Raises AppError."""
        if self._prepared is wanted:
            data = self._first_bytes(wanted.number, snapshot)
            self._files.write_aside(data)
            if self._prepared is wanted:
                self._prepared = _Prepared(wanted.number, len(data))

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
        return segment_path(self.folder, segment)

    def _read_last_segment(self) -> bool:
        """Find the end of the journal; False after setting a file aside of which nothing can be read."""
        segment = max(self._sizes)
        path = self._path(segment)
        found = repair(path, self._sizes[segment])
        if found is None:
            del self._sizes[segment]
            return False
        if found.damaged:
            self.notice = f"{path.name} was damaged; what stood after the damage is kept beside it."
        self._id, self._end, self.last_number = found.journal_id, found.end, found.number
        self._sizes[segment], self._first_end = found.end, found.first_end
        return True
