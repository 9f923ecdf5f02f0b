"""One direction of a propagation, frame by frame. Worker thread.

What happens on a frame comes in two parts: looking, which changes nothing in the engine, and remembering. Each may
fail for want of memory and is then tried again with less (`inference_core.sparing`), so that a pass goes on with the
frame that failed.
"""
from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from inference_core.api import ExistingMask, FrameReader
from inference_core.channels import Channels
from inference_core.confidence import ObjectMeasure
from inference_core.looks import Looks
from inference_core.pass_measures import MaskJudge, PassMeasures, Sight
from inference_core.pass_planner import Pass
from inference_core.past_results import PastResults
from inference_core.propagator import Memory, Propagator
from inference_core.sparing import Sparer
from util.allocator import give_back_freed_memory
from util.jobs import CancelToken
from util.types import IndexMask

PREFETCH_FRAMES = 4
_TIDY_EVERY = 100
"""Frames between two returns of freed memory, whose pages the next frame has to ask for again."""


@dataclass(frozen=True)
class Parts:
    """Of the core that runs a pass.

    Args:
        recommit: memorises all key frames anew.
    """

    frames: FrameReader
    propagator: Propagator
    looks: Looks
    past: PastResults
    channels: Channels
    existing: ExistingMask
    sparer: Sparer
    recommit: Callable[[], None]
    judge: MaskJudge | None


@dataclass(frozen=True)
class Look:
    """What was found on a frame.

    Args:
        everything: prob [K+1, Hp, Wp] as the engine saw it itself: it goes on from there, since what fusion makes of
            it would feed old errors back.
        mask: native size, fused.
    """

    everything: Tensor
    mask: IndexMask
    measures: Mapping[int, ObjectMeasure]


class PassRun:
    """Args:
    anchor_mask: of the key frame that the pass starts from.
    visited_again: frames that a later request comes by; None: all may be. Nothing is kept of others for later.
    """

    def __init__(self, parts: Parts, one_pass: Pass, anchor_mask: IndexMask, visited_again: range | None) -> None:
        self._parts = parts
        self._pass = one_pass
        self._visited_again = visited_again
        self._last = one_pass.anchor, anchor_mask
        self._last_kept = one_pass.anchor

    def results(
        self, token: CancelToken
    ) -> Generator[tuple[int, IndexMask, Mapping[int, ObjectMeasure]], None, None]:
        """Frame, mask and measures of every frame of the pass; each is final."""
        parts, frames = self._parts, self._pass.frames
        try:
            parts.sparer.run(partial(self._begin, self._last[1]), len(self._pass.spans), self._rebuild)
            for position, frame in enumerate(frames):
                token.check()
                parts.frames.prefetch(frames[position + 1 : position + 1 + PREFETCH_FRAMES])
                num_objects = len(self._pass.active(frame))
                look = parts.sparer.run(partial(self._look, frame), num_objects, self._rebuild)
                self._last, self._everything = (frame, look.mask), look.everything
                parts.propagator.follow(look.everything)
                if frame != frames[-1]:
                    parts.sparer.run(partial(self._remember, frame), num_objects, self._rebuild)
                if (position + 1) % _TIDY_EVERY == 0:
                    give_back_freed_memory()
                yield frame, look.mask, look.measures
        finally:
            parts.propagator.end_pass()
            parts.looks.restart()

    def _begin(self, mask: IndexMask) -> None:
        """Start, or start anew at another working size, from the frame that has this mask."""
        parts = self._parts
        prob = parts.channels.from_mask(mask)
        parts.propagator.begin_pass(self._pass.anchor, prob)
        self._everything = prob
        parts.looks.restart()
        shapes = (prob[1:] > 0.5).cpu().numpy()
        self._watch = PassMeasures(dict(zip(parts.channels.object_ids, shapes, strict=True)), parts.judge)

    def _rebuild(self) -> None:
        """The working size has changed: everything that depends on it is made anew from masks."""
        self._parts.recommit()
        frame, mask = self._last
        self._begin(mask)
        if frame != self._pass.anchor:
            self._memorize(frame, Memory.ROLLING)

    def _look(self, frame: int) -> Look:
        parts, active = self._parts, self._pass.active(frame)
        ids = [span.object_id for span in active]
        existing, is_kept = parts.existing(frame), self._is_kept(frame)
        before, slots = self._everything[parts.channels.rows(ids)], parts.channels.slots(ids)
        found = parts.looks.segment(frame, before, slots, is_kept=is_kept)
        everything = parts.channels.with_resting(found, ids, existing)
        whole = partial(parts.looks.whole, frame, is_kept=is_kept)
        prob, older = parts.past.merge(self._pass, frame, whole, found, existing, parts.channels)
        mask = parts.channels.to_mask(prob, ids, existing)
        if is_kept:
            parts.past.keep(frame, prob, ids, mask)
        return Look(everything, mask, self._watch.measure(self._sights(frame, found, prob, older)))

    def _sights(self, frame: int, found: Tensor, prob: Tensor, older: Mapping[int, Tensor]) -> dict[int, Sight]:
        """found, prob [A+1, Hp, Wp] before and after fusion; the planes of what was fused, by object id."""
        planes, age = _as_planes(prob[1:]), abs(frame - self._pass.anchor)
        own = _as_planes(found[1:]) if older else planes
        past = {object_id: _as_planes(plane) for object_id, plane in older.items()}
        sights = {}
        for row, span in enumerate(self._pass.active(frame)):
            left = None if span.fuse_with is None else abs(span.fuse_with - frame)
            sights[span.object_id] = Sight(planes[row], own[row], past.get(span.object_id), age, left)
        return sights

    def _is_kept(self, frame: int) -> bool:
        return self._visited_again is None or frame in self._visited_again

    def _remember(self, frame: int) -> None:
        kind = self._parts.propagator.wants_memory(frame, self._last_kept)
        if kind is Memory.NONE:
            return
        self._memorize(frame, kind)
        self._last_kept = frame if kind is Memory.ROLLING else self._last_kept

    def _memorize(self, frame: int, kind: Memory) -> None:
        parts = self._parts
        slots = parts.channels.slots([span.object_id for span in self._pass.active(frame)])
        parts.looks.memorize(frame, self._everything, slots, kind, is_kept=self._is_kept(frame))


def _as_planes(probs: Tensor) -> NDArray[np.float32]:
    planes: NDArray[np.float32] = probs.float().cpu().numpy()
    return planes
