"""What a frame looked like before the user corrected it: fusion compares the correction with it. GUI thread."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from inference_core.api import Direction
from interact.packed_mask import PackedMask
from util.types import IndexMask


@dataclass(frozen=True)
class Baseline:
    """Args: forward, backward: whether the correction has still to be carried that way."""

    mask: PackedMask
    forward: bool = True
    backward: bool = True

    @property
    def nbytes(self) -> int:
        return self.mask.nbytes


def baseline_after_edit(current: Baseline | None, before: IndexMask) -> Baseline:
    """The first edit since the last propagation fixes the mask; a later one renews what has to be carried."""
    if current is None:
        return Baseline(PackedMask.pack(before))
    return replace(current, forward=True, backward=True)


def baseline_after_propagation(current: Baseline | None, direction: Direction) -> Baseline | None:
    """None once the correction has reached both sides."""
    if current is None:
        return None
    rest = replace(
        current,
        forward=current.forward and direction == "backward",
        backward=current.backward and direction == "forward",
    )
    return rest if rest.forward or rest.backward else None


class Baselines:
    """frame -> its baseline, for the frames edited since they were last propagated from."""

    def __init__(self, frames: Mapping[int, Baseline] | None = None) -> None:
        self._frames: dict[int, Baseline] = dict(frames or {})

    @property
    def all(self) -> dict[int, Baseline]:
        """A copy."""
        return dict(self._frames)

    def get(self, frame: int) -> Baseline | None:
        return self._frames.get(frame)

    def put(self, frame: int, baseline: Baseline | None) -> None:
        if baseline is None:
            self._frames.pop(frame, None)
        else:
            self._frames[frame] = baseline
