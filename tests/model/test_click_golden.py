"""The click networks of f-BRS and RITM against outputs recorded from the published programs."""
from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model.click.deeplab import DeepLabClickNet
from model.click.ocr import HRNetClickNet
from model.click.parts import resize, size_of
from tests.click_goldens import golden_click_net, golden_image, points_of
from tests.golden_weights import Golden, golden_cases, require_golden

pytestmark = pytest.mark.golden


@pytest.mark.parametrize("golden", golden_cases(re.compile(r"f-BRS DeepLab.*")))
@torch.inference_mode()
def test_golden_fbrs_deeplab(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    network, image, points = golden_click_net(golden), golden_image(golden), points_of(golden)
    assert isinstance(network, DeepLabClickNet)
    coding = replace(network.coding, radius=golden.meta.get("norm_radius", 260))
    exact = replace(coding, kind="exact").planes(points, size_of(image))
    rounded = coding.planes(points, size_of(image))
    golden.check("dist_gpu", exact[..., ::2, ::2])
    golden.check("dist_cpu", rounded[..., ::2, ::2])
    golden.check("rgb_conv", network.rgb_conv(torch.cat([image, exact], 1))[..., ::2, ::2])
    context, low = network.encode(image, exact, "A")
    assert low is not None
    golden.check("c1", low[:, ::32, ::2, ::2])
    golden.check("c4", context[:, ::128, ::2, ::2])
    golden.check("logit_gpu_dist", network(image, exact)[..., ::2, ::2])
    golden.check("logit_cpu_dist", network(image, rounded)[..., ::2, ::2])


@pytest.mark.parametrize("golden", golden_cases(re.compile(r"f-BRS HRNet.*")))
@torch.inference_mode()
def test_golden_fbrs_hrnet(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    network, image, points = golden_click_net(golden), golden_image(golden), points_of(golden)
    assert isinstance(network, HRNetClickNet)
    planes = replace(network.coding, kind="exact").planes(points, size_of(image))
    golden.check("feats", network.encode(image, planes, "A").features[:, ::16, ::2, ::2])
    golden.check("logit", network(image, planes)[..., ::2, ::2])


@pytest.mark.parametrize("golden", golden_cases(re.compile(r"RITM .*")))
@torch.inference_mode()
def test_golden_ritm(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    network, image, points = golden_click_net(golden), golden_image(golden), points_of(golden)
    assert isinstance(network, HRNetClickNet)
    previous = torch.from_numpy(golden.arrays["prev_mask"])
    planes = torch.cat([previous, network.coding.planes(points, size_of(image))], 1)
    golden.check("coord_features", planes[..., ::2, ::2])
    golden.check("maps_transform", network.maps_transform(planes)[:, ::8, ::2, ::2])
    golden.check("logit", network(image, planes)[..., ::2, ::2])
    guess = network.feature_extractor.aux_head(network.encode(image, planes, "A").features)
    golden.check("logit_aux", resize(guess, size_of(image))[..., ::2, ::2])
