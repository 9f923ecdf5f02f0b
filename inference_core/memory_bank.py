"""The space-time memory: keys and values addressed by the frame they came from.

Published implementations append and never remove, so that a re-annotated frame keeps its wrong entry. Here a frame is
an address: `put` replaces, `drop` removes, pinned frames (fixed by the user) stay, rolling ones make room for newer
ones, and every object reads only the frames that are valid for it.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from inference_core.block_readout import BlockSearch, block_readout
from inference_core.propagator import EmptyMemoryError, Memory
from inference_core.readout import readout
from model.attention import Similarity

Duplicates = Literal["replace", "keep"]


@dataclass(frozen=True)
class _Entry:
    """One frame in the buffer. `valid` are the ids of the objects that may read it."""

    frame: int
    kind: Memory
    valid: frozenset[int]


@dataclass(frozen=True)
class BankState:
    """The pinned part of a bank, copied."""

    object_ids: tuple[int, ...]
    entries: tuple[_Entry, ...]
    key: Tensor | None
    value: Tensor | None


class MemoryBank:
    """Frame-addressed key/value memory. key [G, Ck, N] (G = 1 shared, or K per object), value [K, Cv, N].

    N = Hf*Wf cells per frame, the same for all frames. Entry i lies at buffer position i; removing one moves the
    entries behind it forward, so that what is read is always one contiguous piece in order of insertion.

    Args:
        keys_per_object: an object's key depends on its mask (STM), so G = K.
        search: reads in two steps, faster and nearly exact; None reads exactly.
    """

    def __init__(
        self,
        *,
        similarity: Similarity,
        top_k: int,
        max_rolling: int | None,
        dtype: torch.dtype = torch.float32,
        duplicates: Duplicates = "replace",
        keys_per_object: bool = False,
        search: BlockSearch | None = None,
    ) -> None:
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1, got {top_k}")
        self._similarity = similarity
        self._top_k = top_k
        self._max_rolling = max_rolling
        self._dtype = dtype
        self._duplicates = duplicates
        self._search = search
        self._keys_per_object = keys_per_object
        self._object_ids: tuple[int, ...] = ()
        self._entries: list[_Entry] = []
        self._key: Tensor | None = None  # [G, capacity, N, Ck] float32
        self._value: Tensor | None = None  # [K, capacity, N, Cv]

    @property
    def settings(self) -> dict[str, int]:
        """The limits given; one that is not set is left out."""
        return {"top_k": self._top_k} | ({} if self._max_rolling is None else {"max_rolling": self._max_rolling})

    def set_objects(self, object_ids: Sequence[int]) -> None:
        """Slot i belongs to object_ids[i]. What is known of objects that stay is kept."""
        old, self._object_ids = self._object_ids, tuple(object_ids)
        if self._value is None or self._key is None or old == self._object_ids:
            return
        self._value = _move_slots(self._value, old, self._object_ids)
        if self._keys_per_object:
            self._key = _move_slots(self._key, old, self._object_ids)

    def put(self, frame: int, key: Tensor, value: Tensor, slots: Sequence[int], kind: Memory) -> None:
        """Remember a frame for the objects in `slots`.

        Args:
            key: [1, Ck, N] shared, or [len(slots), Ck, N] where keys are per object. value: [len(slots), Cv, N].
            kind: PINNED, ROLLING or PREVIOUS; a PREVIOUS entry is replaced by whatever is put next.
        """
        self._remove([i for i, e in enumerate(self._entries) if e.kind is Memory.PREVIOUS])
        if self._duplicates == "replace":
            self._remove([i for i, e in enumerate(self._entries) if e.frame == frame])
        if kind is Memory.ROLLING and self._max_rolling is not None:
            rolling = [i for i, e in enumerate(self._entries) if e.kind is Memory.ROLLING]
            self._remove(rolling[: max(0, len(rolling) - self._max_rolling + 1)])
        self._reserve(len(self._entries) + 1, key, value)
        assert self._key is not None and self._value is not None
        position = len(self._entries)
        key_rows = list(slots) if self._keys_per_object else [0]
        self._key[key_rows, position] = key.transpose(1, 2).to(self._key.dtype)
        self._value[list(slots), position] = value.transpose(1, 2).to(self._dtype)
        self._entries.append(_Entry(frame, kind, frozenset(self._object_ids[s] for s in slots)))

    def read(self, query_key: Tensor, slots: Sequence[int]) -> Tensor:
        """Top-k softmax readout.

        Args: query_key [Ck, Nq].
        Returns: [len(slots), Cv, Nq]. Raises EmptyMemoryError if an object has no frame to read.
        """
        result: dict[int, Tensor] = {}
        for rows, group in self._groups(slots).items():
            if not rows:
                raise EmptyMemoryError(f"object {self._object_ids[group[0]]} has no key frame in memory")
            for members in [[s] for s in group] if self._keys_per_object else [group]:
                key, values = self._gather(rows, members)
                result.update(zip(members, self._readout(key.t(), query_key, values), strict=True))
        return torch.stack([result[slot] for slot in slots]).transpose(1, 2)

    def _readout(self, key: Tensor, query_key: Tensor, values: Tensor) -> Tensor:
        if self._search is None:
            return readout(key, query_key, values, self._similarity, self._top_k)
        return block_readout(key, query_key, values, self._similarity, self._top_k, self._search)

    def _groups(self, slots: Sequence[int]) -> dict[tuple[int, ...], list[int]]:
        """Slots that may read the same entries, by the positions of these entries."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for slot in slots:
            object_id = self._object_ids[slot]
            rows = tuple(i for i, e in enumerate(self._entries) if object_id in e.valid)
            groups.setdefault(rows, []).append(slot)
        return groups

    def _gather(self, rows: tuple[int, ...], slots: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Keys [N', Ck] and values [len(slots), N', Cv] of some entries; views of the buffer where possible."""
        assert self._key is not None and self._value is not None
        group = slots[0] if self._keys_per_object else 0
        picked: slice | list[int] = slice(len(rows)) if rows == tuple(range(len(rows))) else list(rows)
        key = self._key[group, picked].flatten(0, 1)
        first, last = slots[0], slots[-1]
        if list(slots) == list(range(first, last + 1)):
            values = self._value[first : last + 1, picked]
        else:
            values = self._value[list(slots)][:, picked]
        return key, values.flatten(1, 2)

    def key(self, frame: int, slots: Sequence[int]) -> Tensor:
        """The newest key of a frame: [1, Ck, N] shared, or [len(slots), Ck, N] per object. Raises KeyError."""
        for position in reversed(range(len(self._entries))):
            if self._entries[position].frame == frame:
                assert self._key is not None
                groups = list(slots) if self._keys_per_object else [0]
                return self._key[groups, position].transpose(1, 2)
        raise KeyError(frame)

    def drop(self, frame: int) -> None:
        """Remove a frame; one that is not there is fine."""
        self._remove([i for i, e in enumerate(self._entries) if e.frame == frame])

    def drop_rolling(self) -> None:
        """Keep only pinned frames."""
        self._remove([i for i, e in enumerate(self._entries) if e.kind is not Memory.PINNED])

    def frames(self, kind: Memory | None = None) -> tuple[int, ...]:
        """The frames held, in order of insertion; only those of one kind if given."""
        return tuple(e.frame for e in self._entries if kind in (None, e.kind))

    @property
    def nbytes(self) -> int:
        return sum(t.numel() * t.element_size() for t in (self._key, self._value) if t is not None)

    def snapshot(self) -> BankState:
        """The pinned entries, copied; later changes do not reach the copy."""
        rows = [i for i, e in enumerate(self._entries) if e.kind is Memory.PINNED]
        key = None if self._key is None else self._key[:, rows]
        value = None if self._value is None else self._value[:, rows]
        return BankState(self._object_ids, tuple(self._entries[i] for i in rows), key, value)

    def restore(self, state: BankState) -> None:
        """Back to a snapshot; rolling frames are gone."""
        self._object_ids = state.object_ids
        self._entries = list(state.entries)
        self._key = None if state.key is None else state.key.clone()
        self._value = None if state.value is None else state.value.clone()

    def _remove(self, positions: Sequence[int]) -> None:
        if not positions:
            return
        gone = frozenset(positions)
        keep = [i for i in range(len(self._entries)) if i not in gone]
        first = positions[0]
        assert self._key is not None and self._value is not None
        # Entries before the first removed one stay where they are; the rest is copied forward.
        for target, source in enumerate(keep[first:], first):
            self._key[:, target] = self._key[:, source]
            self._value[:, target] = self._value[:, source]
        self._entries = [self._entries[i] for i in keep]

    def _reserve(self, entries: int, key: Tensor, value: Tensor) -> None:
        """Make room, doubling the buffer when it is full."""
        capacity = 0 if self._key is None else self._key.shape[1]
        if entries <= capacity:
            return
        capacity = max(entries, 2 * capacity, 4)
        groups = len(self._object_ids) if self._keys_per_object else 1
        cells = key.shape[2]
        new_key = key.new_zeros(groups, capacity, cells, key.shape[1], dtype=torch.float32)
        new_value = value.new_zeros(len(self._object_ids), capacity, cells, value.shape[1], dtype=self._dtype)
        if self._key is not None and self._value is not None:
            new_key[:, : self._key.shape[1]] = self._key
            new_value[:, : self._value.shape[1]] = self._value
        self._key, self._value = new_key, new_value


def _move_slots(buffer: Tensor, old: Sequence[int], new: Sequence[int]) -> Tensor:
    moved = buffer.new_zeros(len(new), *buffer.shape[1:])
    for slot, object_id in enumerate(new):
        if object_id in old:
            moved[slot] = buffer[old.index(object_id)]
    return moved
