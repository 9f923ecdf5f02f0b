"""The light quality network: what it is shown of a frame, where it starts from, and its files."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inference_core.confidence import expected_overlap
from model import zoo
from model.light import load_light
from model.light_quality import SIDE, LightQualityNet, cut_out, expected_overlaps, load_light_quality
from util.errors import AppError


def test_an_object_is_cut_out_with_a_margin() -> None:
    """80 rows and columns with a quarter of that around: 120 pixels, so the object covers (2/3)**2 of what is seen."""
    image, prob = torch.zeros(3, 240, 320), torch.zeros(240, 320)
    prob[100:180, 60:140] = 1
    image[0, 100:180, 60:140] = 1
    seen, plane = cut_out(image, prob)
    assert seen.shape == (3, SIDE, SIDE) and plane.shape == (SIDE, SIDE)
    assert plane.mean().item() == pytest.approx(4 / 9, abs=0.01)
    assert plane[SIDE // 2, SIDE // 2] == 1 and plane[:15].max() == plane[:, -15:].max() == 0
    assert torch.equal(seen[0], plane) and not seen[1:].any()


def test_small_objects_keep_their_surroundings_and_the_picture_ends_at_its_border() -> None:
    image, prob = torch.rand(3, 200, 400), torch.zeros(200, 400)
    prob[100, 200] = 1
    seen, plane = cut_out(image, prob)
    # 50 pixels, a quarter of the shorter side, and a quarter of that on each side: 75.
    assert plane.sum().item() == pytest.approx((SIDE / 75) ** 2, rel=0.1)
    prob.zero_()
    prob[:, :100] = 1
    seen, plane = cut_out(image, prob)
    assert plane[:, : SIDE * 100 // 125 - 2].min() > 0.99 and plane[:, SIDE * 100 // 125 + 2 :].max() == 0


def test_an_empty_mask_shows_the_whole_picture() -> None:
    image, prob = torch.zeros(3, 64, 96), torch.full((64, 96), 0.4)
    image[:, :, 48:] = 1
    seen, plane = cut_out(image, prob)
    torch.testing.assert_close(plane, torch.full_like(plane, 0.4))
    assert seen[:, :, : SIDE // 2 - 2].max() == 0 and seen[:, :, SIDE // 2 + 2 :].min() == 1


def test_it_looks_at_the_picture_and_at_the_mask() -> None:
    torch.manual_seed(0)
    network = LightQualityNet().eval()
    torch.nn.init.normal_(network.judge.weight)
    image, prob = torch.rand(2, 3, SIDE, SIDE), torch.rand(2, SIDE, SIDE)
    logits = network(image, prob)
    assert logits.shape == (2,) and logits.dtype == torch.float32
    assert network(1 - image, prob)[0] != logits[0] != network(image, 1 - prob)[0]
    assert network(image, torch.zeros_like(prob)).isfinite().all()
    assert 2 * sum(value.numel() for value in network.state_dict().values()) < 3e6, "bytes in half precision"


def test_untrained_it_says_what_the_softness_says() -> None:
    prob = torch.rand(3, SIDE, SIDE)
    prob[2] *= 0.4
    expected = [expected_overlap(plane.numpy()) for plane in prob]
    assert expected_overlaps(prob).tolist() == pytest.approx(expected)
    with torch.no_grad():
        found = torch.sigmoid(LightQualityNet().eval()(torch.rand(3, 3, SIDE, SIDE), prob))
    assert found.tolist() == pytest.approx(expected, abs=1e-5)


def test_it_starts_from_the_mask_encoder_of_the_light_network() -> None:
    light, network = load_light(zoo.find("light").path), LightQualityNet()
    network.start_from(light)
    planes = torch.rand(1, 4, 64, 64)
    without_others = torch.cat([planes, torch.zeros(1, 1, 64, 64)], 1)
    expected = light.value_encoder(without_others)
    for own, given in zip(network.eval().encoder(planes), expected, strict=True):
        torch.testing.assert_close(own, given)


def test_files(tmp_path: Path) -> None:
    network = LightQualityNet()
    path = tmp_path / "quality.safetensors"
    save_file({key: tensor.half() for key, tensor in network.state_dict().items() if tensor.is_floating_point()}, path)
    loaded = load_light_quality(path)
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    torch.testing.assert_close(loaded.judge.weight, network.judge.weight.detach(), rtol=1e-2, atol=1e-4)
    with pytest.raises(AppError, match="looks like the light network"):
        load_light_quality(zoo.find("light").path)
    with pytest.raises(AppError, match="looks like the light quality network"):
        load_light(path)
