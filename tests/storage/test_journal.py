"""The journal's files: whole records only, in order, whatever happens to the end of a file; the quota."""
from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.journal import Address, Beginning, Journal
from storage.journal_file import FILE_HEAD_BYTES, DamagedRecordError
from storage.mask_writer import MaskWriter
from storage.project import NewerVersionError
from util.errors import AppError


class Hand:
    """A journal and what was put into it."""

    def __init__(self, folder: Path, *, quota: int = 1 << 30, segment: int = 1 << 20) -> None:
        self.folder, self.quota, self.segment = folder, quota, segment
        self.bodies: dict[Address, bytes] = {}
        self.snapshot_bytes = 0
        self.writer = MaskWriter()
        self.open()

    def open(self) -> None:
        self.journal = Journal(self.folder, self.writer, quota_bytes=self.quota)
        self.journal.SEGMENT_BYTES = self.segment  # type: ignore[misc]
        self.journal.SMALL_SNAPSHOT = 1000  # type: ignore[misc]
        self.journal.snapshot = self.snapshot

    def snapshot(self) -> Beginning:
        size = self.snapshot_bytes
        return Beginning({"kind": "snapshot"}, lambda: b"s" * size, size)

    def add(self, body: bytes, *, refers: Address | None = None) -> Address:
        address = self.journal.append({"kind": "step"}, body, refers=refers)
        self.bodies[address] = body
        return address

    def reopen(self) -> None:
        self.writer.flush()
        self.journal.close()
        self.open()

    def stored(self) -> list[bytes]:
        start = self.journal.start_of(self.journal.first_segment)
        if start is None:
            return []
        records = self.journal.records_from(start)
        return [record.body for _, record in records if record.meta["kind"] == "step"]


class Full(io.FileIO):
    """A file on a disk that has room for three bytes."""

    def write(self, data: object) -> int:
        super().write(bytes(data)[:3])  # type: ignore[call-overload]
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    hand = Hand(tmp_path / "journal")
    yield hand
    hand.writer.flush()
    hand.journal.close()


def test_records_are_there_at_once_and_after_reopening(hand: Hand) -> None:
    assert not hand.folder.exists()
    places = [hand.add(bytes([n]) * n) for n in range(5)]
    assert [hand.journal.read(place).body for place in places] == list(hand.bodies.values())
    other = Journal(hand.folder, MaskWriter())  # what another process would see now, before any sync
    assert other.last_number == hand.journal.last_number == 6 and other.journal_id == hand.journal.journal_id
    hand.reopen()
    assert hand.stored() == list(hand.bodies.values())
    hand.add(b"more")
    hand.reopen()
    assert hand.stored()[-1] == b"more" and hand.journal.last_number == 7


def test_a_record_cut_short_at_any_byte_is_ignored(hand: Hand) -> None:
    hand.add(b"first")
    end = (next(hand.folder.iterdir())).stat().st_size
    last = hand.add(b"the last record")
    path = next(hand.folder.iterdir())
    whole = path.read_bytes()
    for length in range(end, len(whole)):
        path.write_bytes(whole[:length])
        journal = Journal(hand.folder, MaskWriter())
        assert journal.last_number == 2 and journal.notice == ""
        with pytest.raises(DamagedRecordError, match=path.name):
            journal.read(last)
    path.write_bytes(whole[: end + 20])
    hand.reopen()
    hand.add(b"x")
    assert path.stat().st_size == end + (len(whole) - end) - len(b"the last record") + 1
    hand.reopen()
    assert hand.stored() == [b"first", b"x"]


def test_any_wrong_byte_is_noticed(hand: Hand) -> None:
    place = hand.add(b"some content")
    path = next(hand.folder.iterdir())
    whole = path.read_bytes()
    for spot in range(place.offset, len(whole)):
        path.write_bytes(whole[:spot] + bytes([whole[spot] ^ 1]) + whole[spot + 1 :])
        assert Journal(hand.folder, MaskWriter()).last_number == 1
    path.write_bytes(whole)


def test_damage_in_the_middle_is_told_and_kept(hand: Hand) -> None:
    hand.add(b"first")
    middle = hand.add(b"middle")
    hand.add(b"last")
    path = next(hand.folder.iterdir())
    data = bytearray(path.read_bytes())
    data[middle.offset + 3] ^= 255
    path.write_bytes(bytes(data))
    hand.reopen()
    assert path.name in hand.journal.notice and hand.stored() == [b"first"]
    assert next(hand.folder.glob("*.damaged")).read_bytes() == bytes(data[middle.offset :])


def test_a_file_of_nothing_gives_way_to_the_one_before(hand: Hand) -> None:
    hand.segment = 1
    hand.reopen()
    hand.add(b"first")
    hand.add(b"second")
    assert len(list(hand.folder.iterdir())) == 2
    newest = max(hand.folder.iterdir())
    newest.write_bytes(b"")
    hand.reopen()
    assert hand.stored() == [b"first"] and newest.with_suffix(".damaged").exists()


def test_newer_format_is_refused(hand: Hand) -> None:
    hand.add(b"first")
    path = next(hand.folder.iterdir())
    data = bytearray(path.read_bytes())
    data[6] = 2
    path.write_bytes(bytes(data))
    with pytest.raises(NewerVersionError, match="newer version of this program"):
        Journal(hand.folder, MaskWriter())


def test_quota_takes_the_oldest_files_and_says_so(hand: Hand) -> None:
    hand.quota, hand.segment = 2000, 250
    hand.reopen()
    trimmed: list[int] = []
    hand.journal.trimmed.connect(trimmed.append)
    for n in range(40):
        hand.add(bytes([n]) * 100)
        hand.journal.checkpoint(hand.journal.last_number)
        assert hand.journal.nbytes <= 2000 + 400
        assert hand.journal.nbytes == sum(path.stat().st_size for path in hand.folder.iterdir())
    assert trimmed and trimmed[-1] == hand.journal.first_segment
    left = hand.stored()
    assert left == [bytes([n]) * 100 for n in range(40 - len(left), 40)] and 5 < len(left) < 30


def test_quota_spares_what_a_recovery_needs(hand: Hand) -> None:
    hand.quota, hand.segment = 500, 100
    hand.reopen()
    first = hand.add(b"a" * 200)
    for _ in range(9):
        hand.add(b"b" * 200)
    assert len(hand.stored()) == 10  # nothing is saved yet
    hand.add(b"undo", refers=first)
    hand.journal.checkpoint(hand.journal.last_number - 2)
    hand.add(b"b" * 200)
    assert hand.stored()[0] == b"a" * 200
    hand.journal.checkpoint(hand.journal.last_number)
    hand.add(b"c")
    assert len(hand.stored()) < 4
    with pytest.raises(AppError, match="cannot be read"):
        hand.journal.read(first)


def test_full_disk_keeps_records_until_there_is_room(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    hand.add(b"before")
    hand.reopen()
    with monkeypatch.context() as patch:
        patch.setattr(io, "FileIO", Full)
        places = [hand.add(b"kept"), hand.add(b"too")]
        assert [hand.journal.read(place).body for place in places] == [b"kept", b"too"]
        with pytest.raises(AppError, match="disk is full"):
            hand.writer.flush()
        assert hand.writer.has_unsaved
        assert Journal(hand.folder, MaskWriter()).last_number == 2
    hand.reopen()
    assert hand.stored() == [b"before", b"kept", b"too"]


def test_a_staged_record_counts_from_its_head_on(hand: Hand) -> None:
    hand.add(b"first")
    staged = hand.journal.stage({"kind": "step"}, b"large" * 1000)
    assert staged.chunk is not None
    assert len(staged.chunk.path.read_bytes()) == staged.chunk.offset + len(staged.chunk.data)
    killed = Path(shutil.copytree(hand.folder, hand.folder.with_name("killed")))
    other = Journal(killed, MaskWriter())  # what the next start would see
    assert other.last_number == 2 and other.notice == ""
    assert (killed / staged.chunk.path.name).stat().st_size == staged.chunk.offset, "the rest is cut off"
    place = hand.journal.append_staged(staged)
    assert hand.journal.read(place).body == b"large" * 1000
    assert Journal(hand.folder, MaskWriter()).last_number == 3
    hand.add(b"after")
    hand.reopen()
    assert hand.stored() == [b"first", b"large" * 1000, b"after"]


def test_a_staged_record_that_is_dropped_leaves_nothing(hand: Hand) -> None:
    hand.add(b"first")
    path = next(hand.folder.iterdir())
    size = path.stat().st_size
    hand.journal.drop(hand.journal.stage({"kind": "step"}, b"large" * 1000))
    assert path.stat().st_size == size
    hand.add(b"second")
    hand.reopen()
    assert hand.stored() == [b"first", b"second"]


def test_a_full_disk_while_staging(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    hand.add(b"before")
    with monkeypatch.context() as patch:
        patch.setattr(io, "FileIO", Full)
        staged = hand.journal.stage({"kind": "step"}, b"large")
        assert staged.chunk is None
        place = hand.journal.append_staged(staged)
        assert hand.journal.read(place).body == b"large"
        with pytest.raises(AppError, match="disk is full"):
            hand.writer.flush()
    hand.reopen()
    assert hand.stored() == [b"before", b"large"]


def test_a_disk_that_is_full_at_the_head_of_a_staged_record(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    hand.add(b"before")
    staged = hand.journal.stage({"kind": "step"}, b"large")
    with monkeypatch.context() as patch:
        patch.setattr(io, "FileIO", Full)
        hand.journal.append_staged(staged)
    hand.reopen()
    assert hand.stored() == [b"before", b"large"]


def test_a_large_snapshot_is_made_by_the_writer(hand: Hand) -> None:
    hand.segment, hand.snapshot_bytes = 100, 2000
    hand.reopen()
    hand.add(b"a" * 200)
    hand.add(b"b")
    assert len(list(hand.folder.iterdir())) == 1, "the file is full, the snapshot is not there yet"
    hand.journal.prepare_segment()
    hand.writer.flush()
    hand.add(b"c")
    first, second = sorted(hand.folder.iterdir())
    assert second.stat().st_size > 2000 and hand.journal.nbytes == sum(p.stat().st_size for p in (first, second))
    hand.journal.prepare_segment()
    hand.add(b"d")  # before the writer came to it
    hand.writer.flush()
    hand.add(b"e")
    assert len(list(hand.folder.glob("*.journal"))) == 2, "that snapshot does not know of d"
    hand.reopen()
    assert hand.stored() == [b"a" * 200, b"b", b"c", b"d", b"e"]
    assert len(list(hand.folder.iterdir())) == 2, "nothing half written is left"


def test_a_file_does_not_grow_for_ever_for_want_of_a_snapshot(hand: Hand) -> None:
    hand.segment, hand.snapshot_bytes = 300, 2000
    hand.reopen()
    for _ in range(20):
        hand.add(b"x" * 150)
    assert len(list(hand.folder.iterdir())) > 1
    assert max(path.stat().st_size for path in hand.folder.iterdir()) < 2000 + 6 * 300


@settings(max_examples=30)
@given(st.lists(st.one_of(st.binary(max_size=300), st.just("reopen"), st.just("cut")), max_size=25))
def test_random_work_and_cuts(script: list[bytes | str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        hand = Hand(Path(name) / "journal", segment=400)
        expected: list[bytes] = []
        for item in script:
            if isinstance(item, bytes):
                hand.add(item)
                expected.append(item)
            elif item == "reopen" or not expected:
                hand.reopen()
            else:
                hand.writer.flush()
                path = max(hand.folder.glob("*.journal"))
                os.truncate(path, max(path.stat().st_size - 1, FILE_HEAD_BYTES))
                hand.reopen()
                if hand.stored() != expected:
                    expected.pop()
            assert hand.stored() == expected
        hand.writer.flush()
        hand.journal.close()
