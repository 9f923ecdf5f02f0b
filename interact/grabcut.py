"""Clicks and scribbles answered by OpenCV's GrabCut: no weights, the same answer every time, about 0.1 s.

GrabCut learns a colour model of inside and outside and cuts the image where they part. Three things make it fit for
clicking: it works in a window around the object at a small scale; one colour axis gives way to the distance from the
prompts, as nothing else tells the clicked thing from one of the same colours elsewhere; and a correction changes only
the area that hangs together with the latest prompt, so that what was right stays.
"""
from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from interact.box_cut import cut_box
from interact.interaction import Interaction
from interact.prompts import Box, Click, Hint
from interact.seeds import INSIDE, OUTSIDE, hold_prompts
from interact.windows import Lens, Region, Window, touching
from util.jobs import CancelToken
from util.types import ImageU8, Rect, Size

LENS = Lens(side=144, max_scale=1.0, margin=0.3, seed_width=5.0)
"""What a click says for sure while cutting is wide enough to learn a colour from."""
ROUNDS = 2
FIRST_REACH, STROKE_REACH = 0.25, 0.15
"""How far around a first click or stroke is taken for inside to begin with, as a part of the shorter side."""
MIN_FIX_REACH = 0.1
MAX_ADD_REACH, MAX_REMOVE_REACH = 0.25, 0.4
"""The same for a correction: as far as it is from the nearest pixel that was right, within these bounds."""
DISTANCE_WEIGHT = 100.0
"""Value of the distance channel at one window diagonal from the prompts; colours range over about as much."""
SMOOTHING = 0.6
"""Of outlines that are enlarged, in working pixels."""
KEPT_SHARE = 0.5
"""Of a mask that only negative prompts are about: so much stays, the part farthest from them."""
MIN_SAMPLES = 8
COLOR_WEIGHTS = np.array([0.7, 1.4, 1.4], np.float32)
"""Of L, a and b: light and shadow on one thing differ more in L than two things do in a and b."""


class GrabCutPredictor:
    """A `MaskPredictor`. Stateless."""

    def predict(self, image: ImageU8, interaction: Interaction, token: CancelToken) -> Region:
        """See `MaskPredictor`. Where GrabCut finds nothing, the prompts' own pixels are all that is inside."""
        previous = interaction.previous
        prompts = interaction.prompts
        if isinstance(prompts[-1], Box):
            return cut_box(image, prompts[-1], token)
        if not previous.any():
            if not any(prompt.positive for prompt in prompts):
                return previous
            region = _cut(Window.whole(LENS, image, prompts), previous, token, is_correction=False)
            window = Window.around(LENS, image, prompts, region)
            if window.rect != Rect.full(Size(*previous.shape)):
                region = _cut(window, region, token, is_correction=False)
        else:
            window = Window.around(LENS, image, prompts, previous)
            region = _cut(window, previous, token, is_correction=True)
        return hold_prompts(region, prompts)


def _cut(window: Window, previous: Region, token: CancelToken, *, is_correction: bool) -> Region:
    """One answer at frame size; `previous` stays outside the window.

    Args:
        is_correction: `previous` is what the user saw, so it stays away from the latest prompt, too; otherwise it is
            a coarser answer.
    """
    token.check()
    before = window.shrink(previous)
    seeds = window.seeds()
    labels = _first_guess(window, before, seeds)
    features = _features(window, before, seeds)
    token.check()
    if labels.size >= 2 * MIN_SAMPLES:
        cv2.setRNGSeed(0)
        cv2.grabCut(features, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    token.check()
    after = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if is_correction:
        latest = window.patch(window.prompts[-1])
        after = np.where(touching((before ^ after) | latest, latest), after, before)
    after = touching(after, (seeds == INSIDE) | before)
    region = previous.copy()
    view = region[window.rect.slices]
    changed = _grow(window, before ^ after)
    view[changed] = _grow(window, after)[changed]
    return region


def _grow(window: Window, region: Region) -> Region:
    """bool at the window's size in frame pixels, with smooth outlines."""
    size = (window.rect.x1 - window.rect.x0, window.rect.y1 - window.rect.y0)
    soft = region.astype(np.uint8) * 255
    if window.scale < 1.0:
        soft = np.asarray(cv2.GaussianBlur(soft, (0, 0), SMOOTHING), np.uint8)
    return np.asarray(cv2.resize(soft, size, interpolation=cv2.INTER_CUBIC), np.uint8) > 127


def _first_guess(window: Window, before: Region, seeds: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """GrabCut's labels, uint8 [h, w]: the object so far, the neighbourhood of the prompts, the prompts for sure."""
    labels = np.where(before, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    for prompt in window.prompts:
        near = _distance(window.patch(prompt)) <= _reach(window, prompt, before) * min(window.size)
        labels[near] = cv2.GC_PR_FGD if prompt.positive else cv2.GC_PR_BGD
    if before.any() and (seeds == OUTSIDE).any() and not (seeds == INSIDE).any():
        # Nothing else says what the object is: what lies far from where it is not stays.
        far = _distance(seeds == OUTSIDE)
        labels[before & (far >= np.quantile(far[before], 1 - KEPT_SHARE))] = cv2.GC_FGD
    for value, label in ((INSIDE, cv2.GC_FGD), (OUTSIDE, cv2.GC_BGD)):
        labels[seeds == value] = label
    _ensure_samples(labels)
    return labels


def _reach(window: Window, prompt: Hint, before: Region) -> float:
    """How far around a prompt its answer is assumed to begin with, as a part of the window's shorter side."""
    if not before.any():
        return FIRST_REACH if isinstance(prompt, Click) else STROKE_REACH
    right, limit = (before, MAX_ADD_REACH) if prompt.positive else (~before, MAX_REMOVE_REACH)
    if not right.any():
        return limit
    depth = float(_distance(right)[window.patch(prompt)].max(initial=0.0)) / min(window.size)
    return min(max(depth, MIN_FIX_REACH), limit)


def _ensure_samples(labels: NDArray[np.uint8]) -> None:
    """GrabCut needs a few pixels of both kinds; the ones farthest from the other kind are the best guess."""
    for kinds, label in (
        ((cv2.GC_FGD, cv2.GC_PR_FGD), cv2.GC_PR_BGD),
        ((cv2.GC_BGD, cv2.GC_PR_BGD), cv2.GC_PR_FGD),
    ):
        other = np.isin(labels, kinds)
        if other.size - np.count_nonzero(other) < MIN_SAMPLES:
            farthest = np.argsort(_distance(labels == kinds[0]), axis=None, kind="stable")[-MIN_SAMPLES:]
            labels.flat[farthest] = label


def _features(window: Window, before: Region, seeds: NDArray[np.uint8]) -> ImageU8:
    """uint8 [h, w, 3]: the two colour axes of the window that vary most, and the distance from the prompts."""
    colors = cv2.cvtColor(window.image, cv2.COLOR_RGB2LAB).astype(np.float32) * COLOR_WEIGHTS
    centered = colors.reshape(-1, 3) - colors.reshape(-1, 3).mean(axis=0)
    axes = np.linalg.svd(centered.T @ centered)[0][:, :2]
    main = (centered @ axes).reshape(*window.size, 2) + 128
    anchor = seeds == INSIDE
    if not anchor.any():
        depth = _distance(~before)
        anchor = depth == depth.max()
    distance = _distance(anchor) * (DISTANCE_WEIGHT / math.hypot(*window.size))
    return np.asarray(np.clip(np.dstack([main, distance]), 0, 255), np.uint8)


def _distance(region: Region) -> NDArray[np.float32]:
    """float32 [h, w]: pixels to the nearest one of `region`, which must not be empty."""
    return np.asarray(cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
