"""What is measured of the masks of a pass, frame by frame, and what the embedded network makes of it."""
from __future__ import annotations

import numpy as np
import pytest

from inference_core.light_judge import build_judge
from inference_core.pass_measures import MEASURES, PassMeasures, Sight
from model.light_quality import INPUTS


def box(top: int, left: int, height: int, width: int, value: float = 1.0) -> np.ndarray:
    plane = np.zeros((40, 60), np.float32)
    plane[top : top + height, left : left + width] = value
    return plane


def sight(prob: np.ndarray, age: int, older: np.ndarray | None = None, left: int | None = None) -> Sight:
    return Sight(prob, prob, older, age, left)


def logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def measured(watch: PassMeasures, one: Sight) -> dict[str, float]:
    (found,) = watch.measure({1: one}).values()
    assert found.quality == found.margin, "nobody judges"
    return dict(zip(MEASURES, found.values, strict=True))


def test_there_is_an_input_for_every_measure() -> None:
    assert len(MEASURES) == len(set(MEASURES)) == INPUTS and MEASURES[0] == "margin"


def test_a_pass_is_measured_from_frame_to_frame() -> None:
    watch = PassMeasures({1: box(5, 5, 10, 10) > 0})
    same = measured(watch, sight(box(6, 8, 10, 10, 0.9), 1))
    assert same["margin"] == same["margin_first"] == same["margin_least"] == pytest.approx(logit(0.9), abs=1e-4)
    assert (same["overlap_key"], same["drift"], same["age"]) == (1, 0, 0), "it only moved"
    half = measured(watch, sight(box(6, 8, 5, 10, 0.6), 2))
    assert half["margin"] == pytest.approx(logit(0.6), abs=1e-4) and half["margin_first"] == same["margin"]
    assert half["margin_lately"] == pytest.approx(0.6 * same["margin"] + 0.4 * half["margin"], abs=1e-4)
    assert half["overlap_key"] == pytest.approx(0.5) and half["drift"] == pytest.approx(np.log1p(np.log(2)))
    assert half["age"] == pytest.approx(np.log(2))
    again = measured(watch, sight(box(6, 8, 10, 10, 0.9), 3))
    assert again["margin_least"] == half["margin"], "an object once lost stays lost"
    assert again["drift"] > half["drift"] and again["overlap_key"] == 1
    nowhere = measured(watch, sight(box(0, 0, 0, 0), 4))
    assert nowhere["overlap_key"] == 0 and nowhere["margin"] == pytest.approx(logit(0.99))


def test_two_passes_are_told_apart() -> None:
    watch = PassMeasures({1: box(5, 5, 10, 10) > 0})
    alone = measured(watch, sight(box(5, 5, 10, 10, 0.9), 1, left=3))
    assert alone["has_older"] == 0 and alone["margin_older"] == alone["margin_own"] == alone["margin"]
    assert alone["left"] == pytest.approx(np.log(3)) and alone["way"] == 0.25
    one = Sight(box(5, 5, 10, 10, 0.8), box(5, 5, 10, 10, 0.9), box(5, 5, 10, 10, 0.7), 2, 2)
    both = measured(watch, one)
    expected = {"margin": 0.8, "margin_own": 0.9, "margin_older": 0.7}
    assert {name: both[name] for name in expected} == {
        name: pytest.approx(logit(share), abs=1e-4) for name, share in expected.items()
    }
    assert (both["has_older"], both["way"]) == (1, 0.5) and both["margin_least"] == alone["margin"]


def test_an_object_that_the_anchor_does_not_know_is_its_own_measure() -> None:
    found = measured(PassMeasures({}), sight(box(5, 5, 10, 10), 1))
    assert (found["overlap_key"], found["drift"]) == (1, 0)
    assert PassMeasures({}).measure({}) == {}


def test_the_embedded_network_ranks_a_good_mask_above_a_bad_one() -> None:
    """A sharp mask that keeps its shape beside one that grows soft and falls apart."""
    judge = build_judge()
    assert judge is not None
    watch = PassMeasures({1: box(5, 5, 10, 10) > 0, 2: box(20, 30, 10, 10) > 0}, judge)
    for age in range(1, 6):
        sharp, soft = box(5, 5 + age, 10, 10, 0.99), box(20, 30, 10 - age, 10, 0.95 - 0.07 * age)
        soft += box(30 - age, 30, age, 14, 0.3)
        found = watch.measure({1: sight(sharp, age), 2: sight(soft, age)})
    assert found[1].quality > 0.85 and found[2].quality < 0.6
    assert found[2].quality != pytest.approx(found[2].margin, abs=0.01), "it says more than the margin"
