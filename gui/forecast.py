"""What a propagation is going to cost, from what the one before it did. GUI thread."""
from __future__ import annotations

from dataclasses import dataclass

from gui.job_bar import format_bytes
from storage.mask_store import MaskStore
from util.progress import format_duration


@dataclass(frozen=True)
class Pace:
    """What one engine did on one size of video.

    Args:
        per_second: frames.
        memory_bytes: what its memory took per frame that it remembered.
    """

    per_second: float
    memory_bytes: float


COPIES = 3
"""What a propagated frame takes on the disk, in masks: the mask, and in the journal what was and what is."""


def disk_bytes(frames: int, masks: MaskStore) -> int:
    """About what a propagation of so many frames writes."""
    return frames * COPIES * masks.bytes_per_mask()


def foretell(frames: int, pace: Pace | None, mem_every: int, on_disk: int) -> str:
    """`59 frames · about 15 s · 40 MB · 3 MB on disk`; time and memory are known after the first run. Empty for no
    frames."""
    if not frames:
        return ""
    words = [f"{frames} frame{'' if frames == 1 else 's'}"]
    if pace is not None and pace.per_second > 0:
        words.append(f"about {format_duration(frames / pace.per_second)}")
        words.append(format_bytes(round(pace.memory_bytes * (1 + frames / mem_every))))
    words.append(f"{format_bytes(on_disk)} on disk")
    return " · ".join(words)
