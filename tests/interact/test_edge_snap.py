"""Outlines that are moved onto edges: near ones, and only near ones."""
from __future__ import annotations

import numpy as np

from interact.edge_snap import BAND, SURE, snap
from interact.seeds import INSIDE, OUTSIDE, UNKNOWN

SIDE = 120
RIGHT_EDGE = 70
LOOSE = 6
"""How far the network's outline is from the edge."""


def picture(rng: np.random.Generator) -> np.ndarray:
    """Red until the edge, green behind it, with noise."""
    image = np.full((SIDE, SIDE, 3), (60, 150, 60), np.uint8)
    image[30:90, 20:RIGHT_EDGE] = (190, 50, 50)
    return np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8)


def answer(right: int, sure: float = 0.8) -> np.ndarray:
    """A network's answer: the red square, but up to another column."""
    soft = np.full((SIDE, SIDE), 1 - sure, np.float32)
    soft[30:90, 20:right] = sure
    return soft


def nothing_said() -> np.ndarray:
    return np.full((SIDE, SIDE), UNKNOWN, np.uint8)


def test_a_loose_outline_goes_to_the_edge_from_either_side() -> None:
    image = picture(np.random.default_rng(0))
    truth = answer(RIGHT_EDGE) > 0.5
    for right in (RIGHT_EDGE - LOOSE, RIGHT_EDGE + LOOSE):
        before = answer(right)
        after = snap(image, before, nothing_said())
        assert (after != truth).sum() < 0.1 * ((before > 0.5) != truth).sum()


def test_an_edge_beyond_the_band_is_another_one() -> None:
    image = picture(np.random.default_rng(1))
    right = 40  # the object is the left part, and the network knows
    after = snap(image, answer(right), nothing_said())
    reach = round(BAND * np.sqrt(60 * (right - 20)))
    assert not after[:, right + reach + 1 :].any()
    assert after[40:80, 30 : right - reach - 1].all()


def test_what_the_network_is_sure_of_stays() -> None:
    image = picture(np.random.default_rng(2))
    sure = answer(RIGHT_EDGE + LOOSE, sure=(SURE + 1) / 2)
    assert (snap(image, sure, nothing_said()) == (sure > 0.5)).all()


def test_prompts_are_right() -> None:
    image = picture(np.random.default_rng(3))
    seeds = nothing_said()
    seeds[50:60, RIGHT_EDGE : RIGHT_EDGE + 4] = INSIDE
    seeds[50:60, RIGHT_EDGE - 20 : RIGHT_EDGE - 10] = OUTSIDE
    after = snap(image, answer(RIGHT_EDGE - LOOSE), seeds)
    assert after[seeds == INSIDE].all() and not after[seeds == OUTSIDE].any()


def test_no_inside_or_no_outside() -> None:
    image = picture(np.random.default_rng(4))
    tiny, everything = np.zeros((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)
    tiny[5:7, 5:7] = 1
    for soft in (tiny, everything, np.zeros_like(tiny)):
        assert (snap(image, soft, nothing_said()) == (soft > 0.5)).all()


def test_the_same_answer_every_time() -> None:
    image = picture(np.random.default_rng(5))
    assert (snap(image, answer(75), nothing_said()) == snap(image, answer(75), nothing_said())).all()
