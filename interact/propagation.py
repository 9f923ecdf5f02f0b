"""One propagation run: what the core is asked, what its results may change, and the step that undo takes back."""
from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

import numpy as np

from inference_core.api import CoreApi, Direction, FrameResult, KeyFrame, MemoryExhausted, PropagationRequest
from interact.baselines import Baseline, baseline_after_propagation
from interact.commands import BaselineChange, Change, MarkChange, MaskChange, Scene, Step
from interact.cut_watch import propagate_within_scene
from interact.frame_confidence import FrameConfidence
from interact.layering import id_table
from interact.propagation_order import Order, with_barriers
from interact.protection import PROTECTING
from interact.sources import engine_source, now_text, source_change
from interact.undo_stack import UndoStack
from storage.frame_runs import to_runs
from storage.mask_delta import MaskDelta, diff
from storage.provenance import Source, Span
from util.jobs import CancelToken, Job, Outcome
from util.types import MAX_OBJECT_ID, IndexMask

log = logging.getLogger(__name__)

_CUT_OFF = "propagate (cut off)"


class Finished(Protocol):
    """Called once at the end.

    Args:
        step: what the run changed, None for nothing.
        text: a sentence for the user.
        is_failed: the step is to be taken back; otherwise it stays in effect.
    """

    def __call__(self, step: Step | None, text: str, *, is_failed: bool) -> None: ...


class Propagation:
    """Created on the GUI thread, which must not edit until `Finished` was called.

    `_run` is the only method that the worker calls; it reads values frozen at creation, and masks.
    """

    def __init__(self, scene: Scene, history: UndoStack, order: Order, confidence: FrameConfidence) -> None:
        """Args:
            history: hears of every frame before it is changed.
            confidence: gets how good the masks of every frame may be.

        Raises:
            AppError: there is nothing on the anchor to carry.
        """
        carried, anchor = order.carried(scene), order.anchor
        self._scene = scene
        self._history = history
        self._confidence = confidence
        self._anchor = anchor
        self._carried = carried
        self._request = PropagationRequest(anchor, order.direction, order.first or 0, order.last)
        self._is_whole = not order.first and order.last is None and order.only is None
        self._keys: Mapping[int, frozenset[int]] = MappingProxyType(
            {**with_barriers(scene, anchor, carried), anchor: carried}
        )
        self._barriers = {kind: MappingProxyType(dict(scene.marks[kind])) for kind in PROTECTING}
        self._baselines: dict[int, Baseline] = {}
        for frame in self._keys:
            baseline = scene.baselines.get(frame)
            if baseline is not None and (frame != anchor or _is_due(baseline, order.direction)):
                self._baselines[frame] = baseline
        self._scenes = order.scenes
        self._cuts: list[tuple[int, int]] = []
        self._deltas: list[MaskDelta] = []
        self._frames: set[int] = set()
        self._engine = Source("propagated", "", now_text(), anchor)

    def job(self, core: Callable[[], CoreApi], finished: Finished) -> Job[FrameResult]:
        """The total is known to the core only; every result tells it."""

        def run(token: CancelToken) -> Generator[FrameResult, None, None]:
            yield from self._run(core, token)

        def finish(outcome: Outcome) -> None:
            step, text = self._end(outcome)
            finished(step, text, is_failed=outcome.kind == "failed" and not _is_cut_short(outcome))

        return Job(f"Propagating from frame {self._anchor}", None, run, self._apply, finish)

    def _run(self, core: Callable[[], CoreApi], token: CancelToken) -> Generator[FrameResult, None, None]:
        api = core()
        self._engine = engine_source(api, self._anchor)
        token.check()
        api.sync([self._key_frame(frame, ids) for frame, ids in sorted(self._keys.items())])
        token.check()
        if self._scenes is None:
            yield from api.propagate(self._request, token)
        else:
            yield from propagate_within_scene(api, self._request, self._scenes, token, self._note_cut)

    def _note_cut(self, before: int, after: int) -> None:
        self._cuts.append((min(before, after), max(before, after)))

    def _key_frame(self, frame: int, ids: frozenset[int]) -> KeyFrame:
        baseline = self._baselines.get(frame)
        mask = None if baseline is None else baseline.mask.unpack()
        return KeyFrame(frame, self._scene.masks.get(frame), ids, mask)

    def _apply(self, result: FrameResult) -> None:
        before = self._scene.masks.get(result.frame)
        self._check_barriers(result.frame, before, result.mask)
        delta = diff(result.frame, before, result.mask)
        self._frames.add(result.frame)
        if not delta.is_empty:
            if not self._deltas:
                self._history.begin(Step(_CUT_OFF, self._anchor, self._changes(_CUT_OFF, is_done=False)))
            self._history.part(MaskChange(delta))
            self._scene.masks.set(result.frame, result.mask)
            self._deltas.append(delta)
        free = self._free(result.frame)
        self._confidence.note(result.frame, {i: m.quality for i, m in result.measures.items() if i in free})

    def _check_barriers(self, frame: int, before: IndexMask, after: IndexMask) -> None:
        """Second barrier behind the core's own: only carried objects change, and none that is fixed on the frame."""
        free = self._free(frame)
        guarded = id_table(range(1, MAX_OBJECT_ID + 1))
        guarded[list(free)] = False
        changed = before != after
        hurt = np.union1d(before[changed & guarded[before]], after[changed & guarded[after]])
        if len(hurt):
            raise RuntimeError(f"the engine changed protected objects {hurt.tolist()} on frame {frame}")

    def _end(self, outcome: Outcome) -> tuple[Step | None, str]:
        if outcome.kind == "failed" and not _is_cut_short(outcome):
            log.error("propagation from frame %d failed", self._anchor, exc_info=outcome.error)
            self._confidence.settle(None)
            step = Step("the propagation", self._anchor, tuple(map(MaskChange, self._deltas)))
            return step, f"Propagation failed, the masks are as before: {outcome.error}"
        count = len(self._frames)
        frames = f"{count} frame{'' if count == 1 else 's'}"
        stopped = "" if outcome.kind == "done" else " (stopped)"
        cuts = "".join(f" It ends at the scene cut between frames {a} and {b}." for a, b in self._cuts)
        if _is_cut_short(outcome):
            cuts += f" {outcome.error}"
        if not count:
            return None, f"Nothing was propagated{stopped}.{cuts}"
        label = f"propagate {frames}{stopped}"
        step = Step(label, self._anchor, self._changes(label, is_done=not stopped and not cuts))
        self._apply_marks(step)
        self._confidence.settle(self._source(label))
        changed = "" if len(self._deltas) == count else f", {len(self._deltas)} of them changed"
        return step, f"Propagated {frames}{stopped}{changed}.{cuts}"

    def _changes(self, label: str, *, is_done: bool) -> tuple[Change, ...]:
        """A run that was stopped or kept to a range still owes its correction to the frames it did not reach."""
        changes: list[Change] = []
        keys = self._scene.key_frames.on(self._anchor)
        if not self._carried <= keys:
            changes.append(MarkChange("key", {self._anchor: keys}, {self._anchor: keys | self._carried}))
        old = self._scene.baselines.get(self._anchor)
        new = baseline_after_propagation(old, self._request.direction) if is_done and self._is_whole else old
        if new != old:
            changes.append(BaselineChange(self._anchor, old, new))
        changes += source_change(self._scene, self._spans(self._source(label)))
        return (*changes, *map(MaskChange, self._deltas))

    def _source(self, label: str) -> Source:
        return replace(self._engine, action=label)

    def _spans(self, source: Source) -> Iterator[Span]:
        """What was reached, by object."""
        frames: dict[int, list[int]] = {}
        for frame in sorted(self._frames):
            for object_id in self._free(frame):
                frames.setdefault(object_id, []).append(frame)
        for object_id, numbers in frames.items():
            yield from (Span(object_id, run, source) for run in to_runs(numbers))

    def _free(self, frame: int) -> frozenset[int]:
        """The objects that may change on a frame."""
        nobody: frozenset[int] = frozenset()
        marked = (marks.get(frame, nobody) for marks in self._barriers.values())
        return (self._carried - self._keys.get(frame, nobody)).difference(*marked)

    def _apply_marks(self, step: Step) -> None:
        """The pixels are in place already, frame by frame."""
        for change in step.changes:
            if not isinstance(change, MaskChange):
                change.apply(self._scene)


def _is_cut_short(outcome: Outcome) -> bool:
    """Whether it ended for want of memory: what was done until then is good, and stays as when the user stops."""
    return isinstance(outcome.error, MemoryExhausted)


def _is_due(baseline: Baseline, direction: Direction) -> bool:
    return (baseline.forward and direction != "backward") or (baseline.backward and direction != "forward")
