"""Clicks answered by a click network (f-BRS, RITM), which goes on from where the click before has left it.

Its answer to a click depends on all clicks before, so the states on the way are kept for a while: a further click costs
one step, and a click that takes the place of one that was undone goes on from the state before. What is kept changes
no answer, only how long it takes.
"""
from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.api import ClickSegmenter, ClickState, ImageClick
from interact.interaction import Interaction
from interact.prompts import Click, Hint
from interact.seeds import hold_prompts, prompt_patch
from interact.windows import touching
from util.jobs import CancelToken
from util.types import ImageU8, Size

Region = NDArray[np.bool_]

KEPT_STATES = 8
"""At 1080p one takes some 8 MB, and the image 25 MB once."""


@dataclass(frozen=True)
class _Beginning:
    """What the first click was given on: the picture, and the object that was there."""

    picture: int
    base: bytes


class ClickPredictor:
    """A `MaskPredictor` for clicks; scribbles are for another one."""

    def __init__(self, segmenter: ClickSegmenter) -> None:
        self._segmenter = segmenter
        self._states: OrderedDict[tuple[_Beginning, tuple[Hint, ...]], ClickState] = OrderedDict()

    @property
    def name(self) -> str:
        return self._segmenter.name

    def predict(self, image: ImageU8, interaction: Interaction, token: CancelToken) -> Region:
        """See `MaskPredictor`. A mask that was there before the first click changes only around the clicks.

        Raises:
            ValueError: the prompts are scribbles.
        """
        if interaction.kind != "click":
            raise ValueError("a click network answers clicks only")
        base = np.asarray(interaction.base_mask == interaction.object_id, np.bool_)
        if not base.any() and not any(prompt.positive for prompt in interaction.prompts):
            return base
        state = self._advance(image, base, interaction.prompts, token)
        region = np.asarray(state.prob > 0.5, np.bool_)
        if base.any():
            clicked = _pixels(interaction.prompts, Size(*base.shape))
            changed = touching((region ^ base) | clicked, clicked)
            region = np.asarray(np.where(changed, region, base), np.bool_)
        return hold_prompts(region, interaction.prompts)

    def _advance(self, image: ImageU8, base: Region, prompts: tuple[Hint, ...], token: CancelToken) -> ClickState:
        """The state after all prompts, from the latest one that is kept."""
        beginning = _Beginning(zlib.crc32(np.ascontiguousarray(image).data), np.packbits(base).tobytes())
        done = next((n for n in range(len(prompts), -1, -1) if (beginning, prompts[:n]) in self._states), None)
        if done is None:
            done = 0
            self._keep((beginning, ()), self._start(image, base))
        state = self._states[beginning, prompts[:done]]
        for index in range(done, len(prompts)):
            state = self._segmenter.click(state, image_click(prompts[index], Size(*base.shape)), token)
            self._keep((beginning, prompts[: index + 1]), state)
        return state

    def _start(self, image: ImageU8, base: Region) -> ClickState:
        """The state before any click. A network that sees no mask is told of the object by a click in its middle."""
        if not base.any():
            return self._segmenter.start(image)
        implied = () if self._segmenter.takes_mask else (middle_of(base),)
        return self._segmenter.start(image, base, implied)

    def _keep(self, key: tuple[_Beginning, tuple[Hint, ...]], state: ClickState) -> None:
        self._states[key] = state
        self._states.move_to_end(key)
        while len(self._states) > KEPT_STATES:
            self._states.popitem(last=False)


def image_click(prompt: Hint, size: Size) -> ImageClick:
    """A click in image pixels, as click networks count: between the middles of the first and the last pixel."""
    assert isinstance(prompt, Click)
    row, column = min(max(prompt.y - 0.5, 0.0), size.height - 1.0), min(max(prompt.x - 0.5, 0.0), size.width - 1.0)
    return ImageClick(row, column, prompt.positive)


def middle_of(region: Region) -> ImageClick:
    """The pixel of a region, not empty, that is farthest from all outside it; the border of the image is outside."""
    padded = np.pad(region, 1).astype(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(depth)), region.shape)
    return ImageClick(float(row), float(column), True)


def _pixels(prompts: tuple[Hint, ...], size: Size) -> Region:
    """bool [H, W]: what the prompts are about."""
    pixels = np.zeros(size, np.bool_)
    for prompt in prompts:
        patch = prompt_patch(prompt, size)
        pixels[patch.rect.slices] |= patch.inside
    return pixels
