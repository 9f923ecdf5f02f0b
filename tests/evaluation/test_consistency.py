"""There and back: an engine that copies comes home exactly, one that loses the object does not."""
from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
import pytest

from evaluation.consistency import measure
from inference_core.api import FrameResult, KeyFrame, PropagationRequest
from util.jobs import CancelToken
from util.types import IndexMask

FRAMES = 6


class Shrinking:
    """A core that loses `lost` rows of the object per frame."""

    def __init__(self, lost: int) -> None:
        self._lost = lost
        self._key: KeyFrame | None = None

    def sync(self, key_frames: Sequence[KeyFrame]) -> None:
        (self._key,) = key_frames

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        assert self._key is not None and self._key.frame == request.anchor
        step = 1 if request.direction == "forward" else -1
        mask, end = self._key.mask, request.last if step > 0 else request.first
        for frame in range(request.anchor + step, end + step, step):
            mask = mask.copy()
            rows = np.flatnonzero(mask.any(1))
            mask[rows[: self._lost]] = 0
            yield FrameResult(frame, mask, 0, 0)


def first_mask() -> IndexMask:
    mask = np.zeros((20, 10), np.uint8)
    mask[:16, 2:5] = 1
    mask[:16, 6:8] = 2
    return mask


@pytest.mark.parametrize(("lost", "came_back"), [(0, 1.0), (1, 6 / 16)])
def test_what_is_lost_on_the_way_does_not_come_home(lost: int, came_back: float) -> None:
    masks: list[IndexMask] = [np.zeros((20, 10), np.uint8)] * FRAMES
    found = measure(Shrinking(lost), first_mask(), FRAMES - 1, masks)  # type: ignore[arg-type]
    assert found.came_back == pytest.approx(came_back)
    assert (found.both_ways == 1.0) == (lost == 0)
    assert found.speed > 0
