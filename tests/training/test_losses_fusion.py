"""The fusion network's losses against values recorded from the published training, and where they stand alone."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from model.attention import full_softmax_attention, l2_similarity, transfer_maps
from model.stcn import STCN
from tests.golden_inputs import golden_input
from tests.golden_weights import Golden, golden_cases, golden_frames, golden_state, require_golden
from training.losses_fusion import Bootstrap, fusion_loss, hardest_cross_entropy, pair_logits
from util.types import Size

CASES = golden_cases("fusion training pieces (STCN branch)")
GOLDEN = pytest.mark.parametrize("golden", CASES)
TOLERANCE = 1e-4


def entry(golden: Golden, start: str) -> tuple[str, Any]:
    """The one entry of the meta whose name begins so."""
    (found,) = [(key, value) for key, value in golden.meta.items() if key.startswith(start)]
    return found


def objects(golden: Golden) -> tuple[Tensor, Tensor]:
    """Probabilities [B, 2, H, W] and which objects there are, [B, 2]."""
    expression, selector = golden.meta["probs"].split(" times selector ")
    present = torch.tensor([[float(x) for x in row.split(",")] for row in re.findall(r"\[([\d.,]+)\]", selector)])
    return torch.from_numpy(golden_input(expression)), present


@pytest.mark.golden
@GOLDEN
def test_golden_bootstrapped_cross_entropy(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    name, rows = entry(golden, "bootstrapped_ce(")
    options = {key: float(value) for key, value in re.findall(r"(\w+)=([\d.]+)", name)}
    schedule = Bootstrap(options["start"], options["end"], options["top_p"])
    logits = torch.from_numpy(golden_input(golden.meta["logits"]))
    targets = torch.from_numpy(golden_input(golden.meta["targets"])).long()
    for step, loss, share in rows:
        assert schedule.at(step) == pytest.approx(share)
        assert hardest_cross_entropy(logits, targets, schedule.at(step)).item() == pytest.approx(loss, rel=TOLERANCE)


@pytest.mark.golden
@GOLDEN
def test_golden_fusion_loss(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    name, rows = entry(golden, "loss_computer(")
    (steps,) = re.findall(r"iterations=(\d+)", name)
    schedule = Bootstrap.of(int(steps))
    prob, present = objects(golden)
    logits = pair_logits(prob, present)
    golden.check("agg_logits", logits)
    golden.check("agg_prob", logits.softmax(1))
    target = torch.from_numpy(golden_input(golden.meta["cls_gt"])).long()
    for step, loss, share in rows:
        assert schedule.at(step) == pytest.approx(share)
        assert fusion_loss(logits, target, present, schedule.at(step)).item() == pytest.approx(loss, rel=TOLERANCE)


@pytest.mark.golden
@GOLDEN
@torch.inference_mode()
def test_golden_fusion_attention(golden: Golden | Path) -> None:
    """Where a correction (the mask after minus the mask before) shows on another frame, for two objects."""
    golden = require_golden(golden)
    given = golden.meta["attention_read"]
    (seed,) = re.findall(r"seed (\d+)", given["weights"])
    scaled = re.findall(r"override ([\w.]+) x([\d.]+)", given["weights"])
    overrides = {key: (float(factor), 0.0) for key, factor in scaled}
    ((first, last, arguments),) = re.findall(r"uniform\('m(\d+)\.\.m(\d+)'(,[^)]*\)\))", given["args"])
    (video,) = re.findall(r"clip_uint8\([^)]*\)", given["args"])
    planes = [golden_input(f"uniform('m{number}'{arguments}") for number in range(int(first), int(last) + 1)]
    masks = [torch.from_numpy(plane)[0, 0] for plane in planes]
    network = STCN().eval()
    network.load_state_dict(golden_state(network, int(seed), overrides))
    frames = golden_frames(golden_input(video), (0, 0, 0, 0))
    memory, query = (network.encode_key(frames[i : i + 1]).key[0] for i in (0, 1))
    attention = full_softmax_attention(memory.flatten(1), query.flatten(1), l2_similarity)
    for number, (before, after) in enumerate((masks[:2], masks[2:]), 1):
        change = (after - before)[None]
        maps = transfer_maps(
            change.clamp(min=0), (-change).clamp(min=0), attention, Size(*query.shape[-2:]), Size(*frames.shape[-2:])
        )
        golden.check(f"attn{number}", maps[..., ::2, ::2])


def test_share_of_hard_pixels_falls_in_a_line() -> None:
    schedule = Bootstrap.of(100)
    assert [schedule.at(step) for step in (0, 19, 20, 35, 50, 99)] == pytest.approx([1, 1, 1, 0.575, 0.15, 0.15])


def test_only_the_hardest_pixels_count() -> None:
    logits = torch.zeros(1, 2, 2, 5)
    logits[0, 0, 0, :2] = 4.0
    target = torch.ones(1, 2, 5, dtype=torch.long)
    hard = torch.nn.functional.softplus(torch.tensor(4.0)).item()
    assert hardest_cross_entropy(logits, target, 0.2).item() == pytest.approx(hard)
    assert hardest_cross_entropy(logits, target, 1.0).item() == pytest.approx((2 * hard + 8 * 0.693147) / 10)


def test_an_absent_object_takes_no_part() -> None:
    """Its channel neither gets a gradient nor changes the loss."""
    prob = torch.rand(1, 2, 4, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    target = torch.ones(1, 4, 4, dtype=torch.long)
    present = torch.tensor([[1.0, 0.0]])
    loss = fusion_loss(pair_logits(prob, present), target, present, 1.0)
    loss.backward()
    assert prob.grad is not None
    assert bool(prob.grad[0, 0].any()) and not bool(prob.grad[0, 1].any())
