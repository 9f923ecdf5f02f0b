"""Outlines that are moved onto edges: near ones, and only near ones."""
from __future__ import annotations

import cv2
import numpy as np
import pytest

from interact import edge_snap
from interact.edge_snap import BAND, SAMPLES, SURE, snap
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


def test_prompts_that_leave_nothing_of_one_side() -> None:
    """A click beside the object's middle says that a small object is none, and the network disagrees."""
    image = picture(np.random.default_rng(4))
    small, large = np.zeros((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)
    small[50:57, 50:57], large[:4, :4] = 1, 0
    seeds = nothing_said()
    seeds[48:59, 48:59] = OUTSIDE
    assert (snap(image, small, seeds) == (small > 0.5)).all()
    seeds[48:59, 48:59], seeds[:8, :8] = UNKNOWN, INSIDE
    assert (snap(image, large, seeds) == (large > 0.5)).all()


def test_the_same_answer_every_time() -> None:
    image = picture(np.random.default_rng(5))
    assert (snap(image, answer(75), nothing_said()) == snap(image, answer(75), nothing_said())).all()


def large(rng: np.random.Generator, right: int) -> tuple[np.ndarray, np.ndarray]:
    """An ellipse on another ground and the network's answer, which is shifted."""
    rows, columns = np.mgrid[:240, :256]
    shape = ((rows - 120) / 80) ** 2 + ((columns - right) / 90) ** 2 < 1
    image = np.where(shape[..., None], (190, 90, 60), (70, 120, 150)) + rng.normal(0, 20, (240, 256, 3))
    return np.clip(image, 0, 255).astype(np.uint8), shape


def test_a_wide_band_is_cut_at_half_the_size_first_and_nearly_the_same_comes_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image, truth = large(np.random.default_rng(6), 128)
    soft = np.where(large(np.random.default_rng(6), 136)[1], 0.8, 0.2).astype(np.float32)
    seeds = np.full(truth.shape, UNKNOWN, np.uint8)
    sizes: list[int] = []
    cut = edge_snap._cut
    monkeypatch.setattr(edge_snap, "_cut", lambda *given: (sizes.append(given[1].shape[0]), cut(*given))[1])
    stepwise = snap(image, soft, seeds)
    assert sizes == [120, 240]
    monkeypatch.setattr(edge_snap, "MAX_UNDECIDED", truth.size)
    at_once = snap(image, soft, seeds)
    assert sizes == [120, 240, 240]
    assert (stepwise & at_once).sum() > 0.995 * (stepwise | at_once).sum()
    assert (at_once != truth).sum() < 0.1 * ((soft > 0.5) != truth).sum()


def test_only_the_rectangle_that_the_band_reaches_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    grab = cv2.grabCut

    def watched(image: np.ndarray, *given: object) -> object:
        seen.append(image.shape[:2])
        return grab(image, *given)

    image = picture(np.random.default_rng(7))
    wide = np.pad(image, ((60, 60), (60, 60), (0, 0)), mode="edge")
    monkeypatch.setattr(cv2, "grabCut", watched)
    near = snap(image, answer(75), nothing_said())
    far = snap(wide, np.pad(answer(75), 60, constant_values=0.2), np.pad(nothing_said(), 60))
    assert (far[60:-60, 60:-60] == near).mean() > 0.999 and not far[:60].any()
    (models, cut), (more_models, same_cut) = seen[:2], seen[2:]
    assert models[0] == more_models[0] == 1 and models[1] <= 2 * SAMPLES
    assert cut == same_cut and cut[0] < SIDE and cut[1] < SIDE


def test_a_colour_that_neither_side_knows_stays_as_the_network_has_it() -> None:
    """Drawings are flat: a model of exactly one colour gives every other the probability 0."""
    plain = np.full((SIDE, SIDE, 3), (60, 150, 60), np.uint8)
    plain[30:90, 20:RIGHT_EDGE] = (190, 50, 50)
    labels = np.where(answer(RIGHT_EDGE) > 0.5, cv2.GC_FGD, cv2.GC_BGD).astype(np.uint8)
    colors = edge_snap._learn(plain, labels).weighted(edge_snap.COLOR_WEIGHT)
    labels[20:100, RIGHT_EDGE - 6 : RIGHT_EDGE] = cv2.GC_PR_BGD
    labels[20:100, RIGHT_EDGE : RIGHT_EDGE + 6] = cv2.GC_PR_FGD
    odd = plain.copy()
    odd[50:60, RIGHT_EDGE - 2 : RIGHT_EDGE + 2] = (20, 20, 250)
    after = edge_snap._cut(odd, labels, colors)
    assert (after[50:60, RIGHT_EDGE - 2 : RIGHT_EDGE] == cv2.GC_BGD).all()
    assert (after[50:60, RIGHT_EDGE : RIGHT_EDGE + 2] == cv2.GC_FGD).all()
    assert (after[40, RIGHT_EDGE - 6 : RIGHT_EDGE + 6] & 1 == [1] * 6 + [0] * 6).all(), "elsewhere colours decide"


def test_a_weighted_colour_model() -> None:
    """The -log of a Gaussian is as many times what it was."""
    rng = np.random.default_rng(8)
    model = np.zeros((1, 65))
    spread = np.cov(rng.normal(0, 9, (3, 40))) + 4 * np.eye(3)
    model[0, 0], model[0, 5:8], model[0, 20:29] = 1.0, (100, 120, 140), spread.ravel()

    def cost(model: np.ndarray, color: np.ndarray) -> float:
        away, covariance = color - model[0, 5:8], model[0, 20:29].reshape(3, 3)
        height = np.log(model[0, 0]) - 0.5 * np.log(np.linalg.det(covariance))
        return float(0.5 * away @ np.linalg.inv(covariance) @ away - height)

    for color in rng.uniform(80, 160, (5, 3)):
        assert cost(edge_snap._weighted(model, 3.0), color) == pytest.approx(3 * cost(model, color), rel=0.01)
