"""A local region: a part of the frame to which prompts and brushes are held, seen by the predictor as a whole picture.

What lies outside stays as it is, pixel by pixel. The smaller the region, the larger the predictor sees what is in it.
"""
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from interact.interaction import Interaction
from interact.packed_mask import PackedMask
from interact.predictor import MaskPredictor
from interact.prompts import Box, Click, Hint, Point
from interact.windows import Region
from util.jobs import CancelToken
from util.types import ImageU8, Rect, Size

MIN_SIDE = 16
"""Image pixels; what is smaller was a slip of the mouse."""


def region_between(start: Point, end: Point, size: Size) -> Rect | None:
    """The pixels touched by the rectangle between two points, in a frame of `size`; None if there are too few."""
    rect = Rect(
        math.floor(min(start.x, end.x)), math.floor(min(start.y, end.y)),
        math.ceil(max(start.x, end.x)), math.ceil(max(start.y, end.y)),
    ).clipped(size)  # fmt: skip
    return rect if min(rect.x1 - rect.x0, rect.y1 - rect.y0) >= MIN_SIDE else None


def predict_within(
    predictor: MaskPredictor, image: ImageU8, interaction: Interaction, token: CancelToken
) -> Region:
    """A predictor's answer, bool [H, W], held to the interaction's region if it has one. Raises what it raises."""
    rect = interaction.region
    if rect is None:
        return predictor.predict(image, interaction, token)
    answer = interaction.previous
    part = np.ascontiguousarray(image[rect.slices])
    answer[rect.slices] = predictor.predict(part, _seen_from(interaction, rect), token)
    return answer


def _seen_from(interaction: Interaction, rect: Rect) -> Interaction:
    """The interaction in the coordinates of a part of the frame."""
    return replace(
        interaction,
        prompts=tuple(_moved(prompt, rect) for prompt in interaction.prompts),
        base=PackedMask.pack(interaction.base_mask[rect.slices]),
        shown=PackedMask.pack(interaction.shown_mask[rect.slices]),
        region=None,
    )


def _moved(prompt: Hint, rect: Rect) -> Hint:
    if isinstance(prompt, Box):
        return Box(prompt.x0 - rect.x0, prompt.y0 - rect.y0, prompt.x1 - rect.x0, prompt.y1 - rect.y0)
    if isinstance(prompt, Click):
        return replace(prompt, x=prompt.x - rect.x0, y=prompt.y - rect.y0)
    return replace(prompt, points=tuple(Point(x - rect.x0, y - rect.y0) for x, y in prompt.points))
