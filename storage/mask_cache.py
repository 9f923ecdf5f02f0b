"""What `MaskStore` holds in memory: compressed masks in a byte budget. Not thread safe: the store locks."""
from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from util.types import IndexMask


@dataclass
class CachedMask:
    """One frame's mask. At least one of `array` and `packed` is there.

    Attributes:
        array: uint8 [H, W], read-only; only the latest few are kept beside `packed`.
        packed: the mask as a file, None while it is new.
        is_dirty: the file on disk is older.
    """

    array: IndexMask | None
    packed: bytes | None
    is_dirty: bool

    @property
    def nbytes(self) -> int:
        return (0 if self.array is None else self.array.nbytes) + len(self.packed or b"")


class MaskCache:
    """Least recently used masks go first; a dirty one stays, whatever the budget, because it exists nowhere else."""

    NUM_DECODED = 4
    """Arrays kept beside their packed form: the shown frame and its neighbours are asked for again and again."""

    def __init__(self, budget_bytes: int) -> None:
        self.nbytes = 0
        self._budget = budget_bytes
        self._entries: OrderedDict[int, CachedMask] = OrderedDict()
        self._decoded: OrderedDict[int, None] = OrderedDict()
        self._unpacked: set[int] = set()

    @property
    def num_unpacked(self) -> int:
        """Masks that exist only as arrays."""
        return len(self._unpacked)

    def get(self, frame: int) -> CachedMask | None:
        """The entry, marked as just used. Change it only through `put`, `pack` and `settle`."""
        entry = self._entries.get(frame)
        if entry is not None:
            self._entries.move_to_end(frame)
            if entry.array is not None:
                self._decoded[frame] = None
                self._decoded.move_to_end(frame)
        return entry

    def put(self, frame: int, entry: CachedMask) -> None:
        self.drop(frame)
        self._entries[frame] = entry
        self.nbytes += entry.nbytes
        if entry.packed is None:
            self._unpacked.add(frame)
        if entry.array is not None:
            self._decoded[frame] = None
        self._trim()

    def drop(self, frame: int) -> None:
        entry = self._entries.pop(frame, None)
        if entry is not None:
            self.nbytes -= entry.nbytes
            self._decoded.pop(frame, None)
            self._unpacked.discard(frame)

    def pack(self, frame: int, packed: bytes) -> None:
        """Give a frame's entry its packed form."""
        entry = self._entries[frame]
        self.nbytes += len(packed) - len(entry.packed or b"")
        entry.packed = packed
        self._unpacked.discard(frame)
        self._trim()

    def settle(self, frame: int) -> None:
        """The file on disk is now this frame's mask."""
        self._entries[frame].is_dirty = False
        self._trim()

    def _trim(self) -> None:
        surplus = [frame for frame in self._decoded if frame not in self._unpacked][: -self.NUM_DECODED]
        for frame in surplus:
            entry = self._entries[frame]
            if entry.array is not None:
                self.nbytes -= entry.array.nbytes
                entry.array = None
            del self._decoded[frame]
        if self.nbytes <= self._budget:
            return
        for frame in [frame for frame, entry in self._entries.items() if not entry.is_dirty]:
            if self.nbytes <= self._budget:
                return
            self.drop(frame)
