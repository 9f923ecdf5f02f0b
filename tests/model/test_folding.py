"""Folding batch normalisation changes nothing but the time it takes."""
from __future__ import annotations

import pytest
import torch
from torch import nn

from model.folding import fold_batch_norm
from model.light import LightNet
from model.stcn import STCN
from tests.golden_weights import golden_state


@torch.inference_mode()
def run(network: nn.Module) -> list[torch.Tensor]:
    torch.manual_seed(0)
    image, masks = torch.randn(1, 3, 48, 64).double(), torch.rand(2, 48, 64).double()
    others = masks.flip(0)
    features = network.encode_key(image)
    if isinstance(network, STCN):
        value = network.encode_value(image, features.f16, masks, others)
        return [*features, value, network.decode(value, features)]
    value = network.encode_value(image, features, masks, others)
    return [*features, value, network.decode(value, features, masks, others)]


@pytest.mark.parametrize("build", [STCN, LightNet])
def test_folding_is_exact(build: type[STCN] | type[LightNet]) -> None:
    network = build().eval()
    network.load_state_dict(golden_state(network, seed=3))
    network.double()
    expected = run(network)
    assert fold_batch_norm(network) is network
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    for actual, reference in zip(run(network), expected, strict=True):
        torch.testing.assert_close(actual, reference, rtol=1e-5, atol=1e-5 * float(reference.abs().max()))


def test_training_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="eval mode"):
        fold_batch_norm(LightNet().train())
