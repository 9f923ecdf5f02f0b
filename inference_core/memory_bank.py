"""The space-time memory: keys and values addressed by the frame they came from.

Published implementations append and never remove, so that a re-annotated frame keeps its wrong entry. Here a frame is
an address: `put` replaces, `drop` removes, pinned frames (fixed by the user) stay, rolling ones make room for newer
ones, and every object reads only the frames that are valid for it.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from inference_core.bank_parts import BankState, Entry, move_slots
from inference_core.block_readout import BlockSearch, block_readout
from inference_core.eviction import DEFAULT_EVICTION, Eviction, Reads, melt, most_alike
from inference_core.look import covered, match_gaps
from inference_core.prepared import Place, PreparedKeys
from inference_core.propagator import EmptyMemoryError, Memory
from inference_core.readout import readout
from model.attention import Similarity
from util.types import Size

Duplicates = Literal["replace", "keep"]


class MemoryBank:
    """Frame-addressed key/value memory. key [G, Ck, N] (G = 1 shared, or K per object), value [K, Cv, N].

    N = Hf*Wf cells per frame, the same for all frames. Entry i lies at buffer position i; removing one moves the
    entries behind it forward, so that what is read is always one contiguous piece in order of insertion.

    Args:
        max_rolling: frames besides the key frames; None is any number.
        keys_per_object: an object's key depends on its mask (STM), so G = K.
        search: reads in two steps, faster and nearly exact; None reads exactly.
        eviction: how rolling frames make room.
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
        eviction: Eviction = DEFAULT_EVICTION,
    ) -> None:
        if top_k < 1:
            raise ValueError(f"top_k must be at least 1, got {top_k}")
        if max_rolling is not None and max_rolling < 1:
            raise ValueError(f"max_rolling must be at least 1, got {max_rolling}")
        self._similarity = similarity
        self._top_k = top_k
        self._max_rolling = max_rolling
        self._dtype = dtype
        self._duplicates = duplicates
        self._search = search
        self._keys_per_object = keys_per_object
        self._eviction = eviction
        self._prepared = PreparedKeys(similarity)
        self._object_ids: tuple[int, ...] = ()
        self._entries: list[Entry] = []
        self._key: Tensor | None = None  # [G, capacity, N, Ck] float32
        self._value: Tensor | None = None  # [K, capacity, N, Cv]
        self._reads: Reads | None = None  # by position; only where eviction asks for it

    @property
    def settings(self) -> dict[str, int]:
        """The limits given; one that is not set is left out."""
        return {"top_k": self._top_k} | ({} if self._max_rolling is None else {"max_rolling": self._max_rolling})

    def set_objects(self, object_ids: Sequence[int]) -> None:
        """Slot i belongs to object_ids[i]. What is known of objects that stay is kept."""
        self._prepared.clear()
        old, self._object_ids = self._object_ids, tuple(object_ids)
        if self._value is None or self._key is None or old == self._object_ids:
            return
        self._value = move_slots(self._value, old, self._object_ids)
        if self._keys_per_object:
            self._key = move_slots(self._key, old, self._object_ids)

    def put(
        self,
        frame: int,
        key: Tensor,
        value: Tensor,
        slots: Sequence[int],
        kind: Memory,
        *,
        is_beside: bool = False,
    ) -> None:
        """Remember a frame for the objects in `slots`.

        Args:
            key: [1, Ck, N] shared, or [len(slots), Ck, N] where keys are per object. value: [len(slots), Cv, N].
            kind: PINNED, ROLLING or PREVIOUS; a PREVIOUS entry is replaced by whatever is put next.
            is_beside: another look at a frame that was put before; what was known of the frame stays.
        """
        # Everything that needs memory comes first: when there is none, the bank is as it was.
        key, value = key.transpose(1, 2).to(torch.float32), value.transpose(1, 2).to(self._dtype)
        gone = [i for i, e in enumerate(self._entries) if self._is_replaced_by(frame, is_beside, e)]
        rolling = [i for i, e in enumerate(self._entries) if e.kind is Memory.ROLLING and i not in gone]
        surplus = len(rolling) + 1 - self._max_rolling if kind is Memory.ROLLING and self._max_rolling else 0
        self._reserve(len(self._entries) - len(gone) - max(0, surplus) + 1, key, value)
        self._remove(gone)
        self._evict(surplus)
        self._prepared.clear()
        assert self._key is not None and self._value is not None
        position = len(self._entries)
        key_rows = list(slots) if self._keys_per_object else [0]
        self._key[key_rows, position] = key
        self._value[list(slots), position] = value
        valid = frozenset(self._object_ids[s] for s in slots)
        self._entries.append(Entry(frame, kind, valid, is_beside=is_beside))

    def _is_replaced_by(self, frame: int, is_beside: bool, entry: Entry) -> bool:
        is_same = entry.frame == frame and (entry.is_beside or not is_beside)
        return entry.kind is Memory.PREVIOUS or (self._duplicates == "replace" and is_same)

    def _evict(self, surplus: int) -> None:
        """Have `surplus` rolling entries less."""
        for _ in range(surplus):
            rolling = [i for i, e in enumerate(self._entries) if e.kind is Memory.ROLLING]
            if self._eviction == "merge":
                self._remove([self._merged(rolling)])
            elif self._reads is not None:
                self._remove([self._reads.least(rolling)])
            else:
                self._remove(rolling[:1])

    def _merged(self, rolling: Sequence[int]) -> int:
        """Melt the most alike neighbours that the same objects read; the position that is free then.

        Where no two neighbours are read by the same objects, the oldest entry is given up.
        """
        entries, key, value = self._entries, self._key, self._value
        pairs = [(a, b) for a, b in zip(rolling, rolling[1:], strict=False) if entries[a].valid == entries[b].valid]
        if not pairs:
            return rolling[0]
        assert key is not None and value is not None
        rows = [self._key_rows(entries[one].valid) for one, _ in pairs]
        older, newer = most_alike(key, pairs, rows)
        melted = entries[older].melted + entries[newer].melted
        for buffer in (key, value):
            melt(buffer, older, newer, entries[older].melted / melted)
        entries[newer] = replace(entries[newer], melted=melted)
        return older

    def _key_rows(self, valid: frozenset[int]) -> list[int]:
        """Where the keys of these objects are."""
        if not self._keys_per_object:
            return [0]
        return [slot for slot, object_id in enumerate(self._object_ids) if object_id in valid]

    def read(self, query_key: Tensor, slots: Sequence[int], shape: Size | None = None) -> Tensor:
        """Top-k softmax readout.

        Args: query_key [Ck, Nq]; shape: their rows and columns, where they are not a whole frame.
        Returns: [len(slots), Cv, Nq]. Raises EmptyMemoryError if an object has no frame to read.
        """
        result: dict[int, Tensor] = {}
        for place, members, key, values in self._readable(slots):
            usage = None if self._reads is None else key.new_zeros(key.shape[1])
            read = self._readout(place, key, query_key, values, shape, usage)
            result.update(zip(members, read, strict=True))
            if self._reads is not None and usage is not None:
                self._reads.note(place[0], usage)
        return torch.stack([result[slot] for slot in slots]).transpose(1, 2)

    def _readout(
        self,
        place: Place,
        key: Tensor,
        query_key: Tensor,
        values: Tensor,
        shape: Size | None,
        usage: Tensor | None,
    ) -> Tensor:
        search = self._search
        if search is None:
            return readout(key, query_key, values, self._similarity, self._top_k, usage)
        blocks = self._prepared.for_readout(place, key, search.grid)
        return block_readout(key, query_key, values, self._similarity, self._top_k, search, usage, shape, blocks)

    def gaps(self, query_key: Tensor, slots: Sequence[int]) -> Tensor:
        """How far each place is from looking like each object: `look.match_gaps`, for values stored with their cover.

        Args: query_key [Ck, Hf, Wf], a whole frame.
        Returns: float32 [len(slots), ceil(Hf/2), ceil(Wf/2)]. Raises EmptyMemoryError.
        """
        result: dict[int, Tensor] = {}
        for place, members, key, values in self._readable(slots):
            blocks = self._prepared.for_look(place, key, Size(*query_key.shape[1:]))
            found = match_gaps(blocks, query_key, covered(values), self._similarity)
            result.update(zip(members, found, strict=True))
        return torch.stack([result[slot] for slot in slots])

    def _readable(self, slots: Sequence[int]) -> Iterator[tuple[Place, list[int], Tensor, Tensor]]:
        """What is read together: its place, slots, keys [Ck, N'], values [len(slots), N', Cv]. EmptyMemoryError."""
        for rows, group in self._groups(slots).items():
            if not rows:
                raise EmptyMemoryError(f"object {self._object_ids[group[0]]} has no key frame in memory")
            for members in [[s] for s in group] if self._keys_per_object else [group]:
                key, values = self._gather(rows, members)
                yield (rows, members[0] if self._keys_per_object else 0), members, key.t(), values

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
        """The newest key of a whole frame: [1, Ck, N] shared, or [len(slots), Ck, N] per object. Raises KeyError."""
        for position in reversed(range(len(self._entries))):
            entry = self._entries[position]
            if entry.frame == frame and not entry.is_beside:
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

    def limit_rolling(self, max_rolling: int) -> None:
        """Hold no more rolling frames than these, and give back the room they needed."""
        self._max_rolling = max_rolling
        self._evict(len(self.frames(Memory.ROLLING)) - max_rolling)
        used = len(self._entries)
        if self._key is not None and self._value is not None and used < self._key.shape[1]:
            self._key, self._value = self._key[:, :used].clone(), self._value[:, :used].clone()
            self._reads = None if self._reads is None else self._reads.shrunk(used)

    def restart(self, search: BlockSearch | None) -> None:
        """Forget everything: frames have another number of cells from here on."""
        self._entries, self._key, self._value, self._reads = [], None, None, None
        self._search = search
        self._prepared.clear()

    def frames(self, kind: Memory | None = None) -> tuple[int, ...]:
        """The frames held, in order of insertion; only those of one kind if given."""
        return tuple(e.frame for e in self._entries if kind in (None, e.kind) and not e.is_beside)

    @property
    def search(self) -> BlockSearch | None:
        return self._search

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
        self._prepared.clear()
        self._key = None if state.key is None else state.key.clone()
        self._value = None if state.value is None else state.value.clone()
        self._reads = None
        if self._key is not None:
            self._watch_reads(self._key)

    def _remove(self, positions: Sequence[int]) -> None:
        if not positions:
            return
        self._prepared.clear()
        gone = frozenset(positions)
        keep = [i for i in range(len(self._entries)) if i not in gone]
        first = positions[0]
        assert self._key is not None and self._value is not None
        # Entries before the first removed one stay where they are; the rest is copied forward.
        for target, source in enumerate(keep[first:], first):
            self._key[:, target] = self._key[:, source]
            self._value[:, target] = self._value[:, source]
        self._entries = [self._entries[i] for i in keep]
        if self._reads is not None:
            self._reads.keep(keep)

    def _reserve(self, entries: int, key: Tensor, value: Tensor) -> None:
        """Make room for as many entries; key [*, N, Ck], value [*, N, Cv].

        A full buffer doubles, but not beyond what the bank may hold: the key frames, the rolling frames and the one
        before.
        """
        capacity = 0 if self._key is None else self._key.shape[1]
        if entries <= capacity:
            return
        capacity = max(2 * capacity, 4)
        if self._max_rolling is not None:
            pinned = sum(e.kind is Memory.PINNED for e in self._entries)
            capacity = min(capacity, pinned + self._max_rolling + 1)
        capacity = max(capacity, entries)
        groups = len(self._object_ids) if self._keys_per_object else 1
        new_key = key.new_zeros(groups, capacity, *key.shape[1:])
        new_value = value.new_zeros(len(self._object_ids), capacity, *value.shape[1:])
        if self._key is not None and self._value is not None:
            new_key[:, : self._key.shape[1]] = self._key
            new_value[:, : self._value.shape[1]] = self._value
        self._key, self._value = new_key, new_value
        self._watch_reads(new_key)

    def _watch_reads(self, key: Tensor) -> None:
        """For a buffer as large as `key`; only where eviction asks for it."""
        if self._eviction != "least_read":
            return
        if self._reads is None:
            self._reads = Reads(key.shape[1], key.device)
        else:
            self._reads.grow(key.shape[1])
