"""Room on the disk: how much is free, and whether what is about to be written will fit. Any thread."""
from __future__ import annotations

import shutil
from pathlib import Path

NEARLY_FULL = 200 << 20
"""Bytes free below which nothing can be saved safely."""


def free_bytes(place: Path) -> int | None:
    """What is free on the disk of a file or folder that is there or will be; None where that cannot be told."""
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None


def will_fill(place: Path, needed: int) -> bool:
    """Whether the disk would be nearly full, or too small, after writing so many bytes there."""
    free = free_bytes(place)
    return free is not None and free - needed < NEARLY_FULL
