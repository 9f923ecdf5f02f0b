"""What tells of bad masks without the truth: margin, jumps to the neighbour, disagreement of two passes."""
from __future__ import annotations

import numpy as np
import pytest

from inference_core.api import FrameResult, KeyFrame, PropagationRequest
from inference_core.confidence import ObjectMeasure, PassMeasures, moved_overlap, soft_agreement
from inference_core.core import InferenceCore
from inference_core.fusion import LinearFuser
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


def test_a_pass_is_measured_from_frame_to_frame() -> None:
    watch = PassMeasures({1: box(5, 5, 10, 10)})
    same = watch.measure(1, box(6, 8, 10, 10).astype(np.float32))
    assert same == ObjectMeasure(1, 1, 1) and same.confidence == 1
    half = watch.measure(1, box(6, 8, 5, 10).astype(np.float32) * 0.8)
    assert half.area == 0.5 and half.overlap == pytest.approx(0.5) and half.margin == pytest.approx(0.8)
    lost = watch.measure(1, np.full((40, 60), 0.3, np.float32))
    assert (lost.area, lost.overlap, lost.confidence) == (0, 0, 0) and lost.margin == pytest.approx(0.7)
    still = watch.measure(1, np.zeros((40, 60), np.float32))
    assert still == ObjectMeasure(1, 1, 1), "nowhere, and surely so"
    assert watch.measure(2, box(1, 1, 4, 4).astype(np.float32)).area == 1, "an object that the anchor knows nothing of"


@pytest.mark.parametrize("worse", [{"margin": 0.5}, {"area": 0.5}, {"overlap": 0.5}, {"agreement": 0.4}])
def test_each_measure_lowers_the_confidence(worse: dict[str, float]) -> None:
    good = ObjectMeasure(0.9, 0.8, 0.8, 0.6)
    assert good.confidence == 0.9, "what is usual while an object moves does not count"
    assert 0 < good._replace(**worse).confidence < good.confidence


def test_two_passes_agree_as_far_as_they_overlap() -> None:
    one, other = box(0, 0, 10, 10).astype(np.float32), box(0, 5, 10, 10).astype(np.float32)
    assert soft_agreement(one, other) == pytest.approx(50 / 150)
    assert soft_agreement(one, one) == 1 and soft_agreement(0.4 * one, 0 * one) == 1, "no mask in either"


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

    first = KeyFrame(0, masks[0], ids)
    core.sync([first])
    for result in carry(PropagationRequest(0, "forward", 0, last)):
        assert set(result.measures) == ids
        assert all(0 < m.margin <= 1 and 0 <= m.confidence <= 1 for m in result.measures.values())
        assert all(measure.agreement is None for measure in result.measures.values())
    masks[last] = VIDEO.masks[last]
    core.sync([first, KeyFrame(last, masks[last], ids)])
    back = carry(PropagationRequest(last, "backward"))
    assert [result.frame for result in back] == [4, 3, 2, 1]
    agreements = [measure.agreement for result in back for measure in result.measures.values()]
    assert len(agreements) == 8 and all(value is not None and 0 < value <= 1 for value in agreements)
