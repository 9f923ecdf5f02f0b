"""Whether suspects tell where masks are bad: rank correlation, the two rounds, the table, the command."""
from __future__ import annotations

import csv
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import pytest

from evaluation.confidence import MEASURES, Sample, main, measure_rounds, row_of
from evaluation.rank_report import overall
from evaluation.rounds import ROUNDS, rank_correlation
from inference_core.api import FrameResult, KeyFrame, PropagationRequest
from inference_core.confidence import SUSPECT_BELOW, ObjectMeasure
from tests.synthetic import make_synthetic_video
from util.jobs import CancelToken
from util.types import IndexMask


def test_rank_correlation() -> None:
    assert rank_correlation([1, 2, 3], [10, 20, 90]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [5, 4, 3]) == pytest.approx(-1)

    by_hand = np.corrcoef([1, 2.5, 2.5, 4], [2, 1, 3, 4])[0, 1]
    assert rank_correlation([1, 2, 2, 4], [20, 10, 30, 40]) == pytest.approx(by_hand)
    assert np.isnan(rank_correlation([1, 1, 1], [1, 2, 3]))


def measure(value: float, margin: float = 1.0) -> ObjectMeasure:
    return ObjectMeasure(value, margin)


def test_a_row_says_how_good_the_measures_are_and_what_the_rule_finds() -> None:
    samples = [Sample(measure(v), r) for v, r in ((0.9, 0.95), (0.8, 0.9), (0.55, 0.7), (0.5, 0.3), (0.75, 0.2))]
    row = row_of("a", ROUNDS[0], samples)
    found = dict(zip(MEASURES, row.correlations, strict=True))
    assert found["quality"] == pytest.approx(0.7)
    assert np.isnan(found["margin"]) and np.isnan(found["steadiness"]), "constant"
    assert (row.samples, row.bad, row.suspects, row.both) == (5, 2, 2, 1) and 0.55 < SUSPECT_BELOW < 0.75
    shaky = [Sample(measure(0.9), r, steady) for r, steady in ((0.9, 1.0), (0.4, 0.7), (0.6, 0.9))]
    found = row_of("a", ROUNDS[0], shaky)
    assert found.correlations[MEASURES.index("steadiness")] == pytest.approx(1)
    assert (found.bad, found.suspects, found.both) == (1, 1, 1), "a mask that flickers is a suspect, however sure"
    other = row_of("b", ROUNDS[0], [Sample(measure(0.1), 0.1), Sample(measure(0.2), 0.2)])
    second = row_of("b", ROUNDS[1], [Sample(measure(0.1, 0.5), 0.1), Sample(measure(0.2, 0.6), 0.2)])
    (first, last) = overall([row, other, second])
    assert first.correlations[MEASURES.index("quality")] == pytest.approx((0.7 + 1) / 2)
    assert first.samples == 7 and first.suspects == 4
    assert last.correlations[MEASURES.index("margin")] == pytest.approx(1)


class Shrinking:
    """A core that loses a row of the object per frame and knows it."""

    def __init__(self) -> None:
        self.synced: list[list[int]] = []

    def sync(self, key_frames: Sequence[KeyFrame]) -> None:
        self.synced.append([key.frame for key in key_frames])
        self._keys = {key.frame: key for key in key_frames}

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        step = 1 if request.direction == "forward" else -1
        stop = request.last + 1 if step > 0 else request.first  # type: ignore[operator]
        mask = self._keys[request.anchor].mask
        for frame in range(request.anchor + step, stop, step):
            if frame in self._keys:
                return
            mask = mask.copy()
            mask[np.flatnonzero(mask.any(1))[0]] = 0
            yield FrameResult(frame, mask, 0, 0, {1: measure(float(mask.sum()))})


def test_both_rounds_compare_with_the_truth() -> None:
    true = np.zeros((10, 10), np.uint8)
    true[0:8, 2:4] = 1
    masks: list[IndexMask] = [np.zeros_like(true)] * 4
    core = Shrinking()
    first, second = measure_rounds(core, {0: true, 1: true, 3: true}, masks)  # type: ignore[arg-type]
    assert core.synced == [[0], [0, 3]]
    assert [sample.region for sample in first] == [pytest.approx(7 / 8), pytest.approx(5 / 8)], "frame 2 has no truth"
    assert [sample.region for sample in second] == [pytest.approx(6 / 8)]
    assert masks[3].sum() == true.sum(), "given in the second round"
    assert first[0].steadiness == 1, "it only shrinks, which is no flicker"


class Flickering(Shrinking):
    """Loses half of the object on frame 2 only."""

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        for result in super().propagate(request, token):
            mask = self._keys[request.anchor].mask.copy()
            mask[:, 3] *= result.frame != 2
            yield FrameResult(result.frame, mask, 0, 0, result.measures)


def test_steadiness_knows_the_frame_after() -> None:
    true = np.zeros((10, 10), np.uint8)
    true[0:8, 2:4] = 1
    masks: list[IndexMask] = [np.zeros_like(true)] * 5
    first, _ = measure_rounds(Flickering(), dict.fromkeys(range(5), true), masks)  # type: ignore[arg-type]
    assert [sample.steadiness for sample in first] == [1, 0.5, 1, 1]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = make_synthetic_video()
    video.write_frames(tmp_path / "JPEGImages" / "shapes")
    video.write_masks(tmp_path / "Annotations" / "shapes")
    table = tmp_path / "table.csv"
    assert main(["--clips", str(tmp_path), "--frames", "4", "--csv", str(table)]) == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [(row["sequence"], row["round"], row["masks"]) for row in rows] == [
        (name, *counted) for name in ("shapes", "mean", "together") for counted in zip(ROUNDS, ("9", "6"), strict=True)
    ]
    assert {**rows[0], "sequence": ""} == {**rows[2], "sequence": ""} == {**rows[4], "sequence": ""}
    assert all(-1 <= float(row["quality"]) <= 1 for row in rows)
    assert "shapes" in capsys.readouterr().out
    assert main(["--clips", str(tmp_path), "--sequence", "cows"]) == 2
    assert "has no sequence cows" in capsys.readouterr().err
