"""The light network: its numerics are those of the experiment it was rewritten from, and its shipped weights load."""
from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from model import zoo
from model.light import LightFeatures, LightNet, load_light
from util.errors import AppError

# How the experiment's names became this project's; the shipped weights went through the same mapping.
_RENAMED = (
    (r"^k_stem\.0", "key_encoder.conv1"),
    (r"^k_stem\.1", "key_encoder.bn1"),
    (r"^k4", "key_encoder.layer1"),
    (r"^k8", "key_encoder.layer2"),
    (r"^k16", "key_encoder.layer3"),
    (r"^k_lat", "key_lateral"),
    (r"^k_mix", "key_merge"),
    (r"^key\.", "key_proj."),
    (r"^v_stem\.0", "value_encoder.conv1"),
    (r"^v_stem\.1", "value_encoder.bn1"),
    (r"^v4\.", "value_encoder.layer1.0."),
    (r"^v8\.", "value_encoder.layer2.0."),
    (r"^v16\.", "value_encoder.layer3.0."),
    (r"^v_lat", "value_lateral"),
    (r"^v_mix\.0", "value_fuse"),
    (r"^v_mix\.1", "value_out"),
    (r"^d_in", "decode_in"),
    (r"^d_ctx\.0", "decode_fuse"),
    (r"^d_ctx\.1", "decode_context"),
    (r"^d_s4", "decode_skip"),
    (r"^d4", "decode_out"),
    (r"^out\.", "pred."),
    (r"\.c([12])\.", r".conv\1."),
    (r"\.n([12])\.", r".bn\1."),
    (r"\.skip\.", ".downsample."),
)


def from_experiment(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The experiment's state dict under this project's names, per-object input channels first."""
    converted = {}
    for name, tensor in state.items():
        for pattern, replacement in _RENAMED:
            name = re.sub(pattern, replacement, name)
        if name in ("decode_in.conv1.weight", "decode_in.downsample.0.weight"):
            readout, frame, previous = tensor.split([128, 128, 2], 1)
            tensor = torch.cat([readout, previous, frame], 1)
        converted[name] = tensor
    return converted


def randomised(network: LightNet) -> LightNet:
    """Fresh weights whose normalisation layers do something."""
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            tensor.normal_(0, 0.1)
        elif name.endswith("running_var") or (name.endswith("weight") and tensor.ndim == 1):
            tensor.uniform_(0.5, 1.5)
    return network.eval().requires_grad_(False)


@pytest.fixture
def experiment(shared: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("experiment_net", shared / "lab" / "net.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def light() -> LightNet:
    torch.manual_seed(0)
    return randomised(LightNet(0.25))


def others(masks: Tensor) -> Tensor:
    return masks.sum(0, keepdim=True) - masks


@torch.inference_mode()
def test_equals_the_experiment(experiment: ModuleType, shared: Path) -> None:
    stored = {name: tensor.float() for name, tensor in load_file(shared / "lab/weights/light-0.safetensors").items()}
    reference = experiment.Net(stride=8, prev=True).eval()
    reference.load_state_dict(stored)
    light = LightNet().eval()
    light.load_state_dict(from_experiment(reference.state_dict()))

    torch.manual_seed(1)
    image, masks, readout = torch.randn(1, 3, 48, 64), torch.rand(3, 48, 64), torch.randn(3, 128, 6, 8)
    key, frame = reference.encode_key(image)
    features = light.encode_key(image)
    torch.testing.assert_close(features.key, key, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(features[1:], (frame[0], frame[1], frame[3]), rtol=1e-4, atol=1e-4)

    frame = [level.expand(3, -1, -1, -1) for level in frame]
    value = reference.encode_value(image.expand(3, -1, -1, -1), masks[:, None], others(masks)[:, None], frame[0])
    torch.testing.assert_close(light.encode_value(image, features, masks, others(masks)), value, rtol=1e-4, atol=1e-4)

    logits = reference.decode(readout, frame, torch.stack([masks, others(masks)], 1))
    actual = light.decode(readout, features, masks, others(masks))
    torch.testing.assert_close(actual, logits, rtol=1e-4, atol=1e-3)


@torch.inference_mode()
def test_objects_do_not_influence_each_other_beyond_their_planes(light: LightNet) -> None:
    torch.manual_seed(2)
    image, masks, readout = torch.randn(1, 3, 32, 48), torch.rand(3, 32, 48), torch.randn(3, 128, 4, 6)
    features = light.encode_key(image)
    values = light.encode_value(image, features, masks, others(masks))
    logits = light.decode(readout, features, masks, others(masks))
    assert values.shape == (3, 128, 4, 6)
    assert logits.shape == (3, 32, 48)
    for slot in range(3):
        one = slice(slot, slot + 1)
        alone = light.encode_value(image, features, masks[one], others(masks)[one])
        torch.testing.assert_close(values[one], alone, rtol=1e-4, atol=1e-4)
        alone = light.decode(readout[one], features, masks[one], others(masks)[one])
        torch.testing.assert_close(logits[one], alone, rtol=1e-4, atol=1e-4)


def test_gradients_reach_every_weight() -> None:
    """Sharing the frame's part of a convolution must not cut training off from it."""
    torch.manual_seed(3)
    network = randomised(LightNet(0.25)).requires_grad_(True)
    image, masks = torch.randn(1, 3, 32, 32), torch.rand(2, 32, 32)
    features: LightFeatures = network.encode_key(image)
    value = network.encode_value(image, features, masks, others(masks))
    logits = network.decode(value, features, masks, others(masks))
    (logits.square().mean() + features.key.square().mean()).backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []


def test_shipped_weights_load_and_fit_the_size_promise() -> None:
    path = zoo.resolve("light")
    assert path.stat().st_size <= 12_000_000
    network = load_light(path)
    assert not network.training
    assert all(tensor.isfinite().all() for tensor in network.state_dict().values())
    assert next(network.parameters()).dtype == torch.float32


def test_weights_of_any_width_load(tmp_path: Path) -> None:
    path = tmp_path / "narrow.pth"
    narrow = LightNet(0.5)
    torch.save(narrow.state_dict(), path)
    assert load_light(path).key_encoder.conv1.out_channels == 32


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"weight": torch.ones(2)}, path)
    with pytest.raises(AppError, match=r"other\.pth does not hold the weights of the light network"):
        load_light(path)
