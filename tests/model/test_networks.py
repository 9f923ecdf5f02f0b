"""Published key names, and the parts of the networks that the recorded cases do not reach."""
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from model.afb_urr import AfbUrr
from model.aggregate import aggregate
from model.attention import (
    Similarity,
    dot_similarity,
    full_softmax_attention,
    l2_similarity,
    scores,
    transfer_maps,
)
from model.blocks import ResidualBlock, conv_with_shared
from model.encoders import BasicBlock, ResNet
from model.fusion_net import FusionNet
from model.light_fusion import LightFusionNet
from model.quality_agent import QualityAgent
from model.quality_net import QualityNet
from model.scribble_net import ScribbleNet
from model.stcn import STCN
from model.stm import STM
from util.types import Size


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("stcn", STCN),
        ("stcn_no_cbam", lambda: STCN(attention=False)),
        ("propagation_model_stm", STM),
        ("s2m", ScribbleNet),
        ("afb_urr", AfbUrr),
        ("ivosw_assess_net", QualityNet),
        ("ivosw_agent", QualityAgent),
        ("fusion_stcn", FusionNet),
        ("fusion", FusionNet),
    ],
)
def test_published_keys(shared: Path, name: str, build: Callable[[], nn.Module]) -> None:
    published = json.loads((shared / "compat" / f"keys_{name}.json").read_text())["keys"]
    with torch.device("meta"):
        state = build().state_dict()
    own = {key: [list(tensor.shape), str(tensor.dtype).removeprefix("torch.")] for key, tensor in state.items()}
    assert own == {key: [shape, dtype] for key, shape, dtype in published}


@pytest.mark.parametrize("stride", [1, 2])
def test_shared_part_of_a_convolution(stride: int) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(7, 4, 3, stride, 1)
    own, shared = torch.randn(3, 5, 9, 8), torch.randn(1, 2, 9, 8)
    expected = conv(torch.cat([own, shared.expand(3, -1, -1, -1)], 1))
    torch.testing.assert_close(conv_with_shared(conv, own, shared), expected)
    torch.testing.assert_close(conv_with_shared(nn.Conv2d(5, 4, 3), own, None).shape, torch.Size((3, 4, 7, 6)))


@pytest.mark.parametrize("build", [lambda: ResidualBlock(6, 5), lambda: BasicBlock(6, 6, joins=True)])
def test_shared_part_of_a_block(build: Callable[[], nn.Module]) -> None:
    """Joining in channels that all objects share equals concatenating them."""
    torch.manual_seed(1)
    block = build().eval()
    own, shared = torch.randn(3, 4, 6, 5), torch.randn(1, 2, 6, 5)
    expected = block(torch.cat([own, shared.expand(3, -1, -1, -1)], 1))
    torch.testing.assert_close(block(own, shared), expected, rtol=1e-4, atol=1e-5)


def test_encoder_levels() -> None:
    network = ResNet(BasicBlock, (1, 1, 1), widths=(8, 16, 24), in_channels=5, names=("res2", "a", "b")).eval()
    levels = network(torch.zeros(2, 5, 48, 32))
    assert [tuple(level.shape) for level in levels] == [(2, 8, 12, 8), (2, 16, 6, 4), (2, 24, 3, 2)]
    assert {"res2.0.conv1.weight", "a.0.conv1.weight", "b.0.conv1.weight"} <= network.state_dict().keys()


@given(
    st.integers(0, 5),
    st.sampled_from(["product", "constant"]),
    st.booleans(),
    st.sampled_from([torch.float32, torch.float16, torch.bfloat16]),
    st.integers(0, 2**31),
)
def test_aggregation_is_a_distribution(
    num_objects: int, background: str, hard: bool, dtype: torch.dtype, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    prob = torch.rand(num_objects, 3, 4, generator=generator).to(dtype)
    prob[:, 0, 0], prob[:, 0, 1] = 0, 1  # exact zeros and ones must not become infinite
    result = aggregate(prob, background=background, hard=hard)
    assert result.shape == (num_objects + 1, 3, 4)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result.sum(0), torch.ones(3, 4))
    assert bool((result >= 0).all())


def test_aggregation_of_one_object_keeps_its_probability() -> None:
    prob = torch.linspace(0.01, 0.99, 9).view(1, 3, 3)
    torch.testing.assert_close(aggregate(prob)[1:], prob.square() / (prob.square() + (1 - prob).square()))
    torch.testing.assert_close(aggregate(prob, background="constant")[1:], prob)


def dense_l2(memory: Tensor, query: Tensor) -> Tensor:
    return -(memory[:, :, None] - query[:, None, :]).square().sum(0) / memory.shape[0] ** 0.5


def dense_dot(memory: Tensor, query: Tensor) -> Tensor:
    return (memory[:, :, None] * query[:, None, :]).sum(0) / memory.shape[0] ** 0.5


@pytest.mark.parametrize(("similarity", "dense"), [(l2_similarity, dense_l2), (dot_similarity, dense_dot)])
def test_attention_equals_its_definition(
    similarity: Similarity, dense: Callable[[Tensor, Tensor], Tensor]
) -> None:
    torch.manual_seed(2)
    memory, query = torch.randn(2, 16, 12), torch.randn(16, 9)
    expected = torch.stack([dense(one, query).softmax(0) for one in memory])
    actual = full_softmax_attention(memory, query, similarity)
    torch.testing.assert_close(actual, expected)
    torch.testing.assert_close(actual.sum(1), torch.ones(2, 9))


@pytest.mark.parametrize("similarity", [l2_similarity, dot_similarity])
def test_similarity_is_float32_under_autocast(similarity: Similarity) -> None:
    memory, query = torch.randn(16, 12), torch.randn(16, 9)
    with torch.autocast("cpu", torch.bfloat16):
        assert scores(*similarity(memory.bfloat16(), query.bfloat16())).dtype == torch.float32
        actual = scores(*similarity(memory, query))
    assert torch.equal(actual, scores(*similarity(memory, query)))


@pytest.mark.parametrize("per_plane", [False, True])
def test_maps_move_with_the_attention(per_plane: bool) -> None:
    """An attention that shifts every cell one column to the right shifts the maps by one cell."""
    cells, size = Size(3, 4), Size(24, 32)
    pos, neg = torch.zeros(2, 24, 32), torch.zeros(2, 24, 32)
    pos[0, 8:16, 8:16] = 1
    neg[1, :8, :8] = 0.5
    shift = torch.zeros(12, 12)
    for cell in range(12):
        shift[cell, cell // 4 * 4 + (cell + 1) % 4] = 1
    attention = shift.expand(2, 12, 12) if per_plane else shift
    moved = transfer_maps(pos, neg, attention, cells, size)
    assert moved.shape == (2, 2, 24, 32)
    expected = torch.zeros(2, 2, 3, 4)
    expected[0, 0, 1, 2] = 1
    expected[1, 1, 0, 1] = 0.5
    torch.testing.assert_close(moved, F.interpolate(expected, size, mode="bilinear", align_corners=False))


@pytest.mark.parametrize("build", [FusionNet, LightFusionNet])
@torch.inference_mode()
def test_fusion_network_fuses_each_object_by_itself(build: type[FusionNet] | type[LightFusionNet]) -> None:
    torch.manual_seed(3)
    network = build().eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    # No multiple of what the light one works in.
    image, old, new = torch.randn(1, 3, 24, 20), torch.rand(3, 24, 20), torch.rand(3, 24, 20)
    attention = torch.rand(3, 2, 24, 20)
    fused = network(image, old, new, attention, 0.25, 0.75)
    assert fused.shape == (3, 24, 20)
    alone = network(image, old[1:2], new[1:2], attention[1:2], 0.25, 0.75)
    torch.testing.assert_close(fused[1:2], alone, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(fused, network(image, old, new, attention, 0.75, 0.25))
    assert not torch.allclose(fused, network(image, new, old, attention, 0.25, 0.75))
