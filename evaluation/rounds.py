"""Masks that an engine really carried, with their true J: what everything that judges masks is measured on.

Two rounds on a clip whose true masks are known. The first mask is carried forward; then the true mask of the last frame
is given too and carried back, so that every frame has two results, fused.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from evaluation.metrics import region_similarity
from inference_core.api import CoreApi, KeyFrame, PropagationRequest
from inference_core.confidence import ObjectMeasure
from interact.annotations import load_annotations, object_ids
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from util.config import AppConfig
from util.errors import AppError
from util.jobs import CancelToken
from util.types import IndexMask

ROUNDS = ("one key frame", "two key frames")


class Carried(NamedTuple):
    """The mask of one object on one frame. Args: round: index into `ROUNDS`. region: its true J."""

    round: int
    frame: int
    object_id: int
    measure: ObjectMeasure
    region: float


class Clip(NamedTuple):
    """A clip with a core bound to it. Args: truth: frame -> true mask. stored: what the core takes for the masks."""

    frames: FrameStore
    core: CoreApi
    truth: Mapping[int, IndexMask]
    stored: list[IndexMask]


@contextmanager
def open_clip(
    images: Path,
    masks: Path,
    config: AppConfig,
    limit: int | None,
    *,
    quality: Path | None = None,
    spare_cores: int = 0,
) -> Iterator[Clip]:
    """The first `limit` frames of a clip.

    Args:
        quality: weights of the light quality network; None: those in their place.
        spare_cores: processor cores to leave to others.

    Raises:
        AppError: also when too few true masks are there.
    """
    from inference_core.factory import build_core  # here, so that wrong input is told before torch has loaded

    with closing(FrameStore(open_source(images), budget_bytes=config.budgets.frames)) as frames:
        truth = load_annotations(masks, frames, range(len(frames) if limit is None else min(limit, len(frames))))
        if 0 not in truth or len(truth) < 3:
            raise AppError(f"{masks}: needs the true mask of the first frame and of two others.", "Check --clips.")
        stored: list[IndexMask] = [np.zeros(frames.size, np.uint8)] * len(frames)
        core = build_core(config, frames, stored.__getitem__, spare_cores=spare_cores, quality=quality)
        with closing(core):
            yield Clip(frames, core, truth, stored)


def played_rounds(core: CoreApi, truth: Mapping[int, IndexMask], masks: list[IndexMask]) -> Iterator[Carried]:
    """Both rounds, one after the other; see `play_round`."""
    for number in range(len(ROUNDS)):
        yield from play_round(core, number, truth, masks)


def play_round(
    core: CoreApi, number: int, truth: Mapping[int, IndexMask], masks: list[IndexMask]
) -> Iterator[Carried]:
    """One round; each mask is told while it is the stored one and the core knows how soft it is.

    Args:
        core: bound to the video and to `masks` as its stored masks.
        number: index into `ROUNDS`; the second goes on from the masks of the first.
        truth: frame -> mask, of the first and the last frame at least.
        masks: one per frame; overwritten.
    """
    ids, last = object_ids(truth[0]), max(truth)
    masks[0] = truth[0]
    keys = [KeyFrame(0, truth[0], ids)]
    request = PropagationRequest(0, "forward", 0, last)
    if number:
        masks[last] = np.where(np.isin(truth[last], [*ids]), truth[last], 0)
        keys.append(KeyFrame(last, masks[last], ids))
        request = PropagationRequest(last, "backward", 0, last)
    core.sync(keys)
    for result in core.propagate(request, CancelToken()):
        masks[result.frame] = result.mask
        true = truth.get(result.frame)
        if true is not None:
            for object_id, measure in result.measures.items():
                region = region_similarity(true == object_id, result.mask == object_id)
                yield Carried(number, result.frame, object_id, measure, region)


def rank_correlation(one: ArrayLike, other: ArrayLike) -> float:
    """Spearman's: the correlation of the ranks, equal values sharing theirs. NaN where one of them is constant."""
    ranks = [_ranks(np.asarray(values, np.float64)) for values in (one, other)]
    if any(np.ptp(row) == 0 for row in ranks):
        return float("nan")
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[place]
