"""The quality assessment of IVOS-W against what the published program computed, and its boxes at their limits."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from model.quality_net import QualityNet, crop, crop_transform, object_boxes
from tests.golden_weights import Golden, golden_cases, golden_state, require_golden
from util.types import Size


@pytest.mark.golden
@pytest.mark.parametrize("golden", golden_cases("IVOS-W AssessNet"))
@torch.inference_mode()
def test_golden_quality(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    meta, arrays = golden.meta, golden.arrays
    network = QualityNet().eval()
    network.load_state_dict(golden_state(network, meta["weight_seed"], meta["overrides"]))
    images = torch.from_numpy(arrays["frames"]).permute(0, 3, 1, 2).float() / 255
    prob = torch.from_numpy(arrays["prob_u8"]).float() / 255
    boxes = object_boxes(prob)
    golden.check("yxhw", boxes)
    theta = crop_transform(boxes, Size(*prob.shape[1:]))
    golden.check("theta", theta)
    roi, roi_prob = crop(images, theta), crop(prob[:, None], theta)
    golden.check("roi", roi[..., ::16, ::16])
    golden.check("roi_prob", roi_prob[:, 0, ::8, ::8])
    golden.check("r5", network.Encoder.encode(roi, roi_prob)[:, ::64])
    golden.check("quality", network(images, prob).view(arrays["quality"].shape))


def test_boxes_have_a_margin_and_stay_near_the_picture() -> None:
    prob = torch.zeros(3, 600, 800)
    prob[0, 200:360, 300:500] = 1  # 159 rows and 199 columns from first to last pixel
    prob[1, 0, 799] = 1
    expected = [
        [279.5, 399.5, 240.0, 300.0],
        # One pixel in a corner: 64 on each side, a quarter of 129 more, 5 pixels beyond the picture at most.
        [(96.25 - 5) / 2, (702.75 + 805 - 0.0) / 2, 96.25 + 5 + 1, 805 - 702.75 + 1],
        [(605 - 5) / 2, (805 - 5) / 2, 611, 811],
    ]
    torch.testing.assert_close(object_boxes(prob), torch.tensor(expected))
