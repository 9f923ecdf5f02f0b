"""Folding batch normalisation changes nothing but the time it takes."""
from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from model.encoders import Bottleneck, ResNet
from model.folding import fold_batch_norm
from model.light import LightNet
from tests.golden_weights import golden_state


def bottleneck_resnet() -> ResNet:
    return ResNet(Bottleneck, (1, 2, 1), widths=(16, 16, 16), bias=True)


def run_resnet(network: ResNet, image: Tensor, masks: Tensor) -> list[Tensor]:
    return list(network(image))


def run_light(network: LightNet, image: Tensor, masks: Tensor) -> list[Tensor]:
    features = network.encode_key(image)
    value = network.encode_value(image, features, masks, masks.flip(0))
    return [*features, value, network.decode(value, features, masks, masks.flip(0))]


@pytest.mark.parametrize(
    ("build", "run"), [(bottleneck_resnet, run_resnet), (lambda: LightNet(0.25), run_light)], ids=["resnet", "light"]
)
@torch.inference_mode()
def test_folding_is_exact(
    build: Callable[[], nn.Module], run: Callable[[nn.Module, Tensor, Tensor], list[Tensor]]
) -> None:
    torch.manual_seed(0)
    image, masks = torch.randn(1, 3, 32, 48).double(), torch.rand(2, 32, 48).double()
    network = build().eval()
    network.load_state_dict(golden_state(network, seed=3))
    network.double()
    expected = run(network, image, masks)
    assert fold_batch_norm(network) is network
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    for actual, reference in zip(run(network, image, masks), expected, strict=True):
        torch.testing.assert_close(actual, reference, rtol=1e-5, atol=1e-5 * float(reference.abs().max()))


def test_training_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="eval mode"):
        fold_batch_norm(LightNet(0.25).train())
