"""`--mem_profile`: how much memory may be spent on saving work."""
from __future__ import annotations

from dataclasses import dataclass

_MIB = 1 << 20


@dataclass(frozen=True)
class MemoryBudgets:
    """How many bytes may be kept to save work. Less is slower; the masks come out the same.

    Args:
        frames: decoded frames, in main memory.
        masks: masks in main memory; all others are read back from the disk.
        features: encoded frames, where the networks run.
        stored_features: encoded frames, on the disk, beside the masks.
    """

    frames: int
    masks: int
    features: int
    stored_features: int


MEMORY_PROFILES = (
    MemoryBudgets(frames=512 * _MIB, masks=256 * _MIB, features=1024 * _MIB, stored_features=2048 * _MIB),
    MemoryBudgets(frames=256 * _MIB, masks=128 * _MIB, features=512 * _MIB, stored_features=2048 * _MIB),
    MemoryBudgets(frames=128 * _MIB, masks=64 * _MIB, features=128 * _MIB, stored_features=1024 * _MIB),
    MemoryBudgets(frames=64 * _MIB, masks=32 * _MIB, features=0, stored_features=0),
)
