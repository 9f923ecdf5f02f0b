"""What is seen of an object that turns: a part of it, another one on every frame."""
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from generation.turning import sides_in_sight

SIDE, FRAMES, COUNT = 32, 4, 64


def seen(share: float, seed: int = 0) -> Tensor:
    """Of objects half as large as the frame that stay where they are."""
    axis = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    place = torch.stack([axis.expand(SIDE, SIDE), axis[:, None].expand(SIDE, SIDE)], -1).view(1, 1, -1, 2)
    gen = torch.Generator().manual_seed(seed)
    return sides_in_sight(place.expand(COUNT, FRAMES, -1, -1), torch.full((COUNT,), 0.5), SIDE, share, gen)


def on_the_object(planes: Tensor) -> Tensor:
    return planes[..., SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4].flatten(2)


def test_an_object_that_does_not_turn_is_seen_as_a_whole() -> None:
    assert (seen(0.0) == 1).all()


def test_a_share_of_them_turns() -> None:
    turns = (on_the_object(seen(0.5)) < 1).flatten(1).any(1).float().mean()
    assert turns == pytest.approx(0.5, abs=0.2)


def test_new_sides_come_into_sight_bit_by_bit() -> None:
    planes = on_the_object(seen(1.0))
    assert planes.min() == 0 and planes.max() == 1
    first, last = planes[:, 0], planes[:, -1]
    assert 0.25 < first.mean() < 0.75
    new = (last * (1 - first)).mean(1)
    assert new.median() > 0.1
    assert ((last < 0.5) & (first > 0.5)).any(1).float().mean() == pytest.approx(0.3, abs=0.2), "some sides go"
    steps = [(planes[:, t + 1] * (1 - planes[:, t])).mean(1) for t in range(FRAMES - 1)]
    assert all((step < new).float().mean() > 0.8 for step in steps)


def test_the_same_generator_gives_the_same() -> None:
    assert torch.equal(seen(0.5, 3), seen(0.5, 3)) and not torch.equal(seen(0.5, 3), seen(0.5, 4))
