"""Losses have their least value at the truth; scores during training are those of the final measures."""
from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from training.losses import dice_loss, key_loss, mask_loss, object_logits
from training.scoring import MaskScores


def square(left: int) -> Tensor:
    """[1, 2, 16, 16]: one object of 6 x 6 pixels, and one that is not there."""
    mask = torch.zeros(1, 2, 16, 16)
    mask[:, 0, 4:10, left : left + 6] = 1
    return mask


def logits_of(mask: Tensor) -> Tensor:
    return object_logits(mask * 0.98 + 0.005)


def test_dice() -> None:
    assert dice_loss(square(4), square(4)) == pytest.approx(0, abs=1e-6)
    assert dice_loss(square(10) * 0, square(4)) == pytest.approx(1, abs=0.03)
    # An object that is not there has no say.
    wrong_elsewhere = square(4)
    wrong_elsewhere[:, 1] = 1
    assert dice_loss(wrong_elsewhere, square(4)) == pytest.approx(0, abs=1e-6)
    assert dice_loss(square(4), square(4) * 0) == 0


def test_mask_loss_counts_the_hardest_pixels() -> None:
    right, wrong = (mask_loss(logits_of(square(left)), square(4), 1.0) for left in (4, 6))
    assert right[0] < 0.05 < wrong[0] and right[1] < wrong[1]
    hardest = mask_loss(logits_of(square(6)), square(4), 0.1)
    # 24 of 256 pixels are wrong: nearly all of the hardest tenth.
    assert float(hardest[0]) == pytest.approx(10 * float(wrong[0]), rel=0.1)


def test_soft_aggregation_is_a_distribution_that_keeps_the_order() -> None:
    prob = torch.tensor([0.7, 0.2]).view(1, 2, 1, 1)
    found = object_logits(prob).softmax(1).flatten()
    odds = torch.tensor([0.24 / 0.76, 0.7 / 0.3, 0.2 / 0.8])
    torch.testing.assert_close(found, odds / odds.sum())


def test_key_loss_is_least_for_keys_that_tell_points_apart() -> None:
    row, col = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="ij")
    one = torch.stack([col, row], -1)
    point = torch.stack([one, one.flip(1)])[None]  # the second frame shows the first mirrored
    first = torch.zeros(1, 64, 4, 4)
    first[0, :2] = 5 * one.permute(2, 0, 1)  # as far apart as the loss wants them
    keys = torch.stack([first, first.flip(3)], 1)
    unmoved = torch.stack([first, first], 1)
    losses = [float(key_loss(key, point, torch.Generator().manual_seed(1))) for key in (keys, unmoved, keys * 0)]
    assert losses[0] < losses[2] < losses[1]
    assert losses[2] == pytest.approx(math.log(16), abs=1e-3)


def test_points_that_are_not_seen_do_not_count() -> None:
    point = torch.zeros(1, 2, 2, 2, 2)
    point[:, 1] = 1000
    assert key_loss(torch.randn(1, 2, 64, 2, 2), point, torch.Generator()) == 0


def test_scores_are_means_over_objects_that_are_there() -> None:
    scores = MaskScores()
    mask = square(4)
    valid = torch.tensor([[True, False]])
    scores.add(mask[:, 0].long(), mask, valid)
    scores.add(torch.zeros(1, 16, 16, dtype=torch.long), mask, valid)
    assert scores.summary() == {"J": 50.0, "F": 50.0, "J&F": 50.0}
