"""The interaction network behind its torch-free contract: any size, folded and padded without changing the answer."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from inference_core.interaction import build_segmenter
from model.interaction_net import IMAGE_MEAN, IMAGE_STD, InteractionNet, load_interaction_net
from util.errors import AppError


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights with statistics that folding has to take into account."""
    torch.manual_seed(0)
    network = InteractionNet()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.uniform_(module.weight, 0.5, 1.0)
    path = tmp_path_factory.mktemp("weights") / "light_interaction.safetensors"
    save_file(network.state_dict(), path)
    return path


def planes(height: int, width: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    return image, *(rng.random((3, height, width)) > 0.8)


def test_equals_the_network_on_planes_in_the_declared_order(weights: Path) -> None:
    image, previous, inside, outside = planes(64, 96)
    network = load_interaction_net(weights)
    normalised = (torch.from_numpy(image) / 255 - torch.tensor(IMAGE_MEAN)) / torch.tensor(IMAGE_STD)
    masks = torch.from_numpy(np.stack([previous, inside, outside])).float()[None]
    wanted = torch.sigmoid(network(normalised.permute(2, 0, 1)[None], masks[:, :1], masks[:, 1:]))[0]
    segmenter = build_segmenter("cpu", mixed_precision=False, weights=weights)
    found = segmenter.segment(image, previous, inside, outside)
    assert found.dtype == np.float32 and found.std() > 0.001
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-4)


def test_another_size_is_padded_by_repeating_its_border(weights: Path) -> None:
    segmenter = build_segmenter("cpu", mixed_precision=False, weights=weights)
    given = planes(37, 50)
    padded = [np.pad(plane, ((0, 27), (0, 14), (0, 0))[: plane.ndim], mode="edge") for plane in given]
    np.testing.assert_allclose(segmenter.segment(*given), segmenter.segment(*padded)[:37, :50], atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (33, 7)])
def test_tiny_windows_are_answered(weights: Path, size: tuple[int, int]) -> None:
    found = build_segmenter("cpu", mixed_precision=True, weights=weights).segment(*planes(*size))
    assert found.shape == size and np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1


def test_narrow_windows_are_answered_whatever_lies_in_memory(weights: Path) -> None:
    """bfloat16 convolutions of maps 2 wide read beyond what was written: seen as NaN once in a dozen answers."""
    segmenter, rng = build_segmenter("cpu", mixed_precision=True, weights=weights), np.random.default_rng(1)
    for _ in range(100):
        for size in rng.integers(100, 300_000, 20).tolist():
            torch.full((size,), float("nan"))
        assert np.isfinite(segmenter.segment(*planes(33, 7))).all()


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="nowhere.safetensors"):
        build_segmenter("cpu", mixed_precision=False, weights=tmp_path / "nowhere.safetensors")
