"""A video that is corrected frame by frame by a user who always gives the true mask; the program's own engine.

What is left then is which frames are corrected: `evaluation.frame_selection` compares ways to choose them, and
`train.py produce-rewards` plays such rounds to teach the frame agent.
"""
from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from evaluation.metrics import frame_scores
from inference_core.api import KeyFrame, PropagationRequest
from interact.annotations import load_annotations, object_ids
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from util.config import AppConfig
from util.errors import AppError
from util.jobs import CancelToken
from util.types import IndexMask

if TYPE_CHECKING:
    from inference_core.core import CoreState


class Moment(NamedTuple):
    """What `CorrectedVideo.go_back` needs; a value."""

    core: CoreState
    masks: tuple[IndexMask, ...]
    keys: Mapping[int, KeyFrame]
    quality: tuple[float, ...]
    carried: Mapping[int, Mapping[int, float]]


class CorrectedVideo:
    """One video with the objects of its first frame, which is given from the start; a context manager.

    Args:
        images, masks: folders; every frame that is played needs its mask.
        limit: only the first frames; None for all.
        spare_cores: processor cores to leave to others.
        weights: of the light quality network; None: those in their place.

    Raises:
        AppError: fewer than three frames, or one without a mask; what the engine needs is missing.
    """

    def __init__(
        self,
        images: Path,
        masks: Path,
        config: AppConfig,
        limit: int | None = None,
        spare_cores: int = 0,
        weights: Path | None = None,
    ) -> None:
        from inference_core.factory import build_core  # here, so that wrong input is told before torch has loaded

        self.frames = FrameStore(open_source(images), budget_bytes=config.budgets.frames)
        try:
            self._length = len(self.frames) if limit is None else min(limit, len(self.frames))
            truth = load_annotations(masks, self.frames, range(self._length))
            missing = [frame for frame in range(self._length) if frame not in truth]
            if missing or self._length < 3:
                raise AppError(
                    f"{masks}: needs the true masks of all frames, of three at least; "
                    + (f"frame {missing[0]} has none." if missing else f"there are {self._length}."),
                    "Check --clips.",
                )
            self.object_ids = tuple(sorted(object_ids(truth[0])))
            # Objects that come later are nobody's here: the user of this experiment marks those of the first frame.
            self._truth = [np.where(np.isin(truth[f], self.object_ids), truth[f], 0) for f in range(self._length)]
            self._masks: list[IndexMask] = [np.zeros(self.frames.size, np.uint8)] * len(self.frames)
            self._keys: dict[int, KeyFrame] = {}
            self.core = build_core(
                config, self.frames, self._masks.__getitem__, spare_cores=spare_cores, quality=weights
            )
        except BaseException:
            self.frames.close()
            raise
        self._quality: tuple[float, ...] = ()
        self._carried: dict[int, Mapping[int, float]] = {}
        self.correct(0)

    def __len__(self) -> int:
        return self._length

    @property
    def quality(self) -> tuple[float, ...]:
        """J&F of every frame, the mean over the objects; 1 where the true mask was given."""
        return self._quality

    @property
    def carried_quality(self) -> tuple[float, ...]:
        """Of every frame what the latest propagation left, the mean over the objects; 1 where the mask was given."""
        left = (self._carried[f].values() if f not in self._keys else [1.0] for f in range(self._length))
        return tuple(float(np.mean([*values])) for values in left)

    def correct(self, frame: int) -> None:
        """Give the true mask of a frame and carry it both ways; nothing happens where it was given before."""
        if frame in self._keys:
            return
        before = self._masks[frame] if self._keys else None
        self._masks[frame] = self._truth[frame]
        self._keys[frame] = KeyFrame(frame, self._truth[frame], frozenset(self.object_ids), baseline=before)
        self.core.sync(list(self._keys.values()))
        changed = {frame}
        for result in self.core.propagate(PropagationRequest(frame, "both", 0, self._length - 1), CancelToken()):
            self._masks[result.frame] = result.mask
            self._carried[result.frame] = {i: measure.quality for i, measure in result.measures.items()}
            changed.add(result.frame)
        self._quality = tuple(
            self._score(f) if f in changed else old for f, old in enumerate(self._quality or (0.0,) * self._length)
        )

    def _score(self, frame: int) -> float:
        scores = frame_scores(self._truth[frame], self._masks[frame], self.object_ids)
        return float(np.mean([score.j_and_f for score in scores.values()]))

    def moment(self) -> Moment:
        """To come back to."""
        return Moment(self.core.snapshot(), tuple(self._masks), dict(self._keys), self._quality, dict(self._carried))

    def go_back(self, moment: Moment) -> None:
        """As if nothing had been corrected since."""
        self._masks[:] = moment.masks
        self._keys = dict(moment.keys)
        self._quality = moment.quality
        self._carried = dict(moment.carried)
        self.core.restore(moment.core)

    def __enter__(self) -> CorrectedVideo:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with closing(self.frames):
            self.core.close()
