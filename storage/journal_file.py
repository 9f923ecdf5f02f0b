"""One file of the journal: a head, then records, each with its own checksums. Any thread; bytes in and out.

    head     8 bytes magic with the format's version, 16 bytes id of the journal
    record   magic, checksum of the rest of this line, number, length of meta, length of body, checksum of both
             meta (JSON), body

A record is written by one append. What a killed process left of its last record fails a checksum or is too short, and
everything before it stands: nothing is ever written in place.
"""
from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from storage.io_errors import reason
from storage.project import Json, NewerVersionError
from util.errors import AppError

FORMAT = 1
ID_BYTES = 16

_MAGIC = b"VMASKJ"
_FILE_HEAD = struct.Struct(f"<6sH{ID_BYTES}s")
_RECORD_MAGIC = b"JREC"
_START = struct.Struct("<4sI")
_REST = struct.Struct("<QIII")
RECORD_HEAD_BYTES = _START.size + _REST.size

FILE_HEAD_BYTES = _FILE_HEAD.size

_HINT = "The masks and the project file are not affected; only older steps can no longer be undone."


@dataclass(frozen=True)
class Record:
    """Args: number: counts up over the whole journal. offset: in its file. nbytes: with its head."""

    number: int
    meta: Mapping[str, Json]
    body: bytes
    offset: int
    nbytes: int


class DamagedRecordError(AppError):
    """A record is cut short or fails its checksum."""


def file_head(journal_id: bytes) -> bytes:
    return _FILE_HEAD.pack(_MAGIC, FORMAT, journal_id)


def record_bytes(number: int, meta: Mapping[str, Json], body: bytes) -> bytes:
    """What is appended for one record. Raises ValueError for a meta that is not JSON."""
    text = json.dumps(meta, allow_nan=False, separators=(",", ":")).encode()
    rest = _REST.pack(number, len(text), len(body), zlib.crc32(body, zlib.crc32(text)))
    return b"".join((_START.pack(_RECORD_MAGIC, zlib.crc32(rest)), rest, text, body))


def read_file_head(file: BinaryIO, path: Path) -> bytes:
    """The journal's id. Raises NewerVersionError; AppError when this is no journal."""
    data = file.read(FILE_HEAD_BYTES)
    if len(data) == FILE_HEAD_BYTES:
        magic, version, journal_id = _FILE_HEAD.unpack(data)
        if magic == _MAGIC and version > FORMAT:
            raise NewerVersionError(
                f"{path}: was written by a newer version of this program (journal format {version}, this one reads "
                f"{FORMAT}).",
                "Update the program, or choose another folder with --workspace.",
            )
        if magic == _MAGIC and version == FORMAT:
            return bytes(journal_id)
    raise DamagedRecordError(f"{path}: is not a journal of this program.", _HINT)


def read_record(file: BinaryIO, offset: int, path: Path) -> Record:
    """The record at `offset`. Raises DamagedRecordError when it is not whole; AppError when it cannot be read."""
    try:
        file.seek(offset)
        head = file.read(RECORD_HEAD_BYTES)
        if len(head) < RECORD_HEAD_BYTES:
            raise _damaged(path, offset, "it is cut short")
        magic, checksum = _START.unpack_from(head)
        if magic != _RECORD_MAGIC or zlib.crc32(head[_START.size :]) != checksum:
            raise _damaged(path, offset, "its head is wrong")
        number, meta_bytes, body_bytes, checksum = _REST.unpack_from(head, _START.size)
        text, body = file.read(meta_bytes), file.read(body_bytes)
    except OSError as error:
        raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the disk.") from error
    if len(body) < body_bytes or zlib.crc32(body, zlib.crc32(text)) != checksum:
        raise _damaged(path, offset, "its checksum is wrong")
    meta = json.loads(text)
    return Record(number, meta, body, offset, RECORD_HEAD_BYTES + meta_bytes + body_bytes)


def whole_records(file: BinaryIO, path: Path, offset: int = FILE_HEAD_BYTES) -> Iterator[Record]:
    """The records from `offset` up to the end or to the first that is not whole."""
    while True:
        try:
            record = read_record(file, offset, path)
        except DamagedRecordError:
            return
        yield record
        offset += record.nbytes


@dataclass(frozen=True)
class End:
    """Where a file's whole records end.

    Args:
        number: of the last one.
        first_end: where the first one ends.
        damaged: what follows, if it is more than one record that was cut short.
    """

    journal_id: bytes
    end: int
    number: int
    first_end: int
    damaged: bytes


def find_end(path: Path) -> End | None:
    """Read a file to its end; None when not even its first record is whole. Raises NewerVersionError, OSError."""
    end = number = first_end = 0
    with open(path, "rb") as file:
        try:
            journal_id = read_file_head(file, path)
        except DamagedRecordError:
            return None
        for record in whole_records(file, path):
            end, number = record.offset + record.nbytes, record.number
            first_end = first_end or end
        file.seek(end)
        tail = file.read()
    return End(journal_id, end, number, first_end, tail if _holds_record(tail, path) else b"") if end else None


def _holds_record(tail: bytes, path: Path) -> bool:
    """Whether a whole record follows a damaged one: then it is no record that was cut short by a crash."""
    place = tail.find(_RECORD_MAGIC, 1)
    while place >= 0:
        try:
            read_record(io.BytesIO(tail), place, path)
        except DamagedRecordError:
            place = tail.find(_RECORD_MAGIC, place + 1)
        else:
            return True
    return False


def _damaged(path: Path, offset: int, what: str) -> DamagedRecordError:
    return DamagedRecordError(f"{path}: the record at byte {offset} is damaged: {what}.", _HINT)
