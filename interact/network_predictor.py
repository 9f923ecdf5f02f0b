"""Clicks and scribbles answered by an interaction network (ours, S2M), which looks at a window around the object.

The first prompt is answered twice: on the whole frame, to know where the object is, and again on that part of it,
where the outline is seen sharply. A later prompt corrects the answer to the one before. A mask that came from elsewhere
(a propagation, a brush) is changed only where the change hangs together with the latest prompt, as the user pointed
nowhere else; the network's own answer it may rethink as a whole.
"""
from __future__ import annotations

import cv2
import numpy as np

from inference_core.api import CropSegmenter
from interact.edge_snap import snap
from interact.interaction import Interaction
from interact.seeds import INSIDE, OUTSIDE, hold_prompts, is_bare, prompt_patch
from interact.windows import Lens, Region, Window, touching
from util.jobs import CancelToken
from util.types import ImageU8, Size

WORTHWHILE_ZOOM = 1.25
"""A second look is taken where it shows the object so many times larger."""
SMOOTHING = 0.6
"""Of outlines that are snapped and enlarged, in pixels of the window."""


class NetworkPredictor:
    """A `MaskPredictor`. Stateless but for the network.

    Args:
        lens: how the network was trained to see.
        snaps: outlines are moved onto the edges beside them.
    """

    def __init__(self, segmenter: CropSegmenter, lens: Lens, *, snaps: bool = False) -> None:
        self._segmenter = segmenter
        self._lens = lens
        self._snaps = snaps

    def predict(self, image: ImageU8, interaction: Interaction, token: CancelToken) -> Region:
        """See `MaskPredictor`. Where the network finds nothing, the prompts' own pixels are all that is inside."""
        previous, prompts = interaction.previous, interaction.prompts
        token.check()
        if previous.any() and not is_bare(previous, prompts[:-1]):
            region = self._answer(Window.around(self._lens, image, prompts, previous), previous)
            if (interaction.base_mask == interaction.object_id).any():
                region = _only_there(region, previous, interaction)
        elif any(prompt.positive for prompt in prompts):
            whole = Window.whole(self._lens, image, prompts)
            region = self._answer(whole, previous)
            near = Window.around(self._lens, image, prompts, region)
            if near.scale >= WORTHWHILE_ZOOM * whole.scale:
                token.check()
                region = self._answer(near, previous)
        else:
            return previous
        return hold_prompts(region, prompts)

    def _answer(self, window: Window, previous: Region) -> Region:
        """bool [H, W]; outside the window it is `previous`."""
        seeds = window.seeds()
        inside, outside = (np.asarray(seeds == kind, np.bool_) for kind in (INSIDE, OUTSIDE))
        soft = self._segmenter.segment(window.image, window.shrink(previous), inside, outside)
        if self._snaps:
            snapped = snap(window.image, soft, seeds).astype(np.float32)
            soft = np.asarray(cv2.GaussianBlur(snapped, (0, 0), SMOOTHING), np.float32)
        size = (window.rect.x1 - window.rect.x0, window.rect.y1 - window.rect.y0)
        region = previous.copy()
        region[window.rect.slices] = np.asarray(cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)) > 0.5
        return region


def _only_there(region: Region, previous: Region, interaction: Interaction) -> Region:
    """`previous` with those connected changes that the latest prompt touches."""
    pixels = np.zeros_like(region)
    patch = prompt_patch(interaction.prompts[-1], Size(*region.shape))
    pixels[patch.rect.slices] = patch.inside
    return np.asarray(np.where(touching((region ^ previous) | pixels, pixels), region, previous), np.bool_)
