"""Masks that went wrong: still masks, and wrong near the object or lost."""
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from training.mask_mistakes import mistaken

SIDE, COUNT = 64, 200


@pytest.fixture(scope="module")
def masks() -> Tensor:
    one = torch.zeros(SIDE, SIDE)
    one[24:40, 20:44] = 0.75
    return one.expand(COUNT, -1, -1)


@pytest.fixture(scope="module")
def wrong(masks: Tensor) -> Tensor:
    return mistaken(masks, torch.Generator().manual_seed(0))


def test_they_are_masks_of_the_same_shape(masks: Tensor, wrong: Tensor) -> None:
    assert wrong.shape == masks.shape and wrong.dtype == masks.dtype
    assert wrong.min() >= 0 and wrong.max() <= 1


def test_some_are_lost_some_lose_parts_and_some_leak(masks: Tensor, wrong: Tensor) -> None:
    lost = (wrong.flatten(1) == 0).all(1)
    cut = ((wrong == 0) & (masks > 0)).flatten(1).any(1) & ~lost
    leaks = ((wrong > 0) & (masks == 0)).flatten(1).any(1)
    assert 0.05 < lost.float().mean() < 0.4
    assert cut.float().mean() > 0.3 and leaks.float().mean() > 0.3


def test_nothing_leaks_far_from_the_object(wrong: Tensor) -> None:
    assert not wrong[:, :4, :4].any() and not wrong[:, -4:, -4:].any()


def test_all_chance_comes_from_the_generator(masks: Tensor, wrong: Tensor) -> None:
    assert torch.equal(wrong, mistaken(masks, torch.Generator().manual_seed(0)))
    assert not torch.equal(wrong, mistaken(masks, torch.Generator().manual_seed(1)))
