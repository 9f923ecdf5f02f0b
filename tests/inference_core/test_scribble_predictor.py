"""S2M behind its torch-free contract: any size, one object or several, always the same answer."""
from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from inference_core.scribble_predictor import ScribbleSegmenter
from model.scribble_net import IMAGE_MEAN, IMAGE_STD, ScribbleNet
from tests.inference_core.engines import FLOAT32

SIZE = (33, 50)  # padded to 48 x 64: 7 rows above and 8 below, 7 columns before and after
PAD = (7, 7, 7, 8)


@pytest.fixture(scope="module")
def network() -> ScribbleNet:
    torch.manual_seed(0)
    return ScribbleNet().eval()


@pytest.fixture(scope="module")
def segmenter(network: ScribbleNet) -> ScribbleSegmenter:
    return ScribbleSegmenter(network, FLOAT32)


def given(num_objects: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Image, index mask and prompts [K, H, W] of K objects."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    mask = rng.integers(0, num_objects + 1, SIZE).astype(np.uint8)
    inside, outside = rng.random((2, num_objects, *SIZE)) > 0.9
    return image, mask, inside, outside


def test_equals_the_network_on_planes_padded_with_zeros(network: ScribbleNet, segmenter: ScribbleSegmenter) -> None:
    image, mask, inside, outside = given(1)
    normalised = (torch.from_numpy(image) / 255 - torch.tensor(IMAGE_MEAN)) / torch.tensor(IMAGE_STD)
    pixels = F.pad(normalised.permute(2, 0, 1), PAD)[None]
    planes = F.pad(torch.from_numpy(np.stack([mask == 1, inside[0], outside[0]])).float(), PAD)[None]
    with torch.inference_mode():
        wanted = torch.sigmoid(network(pixels, planes[:, :1], planes[:, 1:]))[0, 7:40, 7:57]
    found = segmenter.segment(image, mask == 1, inside[0], outside[0])
    assert found.dtype == np.float32 and found.std() > 1e-4
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)
    assert np.array_equal(found, segmenter.segment(image, mask == 1, inside[0], outside[0]))


@pytest.mark.parametrize("num_objects", [1, 3])
def test_all_objects_compete(segmenter: ScribbleSegmenter, num_objects: int) -> None:
    image, mask, inside, outside = given(num_objects)
    padded = np.pad(mask, ((7, 8), (7, 7)))
    prob = segmenter.segment_all(image, padded, inside, outside)
    assert prob.shape == (num_objects + 1, 48, 64)
    np.testing.assert_allclose(prob.sum(0), 1, atol=1e-4)
    alone = np.stack(
        [segmenter.segment(image, mask == i + 1, inside[i], outside[i]) for i in range(num_objects)]
    )
    nothing = np.prod(1 - alone, axis=0, keepdims=True)
    wanted = np.concatenate([nothing, alone]).argmax(0)
    assert (prob.argmax(0)[7:40, 7:57] == wanted).mean() > 0.99


def test_prompts_may_be_drawn_on_the_padded_frame(segmenter: ScribbleSegmenter) -> None:
    image, mask, inside, outside = given(2)
    around = ((7, 8), (7, 7))
    padded = [np.pad(planes, ((0, 0), *around)) for planes in (inside, outside)]
    previous = np.pad(mask, around)
    assert np.array_equal(
        segmenter.segment_all(image, previous, *padded), segmenter.segment_all(image, previous, inside, outside)
    )


@pytest.mark.parametrize("size", [(1, 1), (17, 3)])
def test_tiny_windows_are_answered(segmenter: ScribbleSegmenter, size: tuple[int, int]) -> None:
    nothing = np.zeros(size, np.bool_)
    found = segmenter.segment(np.zeros((*size, 3), np.uint8), nothing, ~nothing, nothing)
    assert found.shape == size and np.isfinite(found).all()
