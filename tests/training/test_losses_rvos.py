"""The losses of RVOS against values recorded from the published training, and where they stand alone."""
from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.golden_inputs import golden_input
from tests.golden_weights import Golden, golden_cases, require_golden
from training.losses_rvos import IMPOSSIBLE, match, matching_costs, reorder, rvos_loss, soft_iou_loss

CASES = golden_cases(re.compile(r"RVOS loss & matching.*"))


def tensors(golden: Golden) -> tuple[Tensor, Tensor, Tensor]:
    """Logits and objects [B, K, P], and which objects there are [B, K]."""
    expression, threshold = golden.meta["y"].rsplit(">", 1)
    target = torch.from_numpy(golden_input(expression) > float(threshold)).float()
    return torch.from_numpy(golden_input(golden.meta["out_logits"])), target, torch.tensor(golden.meta["valid"])


@pytest.mark.golden
@pytest.mark.parametrize("golden", CASES)
def test_golden_rvos_loss(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    logits, target, valid = tensors(golden)
    golden.check("soft_iou", soft_iou_loss(logits, target).flatten())
    costs = matching_costs(logits, target, valid)
    golden.check("cost", costs)
    permutation = match(costs)
    counts = valid.bool()
    # The recorded order of slots that do not count is an accident of its solver.
    recorded = torch.from_numpy(golden.arrays["permutation"])
    assert torch.equal(permutation[counts], recorded[counts])
    loss = rvos_loss(logits, reorder(target, permutation), reorder(valid, permutation))
    assert loss.item() == pytest.approx(golden.meta["loss_after_matching"], rel=1e-4)


def test_a_perfect_prediction_costs_nothing_in_any_order() -> None:
    target = torch.eye(3).repeat_interleave(4, 1)[None]
    logits = (target[:, [2, 0, 1]] - 0.5) * 100
    permutation = match(matching_costs(logits, target, torch.ones(1, 3)))
    assert permutation.tolist() == [[2, 0, 1]]
    assert rvos_loss(logits, reorder(target, permutation), torch.ones(1, 3)).item() == pytest.approx(0, abs=1e-5)


def test_slots_that_do_not_count_are_never_matched_with_ones_that_do() -> None:
    logits, target = torch.randn(1, 4, 9), torch.ones(1, 4, 9)
    valid = torch.tensor([[1.0, 0, 1, 0]])
    costs = matching_costs(logits, target, valid)
    assert (costs[0, 1] == IMPOSSIBLE).all() and (costs[0, :, 3] == IMPOSSIBLE).all()
    assert {int(i) for i in match(costs)[0, [0, 2]]} == {0, 2}


def test_objects_that_are_not_there_do_not_teach() -> None:
    logits = torch.zeros(1, 2, 5, requires_grad=True)
    target = torch.tensor([[[1.0, 0, 0, 1, 1], [0, 0, 0, 0, 0]]])
    rvos_loss(logits, target, torch.tensor([[1, 0]])).backward()
    assert logits.grad is not None
    assert logits.grad[0, 0].abs().sum() > 0 and logits.grad[0, 1].abs().sum() == 0
    # With nothing there at all every slot counts, so that empty predictions are learned.
    assert rvos_loss(logits, torch.zeros(1, 2, 5), torch.zeros(1, 2)).item() == pytest.approx(1)
