"""Carries given masks through a video: annotations in, a mask on every frame out. The caller's thread does everything.

The order of work is that of `interact/headless_schedule.py`; the engine is any `CoreApi`.
"""
from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Protocol

import numpy as np

from inference_core.api import CoreApi, FrameResult, KeyFrame, PropagationRequest
from interact.headless_schedule import Carry, Stop, visited_later
from interact.layering import id_table
from util.jobs import CancelToken
from util.types import IndexMask

log = logging.getLogger(__name__)


class Masks(Protocol):
    """Where results go; `storage.mask_store.MaskStore` is one. The core reads the same store as `existing`."""

    def get(self, frame: int) -> IndexMask: ...
    def set(self, frame: int, mask: IndexMask) -> None: ...


class HeadlessRun:
    """One job; `run` may be called once.

    Args:
        core: bound to the video and to `masks`.
        stops: of `plan_stops`.
        annotations: stop's frame -> uint8 [H, W].
        masks: nothing but background at the beginning, as far as the job's range goes.
        is_partial: as for `plan_stops`.
    """

    def __init__(
        self,
        core: CoreApi,
        stops: Sequence[Stop],
        annotations: Mapping[int, IndexMask],
        masks: Masks,
        *,
        is_partial: bool,
    ) -> None:
        self._core = core
        self._stops = stops
        self._visited_later = dict(zip((stop.frame for stop in stops), visited_later(stops), strict=True))
        self._annotations = annotations
        self._masks = masks
        self._is_partial = is_partial
        self._key_frames: dict[int, KeyFrame] = {}
        self._passed: dict[int, Stop] = {}
        self._predicted: set[int] = set()
        self.total = sum(carry.num_frames for stop in stops for carry in stop.carries)
        """Predictions to be made."""
        self.finished: set[int] = set()
        """Frames that have got a mask so far."""
        self.tell: Callable[[str], None] = log.warning
        """Is given what the user should know while it runs: `FrameResult.notice`."""

    def run(self, token: CancelToken) -> Generator[int, None, None]:
        """Do it, yielding how many predictions are made after each.

        Raises `Cancelled` between two frames, and what the core does.
        """
        done = 0
        for stop in self._stops:
            mask, baseline = self._annotate(stop)
            for carry in stop.carries:
                # Objects that start here are not yet there on the way back.
                self._key_frames[stop.frame] = KeyFrame(stop.frame, mask, carry.object_ids, baseline)
                for _ in self._carry(stop, carry, token):
                    done += 1
                    yield done
            self._key_frames[stop.frame] = KeyFrame(stop.frame, mask, stop.object_ids)
            self._passed[stop.frame] = stop

    @property
    def key_frames(self) -> Mapping[int, frozenset[int]]:
        """Annotated frames that have got their mask -> the objects fixed there."""
        return {stop.frame: stop.object_ids for stop in self._stops if stop.frame in self.finished}

    def _annotate(self, stop: Stop) -> tuple[IndexMask, IndexMask | None]:
        """Write the stop's mask; returns it and what was predicted there before, if anything."""
        before = self._masks.get(stop.frame)
        mask = self._imposed(stop, before)
        self._masks.set(stop.frame, mask)
        self.finished.add(stop.frame)
        return mask, before if stop.frame in self._predicted else None

    def _carry(self, stop: Stop, carry: Carry, token: CancelToken) -> Generator[FrameResult, None, None]:
        token.check()
        self._core.sync(list(self._key_frames.values()))
        later = self._visited_later[stop.frame]
        request = PropagationRequest(stop.frame, carry.direction, carry.first, carry.last, later)
        for result in self._core.propagate(request, token):
            if result.notice:
                self.tell(f"Frame {result.frame}: {result.notice}")
            passed = self._passed.get(result.frame)
            self._masks.set(result.frame, result.mask if passed is None else self._imposed(passed, result.mask))
            self._predicted.add(result.frame)
            self.finished.add(result.frame)
            yield result

    def _imposed(self, stop: Stop, predicted: IndexMask) -> IndexMask:
        """The annotation, and beneath it the prediction of the objects about which it says nothing."""
        annotation = self._annotations[stop.frame]
        if not self._is_partial:
            return annotation
        mask = predicted.copy()
        mask[id_table(stop.object_ids)[predicted]] = 0
        np.copyto(mask, annotation, where=annotation != 0)
        return mask
