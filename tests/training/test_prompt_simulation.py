"""Simulated prompts lie where something is wrong, on the right side of the outline."""
from __future__ import annotations

import numpy as np
import pytest

from training.prompt_simulation import SimulatedPrompts, spoiled


@pytest.fixture
def target() -> np.ndarray:
    target = np.zeros((80, 80), np.bool_)
    target[20:60, 15:65] = True
    return target


def test_first_prompts_are_inside_the_object(target: np.ndarray) -> None:
    for seed in range(30):
        prompts = SimulatedPrompts(target, 9)
        prompts.add(np.zeros_like(target), np.random.default_rng(seed))
        assert prompts.positive.any() and not prompts.negative.any()
        # A disc reaches over the outline by no more than its radius.
        assert np.count_nonzero(prompts.positive & target) > 0.5 * np.count_nonzero(prompts.positive)


def test_what_is_too_much_gets_negative_prompts(target: np.ndarray) -> None:
    mask = target.copy()
    mask[65:78, 5:75] = True
    for seed in range(30):
        prompts = SimulatedPrompts(target, 5)
        prompts.add(mask, np.random.default_rng(seed))
        assert prompts.negative.any() and not prompts.positive.any()
        assert np.count_nonzero(prompts.negative & mask & ~target) > 0.5 * np.count_nonzero(prompts.negative)


def test_nothing_is_said_about_a_right_mask(target: np.ndarray) -> None:
    prompts = SimulatedPrompts(target, 9)
    prompts.add(target, np.random.default_rng(0))
    assert not prompts.positive.any() and not prompts.negative.any()


def test_the_latest_prompt_is_right(target: np.ndarray) -> None:
    prompts = SimulatedPrompts(target, 9)
    prompts.click(30, 30, True)
    prompts.click(32, 30, False)
    assert not (prompts.positive & prompts.negative).any()
    assert prompts.negative[30, 32] and prompts.positive[30, 27]


def test_spoiled_masks_are_neither_right_nor_useless(target: np.ndarray) -> None:
    scores = []
    for seed in range(40):
        mask = spoiled(target, np.random.default_rng(seed))
        scores.append(np.count_nonzero(mask & target) / np.count_nonzero(mask | target))
    assert 0.4 < np.mean(scores) < 0.95
    assert max(scores) < 1.0
