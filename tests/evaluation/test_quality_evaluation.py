"""What a predicted quality is worth beside confidence: the rounds, the table, the command."""
from __future__ import annotations

import csv
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from evaluation.quality import COLUMNS, Judged, main, row_of
from evaluation.rank_report import overall
from evaluation.rounds import ROUNDS, played_rounds
from inference_core.api import FrameResult, KeyFrame, PropagationRequest
from inference_core.confidence import ObjectMeasure
from model.light_quality import LightQualityNet
from tests.synthetic import SyntheticVideo
from util.jobs import CancelToken
from util.types import IndexMask


def test_rows_and_their_means() -> None:
    rising, falling, flat = (0.1, 0.2, 0.9), (0.9, 0.5, 0.4), (0.5, 0.5, 0.5)
    values = zip(rising, falling, flat, strict=True)
    one = row_of("a", ROUNDS[0], [Judged(v, r) for v, r in zip(values, rising, strict=True)])
    assert one.correlations[:2] == pytest.approx((1, -1)) and np.isnan(one.correlations[2])
    assert one.samples == 3 and one.mean == pytest.approx(0.4)
    other = row_of("b", ROUNDS[0], [Judged((0.1, 0.1, 0.2), 0.5), Judged((0.2, 0.2, 0.4), 1.0)])
    second = row_of("b", ROUNDS[1], [Judged((0.1, 0.1, 0.2), 0.5), Judged((0.2, 0.2, 0.4), 1.0)])
    first, last = overall([one, other, second])
    assert first.correlations == pytest.approx((1, 0, 1)) and first.samples == 5
    assert first.mean == pytest.approx((0.1 + 0.2 + 0.9 + 0.5 + 1.0) / 5)
    assert last.correlations == pytest.approx((1, 1, 1))


class Shrinking:
    """A core that loses a row of the object per frame."""

    def sync(self, key_frames: Sequence[KeyFrame]) -> None:
        self._keys = {key.frame: key for key in key_frames}

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        step = 1 if request.direction == "forward" else -1
        mask = self._keys[request.anchor].mask
        for frame in range(request.anchor + step, 4 if step > 0 else -1, step):
            if frame in self._keys:
                return
            mask = mask.copy()
            mask[np.flatnonzero(mask.any(1))[0]] = 0
            yield FrameResult(frame, mask, 0, 0, {1: ObjectMeasure(0.5, 1.0)})


def test_each_mask_is_told_while_it_is_the_stored_one() -> None:
    true = np.zeros((10, 10), np.uint8)
    true[0:8, 2:4] = 1
    masks: list[IndexMask] = [np.zeros_like(true)] * 4
    found = []
    for one in played_rounds(Shrinking(), {0: true, 1: true, 3: true}, masks):  # type: ignore[arg-type]
        found.append((one.round, one.frame, one.object_id, one.region, int(masks[one.frame].sum())))
    assert found == [(0, 1, 1, 7 / 8, 14), (0, 3, 1, 5 / 8, 10), (1, 1, 1, 6 / 8, 12)], "frame 2 has no truth"
    assert np.array_equal(masks[3], true), "given in the second round"


def test_the_command(tmp_path: Path, synthetic_video: SyntheticVideo, capsys: pytest.CaptureFixture[str]) -> None:
    synthetic_video.write_frames(tmp_path / "JPEGImages" / "shapes")
    synthetic_video.write_masks(tmp_path / "Annotations" / "shapes")
    weights, table = tmp_path / "quality.safetensors", tmp_path / "table.csv"
    save_file(LightQualityNet().state_dict(), weights)
    command = ["--clips", str(tmp_path), "--frames", "3", "--size", "64"]
    assert main([*command, "--quality", str(weights), "--csv", str(table)]) == 0
    assert f"predicted: {weights}" in capsys.readouterr().out
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [(row["sequence"], row["round"], row["masks"]) for row in rows] == [
        (name, *counted) for name in ("shapes", "mean", "together") for counted in zip(ROUNDS, ("6", "3"), strict=True)
    ]
    assert all(rows[0][name] for name in COLUMNS[:2]) and "published" not in rows[0]
    assert rows[0]["margin"] == rows[0]["predicted"], "an untrained network is the margin"
    assert main([*command, "--csv", str(table)]) == 0
    assert "predicted: predicted by the light quality network" in capsys.readouterr().out
    assert main([*command, "--quality", str(tmp_path / "none.safetensors")]) == 2
    assert "none.safetensors" in capsys.readouterr().err
