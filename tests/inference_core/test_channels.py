"""From index masks to prob and back."""
from __future__ import annotations

import numpy as np
import torch

from inference_core.channels import Channels, _winners
from tests.inference_core.engines import make_propagator
from tests.synthetic import make_synthetic_video
from util.types import IGNORE

VIDEO = make_synthetic_video()


def make_channels(*ids: int) -> Channels:
    return Channels(make_propagator("static", VIDEO.size), ids)


def test_winners_equal_argmax_with_the_first_of_equals() -> None:
    planes = torch.rand(4, 30, 40, generator=torch.Generator().manual_seed(0)).mul(5).round()
    expected = torch.tensor([0, 7, 3, 200], dtype=torch.uint8)[planes.argmax(0)]
    assert torch.equal(_winners(planes, (0, 7, 3, 200)), expected)


def test_a_mask_survives_the_way_there_and_back() -> None:
    channels = make_channels(1, 2, 3)
    nothing = np.zeros(VIDEO.size, np.uint8)
    for mask in VIDEO.masks:
        assert (channels.to_mask(channels.from_mask(mask), (1, 2, 3), nothing) == mask).all()


def test_ids_without_a_channel_and_ignore_count_as_background() -> None:
    mask = VIDEO.masks[0].copy()
    mask[:3] = IGNORE
    prob = make_channels(2).from_mask(mask)
    assert len(prob) == 2
    assert prob[1].sum() == (mask == 2).sum()


def test_resting_objects_keep_their_pixels_and_push_the_active_ones_aside() -> None:
    channels = make_channels(1, 2, 3)
    stored = VIDEO.masks[0]
    everywhere = torch.zeros(2, *channels.from_mask(stored).shape[1:])
    everywhere[1] = 1
    mask = channels.to_mask(everywhere, (1,), stored)
    assert (mask == np.where(np.isin(stored, (2, 3)), stored, 1)).all()
    prob = channels.with_resting(everywhere, (1,), stored)
    assert (prob[2:] == channels.from_mask(stored)[2:]).all()
    assert (prob[1] == 1 - prob[2:].sum(0)).all()
