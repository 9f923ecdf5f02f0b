"""What tells of bad masks without the truth: from the shapes alone, and by the core on its way."""
from __future__ import annotations

import numpy as np
import pytest

from inference_core.api import FrameResult, KeyFrame, PropagationRequest
from inference_core.confidence import moved_overlap
from inference_core.core import InferenceCore
from inference_core.fusion import LinearFuser
from inference_core.pass_measures import MEASURES
from inference_core.policy import CompatPolicy
from tests.inference_core.engines import make_propagator
from tests.inference_core.fakes import ArrayFrames
from tests.synthetic import make_synthetic_video

VIDEO = make_synthetic_video()


def box(top: int, left: int, height: int, width: int) -> np.ndarray:
    shape = np.zeros((40, 60), np.bool_)
    shape[top : top + height, left : left + width] = True
    return shape


def test_steady_motion_is_no_jump_but_growing_is() -> None:
    assert moved_overlap(box(2, 2, 9, 9), box(20, 40, 9, 9)) == 1
    assert moved_overlap(box(2, 2, 10, 10), box(2, 2, 10, 20)) == pytest.approx(0.5)
    assert moved_overlap(box(0, 0, 0, 0), box(0, 0, 0, 0)) == 1
    assert moved_overlap(box(0, 0, 0, 0), box(1, 1, 3, 3)) == 0


def test_the_core_measures_what_it_carries() -> None:
    """Forward from the first frame alone, then backward from the last: only now are there two results to compare."""
    masks = [np.zeros(VIDEO.size, np.uint8) for _ in VIDEO.frames]
    masks[0], ids, last = VIDEO.masks[0], frozenset({1, 2}), 5
    core = InferenceCore(
        ArrayFrames(np.stack(VIDEO.frames)), make_propagator("light", VIDEO.size), LinearFuser(),
        lambda frame: masks[frame], policy=CompatPolicy.product(),
    )

    def carry(request: PropagationRequest) -> list[FrameResult]:
        results = []
        for result in core.propagate(request):
            masks[result.frame] = result.mask
            results.append(result)
        return results

    def told(results: list[FrameResult], name: str) -> list[float]:
        return [measure.values[MEASURES.index(name)] for result in results for measure in result.measures.values()]

    first = KeyFrame(0, masks[0], ids)
    core.sync([first])
    forward = carry(PropagationRequest(0, "forward", 0, last))
    for result in forward:
        assert set(result.measures) == ids
        assert all(0 < m.margin <= 1 and m.quality == m.margin for m in result.measures.values()), "nobody judges"
    assert told(forward, "has_older") == [0] * 10 and told(forward, "left") == [0] * 10
    assert told(forward, "age") == pytest.approx(np.log([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]))
    masks[last] = VIDEO.masks[last]
    core.sync([first, KeyFrame(last, masks[last], ids)])
    back = carry(PropagationRequest(last, "backward"))
    assert [result.frame for result in back] == [4, 3, 2, 1]
    assert told(back, "has_older") == [1] * 8
    assert told(back, "way") == pytest.approx([0.2, 0.2, 0.4, 0.4, 0.6, 0.6, 0.8, 0.8])
    assert told(back, "left") == pytest.approx(np.log([4, 4, 3, 3, 2, 2, 1, 1]))
    assert told(back, "margin_older") != told(back, "margin_own")


def test_the_core_asks_who_judges() -> None:
    class Judge:
        def judge(self, values: np.ndarray) -> np.ndarray:
            assert values.shape == (2, len(MEASURES)) and values.dtype == np.float32
            return np.array([0.25, 0.5], np.float32)

    masks = [np.zeros(VIDEO.size, np.uint8) for _ in VIDEO.frames]
    masks[0] = VIDEO.masks[0]
    core = InferenceCore(
        ArrayFrames(np.stack(VIDEO.frames)), make_propagator("light", VIDEO.size), LinearFuser(),
        lambda frame: masks[frame], policy=CompatPolicy.product(), judge=Judge(),
    )
    core.sync([KeyFrame(0, masks[0], frozenset({1, 2}))])
    for result in core.propagate(PropagationRequest(0, "forward", 0, 2)):
        masks[result.frame] = result.mask
        assert {i: measure.quality for i, measure in result.measures.items()} == {1: 0.25, 2: 0.5}
