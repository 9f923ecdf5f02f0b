"""Which frames a propagation visits, for which objects, and between which key frames it fuses. Pure."""
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from inference_core.api import Direction

Step = Literal[1, -1]


@dataclass(frozen=True)
class Span:
    """The frames of one object in one pass: from the anchor up to, but without, `stop`.

    `fuse_with` is the key frame of this object on the far side, None where the video (not a key frame) ends.
    """

    object_id: int
    stop: int
    fuse_with: int | None


@dataclass(frozen=True)
class Pass:
    """One direction of a propagation."""

    anchor: int
    step: Step
    spans: tuple[Span, ...]

    @property
    def frames(self) -> range:
        """Every frame at least one object reaches, in the order of the pass."""
        stop = max((span.stop * self.step for span in self.spans), default=self.anchor * self.step) * self.step
        return range(self.anchor + self.step, stop, self.step)

    def active(self, frame: int) -> tuple[Span, ...]:
        """The spans that contain `frame`."""
        return tuple(span for span in self.spans if frame * self.step < span.stop * self.step)


def plan_passes(
    anchor: int,
    direction: Direction,
    first: int,
    last: int,
    key_frames: Mapping[int, Collection[int]],
    object_ids: Collection[int],
) -> tuple[Pass, ...]:
    """Forward pass, then backward pass; those without a frame to visit are left out.

    Args:
        anchor: key frame to start from. first, last: inclusive bounds.
        key_frames: frame -> objects fixed there; each is a barrier for these objects only.
        object_ids: the objects to carry.
    """
    passes = []
    steps: tuple[Step, ...] = (1, -1)
    for step in steps:
        if direction == ("backward" if step == 1 else "forward"):
            continue
        bound = last + 1 if step == 1 else first - 1
        spans = tuple(_span(anchor, step, bound, key_frames, object_id) for object_id in object_ids)
        one_pass = Pass(anchor, step, spans)
        if len(one_pass.frames):
            passes.append(one_pass)
    return tuple(passes)


def _span(
    anchor: int, step: Step, bound: int, key_frames: Mapping[int, Collection[int]], object_id: int
) -> Span:
    ahead = [f for f, ids in key_frames.items() if object_id in ids and (f - anchor) * step > 0]
    if not ahead:
        return Span(object_id, bound, None)
    barrier = min(ahead, key=lambda f: abs(f - anchor))
    return Span(object_id, min(barrier * step, bound * step) * step, barrier)
