"""The fast 3x3 convolution against the direct one."""
from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from model import winograd
from model.blocks import ResidualBlock, conv3x3, conv_with_shared
from model.winograd import WinogradConv, use_winograd


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(shape[-1]))


def assert_alike(found: Tensor, wanted: Tensor) -> None:
    assert found.shape == wanted.shape
    assert float((found - wanted).abs().max()) < 1e-4 * float(wanted.abs().max())


@pytest.mark.parametrize("size", [(8, 12), (1, 1), (4, 5), (7, 3), (13, 18)])
@pytest.mark.parametrize("strip_bytes", [1, 8 << 20])
@torch.inference_mode()
def test_equals_the_direct_convolution(
    size: tuple[int, int], strip_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winograd, "_STRIP_BYTES", strip_bytes)
    conv = conv3x3(64, 72)
    x = noise(2, 64, *size)
    assert_alike(WinogradConv(conv)(x), conv(x))
    assert_alike(WinogradConv(conv)(x.contiguous(memory_format=torch.channels_last)), conv(x))


@torch.inference_mode()
def test_a_cut_map_is_no_exception() -> None:
    conv = conv3x3(64, 64)
    part = noise(1, 64, 20, 22)[..., 3:14, 5:16]
    assert_alike(WinogradConv(conv)(part), conv(part))


@torch.inference_mode()
def test_what_objects_share_is_computed_once() -> None:
    conv = conv3x3(64 + 80, 64)
    own, shared = noise(3, 64, 6, 9), noise(1, 80, 6, 9)
    assert_alike(conv_with_shared(WinogradConv(conv), own, shared), conv_with_shared(conv, own, shared))


@torch.inference_mode()
def test_only_what_gains_is_replaced() -> None:
    block = ResidualBlock(128, 64)
    network = nn.Sequential(
        block, nn.Conv2d(64, 64, 3, 2, 1), nn.Conv2d(64, 64, 1), nn.Conv2d(64, 64, 3, padding=2), conv3x3(64, 32)
    )
    x = noise(1, 128, 9, 11)
    before = network(x)
    use_winograd(network)
    assert [isinstance(child, WinogradConv) for child in network] == [False] * 5
    assert all(isinstance(conv, WinogradConv) for conv in (block.conv1, block.conv2, block.downsample))
    assert_alike(network(x), before)
