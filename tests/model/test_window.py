"""Decoding a part of a frame gives what decoding the whole gives there."""
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from model.blocks import upsample
from model.decoder import Decoder, RefinedUpsampleBlock, UpsampleBlock
from model.light import LightNet
from model.window import Window
from util.types import Rect, Size

GRID = Size(14, 16)
"""Of 1/16: wide enough that the windows below see less than all of it."""
PLACES = (Rect(7, 6, 8, 7), Rect(0, 0, 3, 2), Rect(11, 9, 16, 14), Rect(0, 5, 16, 9), Rect.full(GRID))

place = pytest.mark.parametrize("rect", PLACES, ids=str)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(shape[1]))


def windowed(logits: Tensor, rect: Rect) -> Tensor:
    return Window(rect, GRID).finer(16).cut(logits)


@pytest.fixture(scope="module")
def light() -> LightNet:
    torch.manual_seed(0)
    network = LightNet(0.125).eval()
    for name, parameter in network.named_parameters():
        if name.endswith("bn2.weight"):  # zero at the start of a training: the blocks would do nothing
            parameter.data.uniform_(0.5, 1.5)
    return network


@place
@pytest.mark.parametrize("block", [UpsampleBlock, RefinedUpsampleBlock])
@torch.inference_mode()
def test_the_shared_decoder_is_exact_in_a_window(
    block: type[UpsampleBlock] | type[RefinedUpsampleBlock], rect: Rect
) -> None:
    torch.manual_seed(0)
    decoder = Decoder(block)
    rows, columns = GRID

    class Features:
        thin = noise(1, 512, rows, columns)
        f8 = noise(1, 512, 2 * rows, 2 * columns)
        f4 = noise(1, 256, 4 * rows, 4 * columns)

    readout = noise(1, 512, rows, columns)
    window = Window(rect, GRID)
    part = decoder(decoder.reach(window).cut(readout), Features, window)
    torch.testing.assert_close(part, windowed(decoder(readout, Features), rect), rtol=1e-4, atol=1e-5)


@place
@torch.inference_mode()
def test_the_light_decoder_is_exact_in_a_window(light: LightNet, rect: Rect) -> None:
    size = (GRID.height * 16, GRID.width * 16)
    features = light.encode_key(noise(1, 3, *size))
    readout, masks = noise(2, 128, *features.f8.shape[-2:]), noise(1, 2, *size)[0].sigmoid()
    window = Window(rect, GRID)
    part = light.decode(light.reach(window).cut(readout), features, masks, masks.flip(0), window)
    whole = light.decode(readout, features, masks, masks.flip(0))
    torch.testing.assert_close(part, windowed(whole, rect), rtol=1e-4, atol=1e-5)


def test_the_light_decoder_reads_as_far_as_it_says() -> None:
    window = Window(Rect(20, 20, 21, 21), Size(40, 40))
    assert LightNet.reach(window).rect == Rect(40, 40, 42, 42).grown(14)


@pytest.mark.parametrize("factor", [2, 4])
def test_source_is_what_enlargement_needs_and_no_more(factor: int) -> None:
    coarse = torch.arange(48.0).view(1, 1, 6, 8).square()
    fine = upsample(coarse, factor)
    size = Size(6 * factor, 8 * factor)
    for rect in (Rect(5, 4, 9, 7), Rect(4, 5, 8, 6), Rect(7, 7, 8, 8), Rect(0, 0, 3, size.height)):
        window = Window(rect, size)
        source = window.source(factor)
        part = window.trim(upsample(source.cut(coarse), factor), source.finer(factor))
        torch.testing.assert_close(part, window.cut(fine))
    narrow = Window(Rect(8, 8, 9, 9), size).source(factor)
    assert max(narrow.shape) <= 3
