"""What a pass tells, without the truth, of every mask that it makes: measured the same way in training and in use.

Nothing here looks at a picture. The engine's own probabilities say most of a mask; what they said since the key frame
(an object once lost stays lost), how far that is, how the shape has changed and what an older pass found there say
more. `model.light_quality` predicts J from it; without its weights the margin alone counts. Only what has been seen so
far goes in, so that every value is known at once and never changes. No torch here.
"""
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference_core.confidence import ObjectMeasure, Shape, expected_overlap, moved_overlap

MEASURES = (
    "margin", "margin_first", "margin_lately", "margin_least", "margin_own", "margin_older",
    "has_older", "age", "left", "way", "overlap_key", "drift",
)
"""What the numbers of `ObjectMeasure.values` are, in this order.

Logits of `expected_overlap`: of the mask; of the engine's own result, before it was merged with an older one, on the
first frame of the pass, lately, at its least so far, and now; of the older result. Whether there is an older result, 0
or 1. Frames since the key frame, and frames left to the object's key frame on the other side (0: there is none), log;
how much of the way between the two is done, 0..1. `moved_overlap` of the mask with the key frame's; the losses of that
from each frame to the next, summed since the key frame, log.
"""

_SURE = 0.01
"""How near to 0 and 1 a share may come before its logit is taken."""
_LATELY = 0.4
"""Weight of the present frame in what was lately."""
_LEAST = 0.05
"""Overlaps below that are not told apart."""


class MaskJudge(Protocol):
    """Predicts how good masks are from what was measured of them; `inference_core.light_judge` builds it."""

    def judge(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """J of each mask, 0..1: float32 [A, len(MEASURES)] -> [A]."""


@dataclass(frozen=True)
class Sight:
    """One object on one frame of a pass.

    Args:
        prob: float32 [h, w], what becomes the mask. own: what the engine found itself, before fusion.
        older: what an earlier pass had found, with which it was merged; None where there was nothing to merge with.
        age: frames since the key frame that the pass comes from, at least 1.
        left: frames to the key frame of this object on the other side; None where there is none.
    """

    prob: NDArray[np.float32]
    own: NDArray[np.float32]
    older: NDArray[np.float32] | None
    age: int
    left: int | None


@dataclass
class _History:
    """Of one object since the key frame. Args: key, before: bool [h, w] there and on the frame before."""

    key: Shape
    before: Shape
    first: float = math.nan
    lately: float = math.nan
    least: float = math.inf
    lost: float = 0.0

    def note_margin(self, margin: float) -> None:
        """Args: margin: logit, of the engine's own result."""
        if math.isnan(self.first):
            self.first = self.lately = margin
        self.lately += _LATELY * (margin - self.lately)
        self.least = min(self.least, margin)

    def note_shape(self, shape: Shape) -> None:
        self.lost -= math.log(max(moved_overlap(self.before, shape), _LEAST))
        self.before = shape


class PassMeasures:
    """Measures the frames of one pass in their order.

    Args:
        shapes: by object id, what the anchor shows.
        judge: None: the quality is the margin.
    """

    def __init__(self, shapes: Mapping[int, Shape], judge: MaskJudge | None = None) -> None:
        self._history = {object_id: _History(shape, shape) for object_id, shape in shapes.items()}
        self._judge = judge

    def measure(self, sights: Mapping[int, Sight]) -> dict[int, ObjectMeasure]:
        """Of the next frame, by object id; planes of the same size as the shapes."""
        if not sights:
            return {}
        margins = [expected_overlap(sight.prob) for sight in sights.values()]
        rows = [
            self._values(object_id, sight, margin)
            for (object_id, sight), margin in zip(sights.items(), margins, strict=True)
        ]
        values = np.array(rows, np.float32)
        qualities = margins if self._judge is None else self._judge.judge(values).tolist()
        return {
            object_id: ObjectMeasure(quality, margin, tuple(row))
            for object_id, quality, margin, row in zip(sights, qualities, margins, values.tolist(), strict=True)
        }

    def _values(self, object_id: int, sight: Sight, margin: float) -> tuple[float, ...]:
        shape = sight.prob > 0.5
        if object_id not in self._history:
            self._history[object_id] = _History(shape, shape)
        history = self._history[object_id]
        now, own, older = _logit(margin), _logit(margin), _logit(margin)
        if sight.older is not None:
            own, older = (_logit(expected_overlap(prob)) for prob in (sight.own, sight.older))
        history.note_margin(own)
        history.note_shape(shape)
        left, way = (0.0, 0.0) if sight.left is None else (math.log(sight.left), sight.age / (sight.age + sight.left))
        return (
            now, history.first, history.lately, history.least, own, older,
            float(sight.older is not None), math.log(sight.age), left, way,
            moved_overlap(history.key, shape), math.log1p(history.lost),
        )


def _logit(share: float) -> float:
    share = min(max(share, _SURE), 1 - _SURE)
    return math.log(share / (1 - share))
