"""How layers move: steps as large as asked for, noise that stays as strong however little of it is new."""
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from generation.motion import _wandering, random_warps


def steps_of(near: float) -> Tensor:
    """[clips, frames - 1] how far the middle half of pixels goes from one frame to the next, in frame sides."""
    gen = torch.Generator().manual_seed(0)
    place = random_warps(64, 2, 6, 16, 1.0, gen, near).place
    return place.diff(dim=1).norm(dim=-1).median(-1).values.view(64, 2, 5).mean(1) / 2


def test_steps_of_a_film_are_small_and_still_steps() -> None:
    film, stills = steps_of(1.0), steps_of(0.0)
    assert film.median() < stills.median() / 3
    assert film.min() > 0


def test_a_share_of_the_steps_is_small() -> None:
    limit = (steps_of(1.0).median() + steps_of(0.0).median()) / 2
    shares = [(steps_of(near) < limit).float().mean() for near in (0.0, 0.5, 1.0)]
    assert shares[0] + 0.15 < shares[1] < shares[2] - 0.15


@pytest.mark.parametrize("new", [0.3, 1.0])
def test_wandering_noise_keeps_its_strength(new: float) -> None:
    noise = torch.randn(20_000, 5, 2, generator=torch.Generator().manual_seed(0))
    moved = _wandering(noise, torch.full((20_000, 5), new))
    assert moved.std(0) == pytest.approx(torch.ones(5, 2), abs=0.03)
    together = (moved[:, 1:] * moved[:, :-1]).mean((0, 2))
    assert together == pytest.approx(torch.full((4,), (1 - new**2) ** 0.5), abs=0.03)
