"""What a memory bank consists of: an entry per frame, and the state it can go back to."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from inference_core.propagator import Memory


@dataclass(frozen=True)
class Entry:
    """One frame in the buffer.

    Args:
        valid: ids of the objects that may read it.
        melted: rolling frames that it stands for; `frame` is the newest of them.
        is_beside: another look at a frame that has an entry already.
    """

    frame: int
    kind: Memory
    valid: frozenset[int]
    melted: int = 1
    is_beside: bool = False


@dataclass(frozen=True)
class BankState:
    """The pinned part of a bank, copied."""

    object_ids: tuple[int, ...]
    entries: tuple[Entry, ...]
    key: Tensor | None
    value: Tensor | None


def move_slots(buffer: Tensor, old: Sequence[int], new: Sequence[int]) -> Tensor:
    """[K, ...] by object id `old` -> the same by `new`; zeros for objects that are new."""
    moved = buffer.new_zeros(len(new), *buffer.shape[1:])
    for slot, object_id in enumerate(new):
        if object_id in old:
            moved[slot] = buffer[old.index(object_id)]
    return moved
