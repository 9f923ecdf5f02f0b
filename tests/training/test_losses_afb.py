"""AFB-URR's loss and its gradients against a step recorded from the published training, and what the loss rewards."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from inference_core.feature_bank import FeatureBank
from model.afb_urr import AfbUrr
from tests.golden_inputs import golden_input
from tests.golden_weights import Golden, golden_cases, golden_state, require_golden
from training.losses_afb import afb_loss

TOLERANCE = 1e-3


def clip_scores(network: AfbUrr, images: Tensor, first: Tensor) -> Tensor:
    """The bank from frame 0 alone, the other frames against it: [T-1, K, H, W]."""
    bank = FeatureBank(len(first))
    entry = network.encode_memory(images[:1], first)
    for i in range(len(first)):
        bank.absorb(i, entry.key[i].flatten(1), entry.value[i].flatten(1), 0)
    scores = []
    for frame in range(1, len(images)):
        query = network.encode_query(images[frame : frame + 1])
        read = torch.stack([bank.read(i, query.key[0].flatten(1)) for i in bank.cells])
        scores.append(network.decode(read.unflatten(2, query.key.shape[-2:]), query))
    return torch.stack(scores)


@pytest.mark.golden
@pytest.mark.parametrize("golden", golden_cases("AFB-URR training step"))
def test_golden_training_step(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    meta = golden.meta
    network = AfbUrr().eval()  # batch norms keep their statistics, as in the published training
    network.load_state_dict(golden_state(network, meta["weight_seed"], meta["overrides"]))
    images = torch.from_numpy(golden_input(meta["frames"])).permute(0, 3, 1, 2).float() / 255
    masks = torch.from_numpy(golden_input(meta["masks"])).long()
    num_objects = golden.arrays["score"].shape[1]
    first = (masks[0] == torch.arange(num_objects).view(-1, 1, 1)).float()
    scores = clip_scores(network, images, first)
    step = scores.shape[-1] // golden.arrays["score"].shape[-1]
    golden.check("score", scores.detach()[..., ::step, ::step])

    loss = afb_loss(scores, masks[1:])
    assert loss.cross_entropy.item() == pytest.approx(meta["ce"], rel=TOLERANCE)
    assert loss.uncertainty.item() == pytest.approx(meta["uncertainty"], rel=TOLERANCE)
    assert loss.total.item() == pytest.approx(meta["loss"], rel=TOLERANCE)
    loss.total.backward()
    parameters = dict(network.named_parameters())
    for name, norm in meta["grad_norms"].items():
        gradient = parameters[name].grad
        assert gradient is not None
        assert gradient.norm().item() == pytest.approx(norm, rel=TOLERANCE), name


def test_a_sure_and_right_answer_costs_least() -> None:
    target = torch.tensor([[[0, 1, 2]]])
    right = 8 * (2 * torch.nn.functional.one_hot(target, 3).permute(0, 3, 1, 2).float() - 1)
    undecided = torch.zeros(1, 3, 1, 3)
    sure, wrong, open_ = (afb_loss(scores, target) for scores in (right, right.roll(1, 1), undecided))
    assert sure.total < open_.total < wrong.total
    assert open_.uncertainty.item() == pytest.approx(1)
    assert sure.uncertainty.item() == pytest.approx(wrong.uncertainty.item()) and sure.uncertainty < 0.2
    assert afb_loss(undecided, target, weight=0).total.item() == pytest.approx(torch.log(torch.tensor(3.0)).item())
