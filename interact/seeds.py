"""Prompts as hard constraints: which pixels they say are inside and outside. Pure functions on image coordinates."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from interact.prompts import Box, Click, Hint, Point
from util.raster import Patch, polyline
from util.types import Rect, Size

CLICK_WIDTH = 3.0
"""Diameter, in image pixels, of what a click says for sure; a stroke is at least as wide."""

ORIGIN = Point(0.0, 0.0)
UNKNOWN, INSIDE, OUTSIDE = 0, 1, 2


def prompt_patch(
    prompt: Hint, size: Size, *, scale: float = 1.0, origin: Point = ORIGIN, min_width: float = CLICK_WIDTH
) -> Patch:
    """The pixels that a prompt is about, in an image of `size` that shows the frame from `origin` on at `scale`.

    A box's are all inside it.
    """
    if isinstance(prompt, Box):
        corners = (prompt.x0 - origin.x, prompt.y0 - origin.y, prompt.x1 - origin.x, prompt.y1 - origin.y)
        rect = Rect(*(round(value * scale) for value in corners)).clipped(size)
        return Patch(rect, np.ones((max(rect.y1 - rect.y0, 0), max(rect.x1 - rect.x0, 0)), np.bool_))
    points = (Point(prompt.x, prompt.y),) if isinstance(prompt, Click) else prompt.points
    width = 0.0 if isinstance(prompt, Click) else prompt.width * scale
    return polyline([((x - origin.x) * scale, (y - origin.y) * scale) for x, y in points], max(width, min_width), size)


def seed_map(
    prompts: Sequence[Hint],
    size: Size,
    *,
    scale: float = 1.0,
    origin: Point = ORIGIN,
    min_width: float = CLICK_WIDTH,
) -> NDArray[np.uint8]:
    """uint8 [H, W] of UNKNOWN, INSIDE and OUTSIDE; where prompts disagree the latest is right. A box says none."""
    seeds = np.full(size, UNKNOWN, np.uint8)
    for prompt in prompts:
        if isinstance(prompt, Box):
            continue
        patch = prompt_patch(prompt, size, scale=scale, origin=origin, min_width=min_width)
        seeds[patch.rect.slices][patch.inside] = INSIDE if prompt.positive else OUTSIDE
    return seeds


def hold_prompts(region: NDArray[np.bool_], prompts: Sequence[Hint]) -> NDArray[np.bool_]:
    """bool [H, W]: a predictor's answer, with what the prompts say for sure."""
    seeds = seed_map(prompts, Size(*region.shape))
    return np.asarray((region | (seeds == INSIDE)) & (seeds != OUTSIDE), np.bool_)


def is_bare(region: NDArray[np.bool_], prompts: Sequence[Hint]) -> bool:
    """Whether a predictor's answer, bool [H, W], is no more than what the prompts say themselves."""
    seeds = seed_map(prompts, Size(*region.shape))
    return not (region & (seeds == UNKNOWN)).any()
