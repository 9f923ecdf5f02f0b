"""The store against a plain dictionary, its budget, its threads and its failures."""
from __future__ import annotations

import errno
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from PIL import Image

from storage import mask_store
from storage.atomic_file import PARTIAL_PREFIX
from storage.mask_delta import diff
from storage.mask_io import read_mask, write_mask
from storage.mask_store import MaskStore
from storage.mask_writer import MaskWriter
from util.errors import AppError
from util.types import IndexMask, Rect, Size

SIZE = Size(9, 13)
STEMS = [f"{frame:05d}" for frame in range(6)]
WAIT = 20.0


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MaskWriter, "DELAY", 0.0)


@pytest.fixture
def store(tmp_path: Path) -> MaskStore:
    return MaskStore(tmp_path, STEMS, SIZE)


def mask_of(value: int, rect: Rect = Rect(2, 1, 5, 4)) -> IndexMask:  # noqa: B008 - immutable
    mask = np.zeros(SIZE, np.uint8)
    mask[rect.slices] = value
    return mask


# ---- against a model -------------------------------------------------------------------------------------------------

FRAMES = st.integers(0, len(STEMS) - 1)
VALUES = st.sampled_from([0, 1, 2, 254, 255])
RECTS = st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(1, 6), st.integers(1, 4)).map(
    lambda r: Rect(r[0], r[1], r[0] + r[2], r[1] + r[3])
)


class StoreMachine(RuleBasedStateMachine):
    """Any order of changes, saves and reopenings shows the same masks as a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model = {frame: np.zeros(SIZE, np.uint8) for frame in range(len(STEMS))}
        self.revisions = dict.fromkeys(self.model, 0)
        self.events: list[tuple[int, Rect]] = []
        self.open()

    def open(self) -> None:
        # 300 bytes: less than one compressed mask, so that everything saved is evicted and read again.
        self.store = MaskStore(Path(self.folder.name), STEMS, SIZE, budget_bytes=300)
        self.store.changed.connect(lambda frame, rect: self.events.append((frame, rect)))

    def expect(self, frame: int, after: IndexMask) -> None:
        """Check what one change announced, and follow it in the model."""
        differs = np.argwhere(self.model[frame] != after)
        if len(differs):
            (y0, x0), (y1, x1) = differs.min(axis=0), differs.max(axis=0) + 1
            assert self.events == [(frame, Rect(x0, y0, x1, y1))]
            self.revisions[frame] += 1
        else:
            assert self.events == []
        self.events.clear()
        self.model[frame] = after.copy()

    @rule(frame=FRAMES, rect=RECTS, value=VALUES)
    def set(self, frame: int, rect: Rect, value: int) -> None:
        mask = self.model[frame].copy()
        mask[rect.slices] = value
        expected = mask.copy()
        self.store.set(frame, mask)
        mask[:] = 77  # the store has its own copy
        self.expect(frame, expected)

    @rule(frame=FRAMES, rect=RECTS, value=st.sampled_from([0, 3]))
    def apply(self, frame: int, rect: Rect, value: int) -> None:
        after = self.model[frame].copy()
        after[rect.slices] = value
        self.store.apply(diff(frame, self.model[frame], after))
        self.expect(frame, after)

    @rule(frame=FRAMES)
    def clear(self, frame: int) -> None:
        self.store.set(frame, np.zeros(SIZE, np.uint8))
        self.expect(frame, np.zeros(SIZE, np.uint8))

    @rule()
    def flush(self) -> None:
        self.store.flush()
        assert not self.store.has_unsaved

    @precondition(lambda self: any(self.revisions.values()))
    @rule(look_first=st.booleans())
    def reopen(self, look_first: bool) -> None:
        self.store.close()
        names = {f"{STEMS[frame]}.png" for frame, mask in self.model.items() if mask.any()}
        assert {path.name for path in Path(self.folder.name).iterdir()} == names
        self.open()
        self.revisions = dict.fromkeys(self.model, 0)
        if look_first:
            self.check()

    @rule(frame=FRAMES)
    def read(self, frame: int) -> None:
        found = self.store.get(frame)
        np.testing.assert_array_equal(found, self.model[frame])
        assert not found.flags.writeable

    @invariant()
    def check(self) -> None:
        filled = [frame for frame, mask in self.model.items() if mask.any()]
        assert self.store.frames() == filled
        for frame, mask in self.model.items():
            assert self.store.is_empty(frame) == (frame not in filled)
            assert self.store.object_ids(frame) == set(np.unique(mask).tolist()) - {0, 255}
            assert self.store.revision(frame) == self.revisions[frame]

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


StoreMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25)
TestStoreMachine = StoreMachine.TestCase


# ---- opening ---------------------------------------------------------------------------------------------------------


def test_opening_a_long_video_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stems = [f"{frame:05d}" for frame in range(10_000)]
    for value in (1, 2):
        write_mask(tmp_path / f"{value}.png", mask_of(value))
    for frame in range(0, 10_000, 10):
        os.link(tmp_path / f"{1 + frame // 10 % 2}.png", tmp_path / f"{stems[frame]}.png")

    def decoded(*_: object) -> IndexMask:
        raise AssertionError("a file was decoded")

    monkeypatch.setattr(mask_store, "decode_mask", decoded)
    store = MaskStore(tmp_path, stems, SIZE)
    assert len(store) == 10_000
    assert store.frames() == list(range(0, 10_000, 10))
    assert [store.object_ids(frame) for frame in (0, 10, 11, 20)] == [{1}, {2}, frozenset(), {1}]
    assert store.unmatched == ("1.png", "2.png")


def test_leftovers_of_a_crash_are_removed(tmp_path: Path) -> None:
    (tmp_path / f"{PARTIAL_PREFIX}0123").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    store = MaskStore(tmp_path, STEMS, SIZE)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert store.frames() == []


def test_the_same_stem_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="same stem"):
        MaskStore(tmp_path, ["a", "a"], SIZE)


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "masks").write_text("")
    with pytest.raises(AppError, match="masks"):
        MaskStore(tmp_path / "masks", STEMS, SIZE)


def test_masks_of_other_programs(tmp_path: Path) -> None:
    Image.fromarray(mask_of(1) * 255).save(tmp_path / "00000.png")
    Image.fromarray(mask_of(0)).save(tmp_path / "00001.png")
    (tmp_path / "00002.png").mkdir()
    store = MaskStore(tmp_path, STEMS, SIZE)
    assert store.object_ids(0) == {1}
    np.testing.assert_array_equal(store.get(0), mask_of(1))
    assert store.object_ids(1) == frozenset()
    assert store.frames() == [0]  # frame 1 has been looked at and is empty
    assert store.is_empty(1) and store.is_empty(2)


def test_damaged_or_foreign_file_is_named_and_never_overwritten(tmp_path: Path) -> None:
    write_mask(tmp_path / "00000.png", np.ones((4, 4), np.uint8))
    (tmp_path / "00001.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    store = MaskStore(tmp_path, STEMS, SIZE)
    calls: list[Callable[[int], object]] = [store.get, lambda frame: store.set(frame, mask_of(1))]
    for call in calls:
        with pytest.raises(AppError, match=r"00000\.png.*4x4.*13x9"):
            call(0)
        with pytest.raises(AppError, match=r"00001\.png"):
            call(1)
    with pytest.raises(AppError, match=r"00001\.png"):
        store.object_ids(1)
    store.close()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "00001.png").unlink()  # what the message asks for
    assert store.get(1).max() == 0


# ---- values ----------------------------------------------------------------------------------------------------------


def test_bad_arguments(store: MaskStore) -> None:
    for frame in (-1, len(STEMS)):
        for call in (store.get, store.is_empty, store.object_ids, store.revision, store.path):
            with pytest.raises(IndexError, match=f"frame {frame} of 6"):
                call(frame)
    with pytest.raises(ValueError, match="uint8"):
        store.set(0, np.zeros(SIZE, np.int32))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected"):
        store.set(0, np.zeros((13, 9), np.uint8))
    assert store.frames() == [] and not store.has_unsaved


def test_a_mask_once_given_out_never_changes(store: MaskStore) -> None:
    empty = store.get(0)
    store.set(0, mask_of(1))
    first = store.get(0)
    store.set(0, mask_of(2))
    store.close()
    assert empty.max() == 0 and first.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1


def test_non_contiguous_mask_is_stored_right(store: MaskStore) -> None:
    store.set(0, np.asfortranarray(mask_of(7)))
    store.set(1, np.repeat(mask_of(7), 2, axis=1)[:, ::2])
    store.close()
    np.testing.assert_array_equal(read_mask(store.path(0)), mask_of(7))
    np.testing.assert_array_equal(read_mask(store.path(1)), mask_of(7))


def test_delta_from_another_mask_is_refused(store: MaskStore) -> None:
    store.set(0, mask_of(1))
    with pytest.raises(ValueError, match="does not start"):
        store.apply(diff(0, mask_of(2), mask_of(3)))
    np.testing.assert_array_equal(store.get(0), mask_of(1))
    store.close()


def test_closed_store_reads_but_does_not_change(store: MaskStore) -> None:
    store.set(0, mask_of(1))
    store.close()
    store.close()
    assert store.get(0).max() == 1
    with pytest.raises(RuntimeError, match="closed"):
        store.set(0, mask_of(2))


# ---- memory ----------------------------------------------------------------------------------------------------------


def test_memory_stays_in_its_budget(tmp_path: Path) -> None:
    size, num_frames, budget = Size(120, 160), 80, 64 << 10
    store = MaskStore(tmp_path, [f"{frame}" for frame in range(num_frames)], size, budget_bytes=budget)
    rng = np.random.default_rng(0)
    for frame in range(num_frames):
        store.set(frame, rng.integers(0, 3, size).astype(np.uint8))  # about 6 KB compressed
        if frame % 20 == 19:
            store.flush()
            assert store._cache.nbytes <= budget
    rng = np.random.default_rng(0)
    for frame in range(num_frames):
        np.testing.assert_array_equal(store.get(frame), rng.integers(0, 3, size).astype(np.uint8))
        assert store._cache.nbytes <= budget
    store.close()


def test_unsaved_masks_are_compressed_but_never_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size, num_frames = Size(300, 400), 60
    store = MaskStore(tmp_path, [f"{frame}" for frame in range(num_frames)], size, budget_bytes=1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_space)
        patch.setattr(MaskStore, "UNPACKED_BYTES", 16 * size.height * size.width)
        for frame in range(num_frames):
            store.set(frame, np.full(size, frame + 1, np.uint8))
            assert store._cache.num_unpacked <= 16
        with pytest.raises(AppError, match="disk is full"):
            store.flush()
        assert store._cache.nbytes < 10 * size.height * size.width  # of sixty masks
        assert [int(store.get(frame).min()) for frame in range(num_frames)] == list(range(1, num_frames + 1))
    store.close()
    assert len(list(tmp_path.iterdir())) == num_frames


# ---- failures --------------------------------------------------------------------------------------------------------


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_full_disk_loses_nothing(store: MaskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.set(0, mask_of(1))
    store.flush()
    failures: list[AppError] = []
    store.failed.connect(failures.append)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        store.set(0, mask_of(2))
        store.set(1, mask_of(3))
        with pytest.raises(AppError, match=r"0000\d\.png.*disk is full"):
            store.flush()
        with pytest.raises(AppError, match="disk is full"):
            store.close()
        assert store.has_unsaved and len(failures) == 1
        assert store.get(0).max() == 2 and store.get(1).max() == 3
        np.testing.assert_array_equal(read_mask(store.path(0)), mask_of(1))  # the old file is whole
        assert len(list(store.folder.iterdir())) == 1
    store.set(1, mask_of(4))  # still open after the failed close
    store.close()
    assert not store.has_unsaved
    np.testing.assert_array_equal(read_mask(store.path(0)), mask_of(2))
    np.testing.assert_array_equal(read_mask(store.path(1)), mask_of(4))


def test_mask_that_cannot_be_removed(store: MaskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.set(0, mask_of(1))
    store.flush()

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", denied)
        store.set(0, mask_of(0))
        with pytest.raises(AppError, match=r"00000\.png.*Permission denied"):
            store.flush()
        assert store.is_empty(0)
    store.close()
    assert not store.path(0).exists()


# ---- threads ---------------------------------------------------------------------------------------------------------


def test_reads_during_a_write_return_the_newest(store: MaskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, gate = threading.Event(), threading.Event()
    replace = os.replace

    def slow(source: Path, target: Path) -> None:
        entered.set()
        assert gate.wait(WAIT)
        replace(source, target)

    monkeypatch.setattr(os, "replace", slow)
    store.set(0, mask_of(1))
    assert entered.wait(WAIT)
    store.set(0, mask_of(2))
    assert store.get(0).max() == 2 and store.has_unsaved
    gate.set()
    store.close()
    np.testing.assert_array_equal(read_mask(store.path(0)), mask_of(2))


def test_a_change_during_a_read_from_disk_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_mask(tmp_path / "00000.png", mask_of(1))
    store = MaskStore(tmp_path, STEMS, SIZE)
    real = mask_store.decode_mask
    in_reader = iter([True])

    def decode(*args: object) -> IndexMask:
        mask = real(*args)  # type: ignore[arg-type]
        if next(in_reader, False):
            thread = threading.Thread(target=lambda: store._replace(0, mask_of(1), mask_of(2), Rect(0, 0, 1, 1)))
            thread.start()
            thread.join()
        return mask

    monkeypatch.setattr(mask_store, "decode_mask", decode)
    assert store.get(0).max() == 2
    assert store.get(0).max() == 2
    store.close()


def test_readers_and_the_owner_at_once(tmp_path: Path) -> None:
    """Every mask is one value all over, and values only grow: a reader must never see a mixture or a step back."""
    size = Size(40, 50)
    store = MaskStore(tmp_path, STEMS, size, budget_bytes=2000)
    problems: list[str] = []
    stop = threading.Event()

    def read() -> None:
        seen = [0] * len(STEMS)
        while not stop.is_set():
            for frame in range(len(STEMS)):
                mask = store.get(frame)
                low, high = int(mask.min()), int(mask.max())
                if low != high or low < seen[frame]:
                    problems.append(f"frame {frame}: {low}..{high} after {seen[frame]}")
                seen[frame] = high

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for value in range(1, 120):
            for frame in range(len(STEMS)):
                store.set(frame, np.full(size, value, np.uint8))
            if value % 40 == 0:
                store.flush()
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    store.close()
    assert problems == []
    assert [int(read_mask(store.path(frame)).min()) for frame in range(len(STEMS))] == [119] * len(STEMS)
