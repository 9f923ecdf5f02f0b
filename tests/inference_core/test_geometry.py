"""Native size to working size and back."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from inference_core.geometry import Geometry
from util.types import Size


@pytest.mark.parametrize(
    ("native", "side", "resized", "pad"),
    [
        (Size(480, 854), 480, Size(480, 854), (5, 5, 0, 0)),
        (Size(480, 853), None, Size(480, 853), (5, 6, 0, 0)),
        (Size(65, 97), 480, Size(65, 97), (7, 8, 7, 8)),
        (Size(1080, 1920), 480, Size(480, 853), (5, 6, 0, 0)),
    ],
)
def test_padded(native: Size, side: int | None, resized: Size, pad: tuple[int, int, int, int]) -> None:
    geometry = Geometry.padded(native, side)
    assert (geometry.resized, geometry.pad) == (resized, pad)
    assert all(length % 16 == 0 for length in geometry.working)


def test_rounded_pads_nothing() -> None:
    geometry = Geometry.rounded(Size(480, 854), 320)
    assert geometry.working == geometry.resized == Size(320, 576)


@pytest.mark.parametrize("side", [None, 48])
def test_a_mask_comes_back(side: int | None) -> None:
    geometry = Geometry.padded(Size(65, 97), side)
    mask = torch.zeros(1, 65, 97)
    mask[0, 20:50, 30:70] = 1
    back = geometry.to_native(geometry.to_working(mask))
    assert back.shape == mask.shape
    assert ((back > 0.5) != (mask > 0.5)).float().mean() < 0.01
    assert geometry.to_working(mask).shape[1:] == geometry.working


def test_image_padding_has_the_mean_colour() -> None:
    geometry = Geometry.padded(Size(30, 30), None)
    image = np.full((30, 30, 3), 255, np.uint8)
    planes = geometry.image_to_working(image, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), torch.device("cpu"))
    assert planes.shape == (1, 3, 32, 32)
    assert planes[0, :, 0].abs().max() == 0
    assert (planes[0, :, 1:31, 1:31] == 2).all()
