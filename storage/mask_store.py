"""The masks of one video: the truth in memory, PNG files behind it, never all frames at once.

Written by its owner thread only; read from any thread. A frame without a mask has no file: setting an all-background
mask removes it. Which frames have masks is known from the folder's listing, and which objects they hold from the
files' heads, so that opening a folder of ten thousand masks decodes none.
"""
from __future__ import annotations

import io
import logging
import os
import threading
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from storage.atomic_file import disk_error, remove_partials, sync_folder, write_atomic
from storage.io_errors import reason
from storage.mask_cache import CachedMask, MaskCache
from storage.mask_convert import present_values
from storage.mask_delta import MaskDelta, changed_rect
from storage.mask_io import decode_mask, encode_mask, read_stored_values
from storage.mask_writer import MaskWriter
from util.errors import AppError
from util.observer import Signal
from util.types import IGNORE, IndexMask, Rect, Size

_SAMPLED = 8
_log = logging.getLogger(__name__)


class MaskStore:
    """Index masks by frame.

    Invariants: `get` returns the newest mask, whether or not it is on disk; a mask that could not be saved stays in
    memory until it is; a file that cannot be read is never overwritten.

    Signals:
        changed: (frame, bounding rectangle of the pixels that differ), from the owner thread, after the change.
        replaced: (frame, the mask before, the rectangle), beside `changed`, for those who keep what was there.
        saved, failed: of the writer (see MaskWriter), from its thread.

    Args:
        folder: holds `<stem>.png`; made when missing. No other process may write there.
        stems: file stem of every frame, all different.
        size: of every mask.
        budget_bytes: for masks that are on disk, too; what is not yet saved comes on top.
        writer: shared with the workspace's project file; a new one when None.

    Raises:
        AppError: the folder cannot be made or read.
    """

    UNPACKED_BYTES = 192 << 20
    """Masks that wait for the writer thread to compress them (200 at 720p): enough for the undo of a long propagation
    to go through without compressing on the GUI thread. Beyond that `set` compresses itself, to bound memory."""

    def __init__(
        self,
        folder: Path,
        stems: Sequence[str],
        size: Size,
        *,
        budget_bytes: int = 256 << 20,
        writer: MaskWriter | None = None,
    ) -> None:
        self.folder = folder
        self.size = size
        self.changed: Signal[[int, Rect]] = Signal()
        self.replaced: Signal[[int, IndexMask, Rect]] = Signal()
        self._writer = writer if writer is not None else MaskWriter()
        self.saved = self._writer.saved
        self.failed = self._writer.failed
        self._paths = [folder / f"{stem}.png" for stem in stems]
        self._lock = threading.Lock()
        self._cache = MaskCache(budget_bytes)
        self._revisions = [0] * len(stems)
        self._values: dict[int, tuple[int, ...]] = {}  # non-zero values of the frames where they are known
        self._is_closed = False
        self._background: IndexMask = np.zeros(size, np.uint8)
        self._background.setflags(write=False)
        frame_of = {path.name: frame for frame, path in enumerate(self._paths)}
        if len(frame_of) != len(stems):
            raise ValueError("two frames have the same stem")
        names = _list_pngs(folder)
        self._filled = {frame_of[name] for name in names if name in frame_of}
        self.unmatched = tuple(sorted(name for name in names if name not in frame_of))
        """Names of PNG files in the folder that belong to no frame; they are left alone."""

    def __len__(self) -> int:
        return len(self._paths)

    @property
    def has_unsaved(self) -> bool:
        return self._writer.has_unsaved

    @property
    def last_saved(self) -> float | None:
        """time.time() when everything was last on disk; None before the first save."""
        return self._writer.last_saved

    def path(self, frame: int) -> Path:
        """Where the mask of a frame is saved, whether there is one or not. Raises IndexError."""
        self._check_frame(frame)
        return self._paths[frame]

    def get(self, frame: int) -> IndexMask:
        """The newest mask of a frame; zeros when there is none.

        Returns:
            uint8 [H, W], read-only, never changed later.

        Raises:
            IndexError: no such frame.
            AppError: its file is damaged or of another size.
        """
        self._check_frame(frame)
        while True:
            with self._lock:
                revision = self._revisions[frame]
                if frame not in self._filled:
                    return self._background
                entry = self._cache.get(frame)
                if entry is not None and entry.array is not None:
                    return entry.array
                packed = None if entry is None else entry.packed
            data = self._read(frame) if packed is None else packed
            mask = self._background if data is None else decode_mask(io.BytesIO(data), self._paths[frame], self.size)
            mask.setflags(write=False)
            values = self._values.get(frame) or present_values(mask)
            with self._lock:
                if revision != self._revisions[frame]:
                    continue  # it was set while we were reading the disk
                return self._remember(frame, mask, data, values)

    def is_empty(self, frame: int) -> bool:
        """True when the frame has no mask. A file another program put there counts as one until it was read."""
        self._check_frame(frame)
        with self._lock:
            return frame not in self._filled

    def frames(self) -> list[int]:
        """Frames that have a mask (in the sense of `is_empty`), ascending."""
        with self._lock:
            return sorted(self._filled)

    def bytes_per_mask(self) -> int:
        """About what one takes on the disk: the mean of a few that are there, else a guess by their size."""
        with self._lock:
            filled = sorted(self._filled)
        sizes = []
        for frame in filled[:: len(filled) // _SAMPLED + 1]:
            try:
                sizes.append(self._paths[frame].stat().st_size)
            except OSError:
                continue  # not yet written
        return sum(sizes) // len(sizes) if sizes else self.size.height * self.size.width // 200

    def revision(self, frame: int) -> int:
        """Number of changes since the store was opened."""
        self._check_frame(frame)
        with self._lock:
            return self._revisions[frame]

    def object_ids(self, frame: int) -> frozenset[int]:
        """The objects (1..254) on a frame. Raises like `get`, but decodes only files of other programs."""
        self._check_frame(frame)
        with self._lock:
            revision = self._revisions[frame]
            if frame not in self._filled:
                return frozenset()
            values = self._values.get(frame)
        if values is None:
            values = self._stored_values(frame)
            with self._lock:
                if revision == self._revisions[frame]:
                    self._values[frame] = values
        return _object_ids(values)

    def set(self, frame: int, mask: IndexMask) -> None:
        """Give a frame a new mask. It is copied; one that is equal to the present mask changes nothing.

        Raises:
            IndexError: no such frame.
            ValueError: not uint8 [H, W] of the store's size.
            AppError: the present file cannot be read; it is not overwritten.
        """
        if mask.dtype != np.uint8 or mask.shape != self.size:
            raise ValueError(f"expected uint8 {tuple(self.size)}, got {mask.dtype} {mask.shape}")
        before = self.get(frame)
        rect = changed_rect(before, mask)
        if not rect.is_empty:
            self._replace(frame, before, np.array(mask, np.uint8, order="C"), rect)

    def apply(self, delta: MaskDelta) -> None:
        """Change one frame. Raises like `set`; ValueError when the delta starts from another mask."""
        before = self.get(delta.frame)
        changed = delta.apply(before)
        if not delta.is_empty:
            self._replace(delta.frame, before, changed, delta.rect)

    def flush(self) -> None:
        """Block until every change is on disk. Raises the first AppError; what could not be saved is kept."""
        self._writer.flush()
        sync_folder(self.folder)

    def close(self) -> None:
        """Flush and refuse further changes. On an AppError the store stays open."""
        if not self._is_closed:
            self.flush()
            self._is_closed = True

    def _check_frame(self, frame: int) -> None:
        if not 0 <= frame < len(self._paths):
            raise IndexError(f"frame {frame} of {len(self._paths)}")

    def _read(self, frame: int) -> bytes | None:
        """The frame's file; None when it has vanished."""
        path = self._paths[frame]
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AppError(f"{path}: cannot be read ({reason(error)}).", "Check the disk.") from error

    def _remember(self, frame: int, mask: IndexMask, data: bytes | None, values: tuple[int, ...]) -> IndexMask:
        """Note what reading a frame showed; call with the lock held."""
        if values and data is not None:
            entry = self._cache.get(frame)
            self._cache.put(frame, CachedMask(mask, data, entry is not None and entry.is_dirty))
            self._values[frame] = values
            return mask
        if data is None:
            _log.warning("%s was removed by another program", self._paths[frame])
        self._filled.discard(frame)
        return self._background

    def _stored_values(self, frame: int) -> tuple[int, ...]:
        try:
            values = read_stored_values(self._paths[frame])
        except OSError:
            values = None  # `get` names what is wrong
        return present_values(self.get(frame)) if values is None else values

    def _replace(self, frame: int, before: IndexMask, mask: IndexMask, rect: Rect) -> None:
        if self._is_closed:
            raise RuntimeError("the mask store is closed")
        mask.setflags(write=False)
        values = present_values(mask)
        is_crowded = self._cache.num_unpacked * mask.nbytes >= self.UNPACKED_BYTES
        packed = encode_mask(mask) if values and is_crowded else None
        with self._lock:
            self._revisions[frame] += 1
            if values:
                self._filled.add(frame)
                self._values[frame] = values
                self._cache.put(frame, CachedMask(mask, packed, is_dirty=True))
            else:
                self._filled.discard(frame)
                self._values.pop(frame, None)
                self._cache.drop(frame)
        self._writer.enqueue(self._paths[frame], partial(self._save, frame))
        self.replaced.emit(frame, before, rect)
        self.changed.emit(frame, rect)

    def _save(self, frame: int) -> None:
        """Writer thread: bring the file up to date."""
        path = self._paths[frame]
        with self._lock:
            revision = self._revisions[frame]
            is_filled = frame in self._filled
            entry = self._cache.get(frame)
            array, packed = (entry.array, entry.packed) if entry is not None and entry.is_dirty else (None, None)
        if not is_filled:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise disk_error(error, path) from error
            return
        if packed is None:
            if array is None:
                return  # an earlier task of this frame saved the newest state already
            packed = encode_mask(array)
            with self._lock:
                if revision == self._revisions[frame]:
                    self._cache.pack(frame, packed)
        write_atomic(path, packed, durable=True)
        with self._lock:
            if revision == self._revisions[frame]:
                self._cache.settle(frame)


def _list_pngs(folder: Path) -> list[str]:
    """Names of the PNG files in `folder`, which is made and rid of half-written files first."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_partials(folder)
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.name.endswith(".png") and entry.is_file()]
    except OSError as error:
        raise disk_error(error, folder) from error


@lru_cache(maxsize=4096)
def _object_ids(values: tuple[int, ...]) -> frozenset[int]:
    return frozenset(value for value in values if value != IGNORE)
