"""Clicks and scribbles answered by an interaction network (ours, S2M), which looks at a window around the object.

The first prompt is answered twice: on the whole frame, to know where the object is, and again on that part of it,
where the outline is seen sharply; only the answer that is given is moved onto edges. A later prompt corrects the answer
to the one before. A mask that came from elsewhere (a propagation, a brush) is changed only where the change hangs
together with the latest prompt, as the user pointed nowhere else; the network's own answer it may rethink as a whole.
"""
from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.api import CropSegmenter
from interact.edge_snap import snap
from interact.interaction import Interaction
from interact.prompts import Click
from interact.seeds import INSIDE, OUTSIDE, hold_prompts, is_bare, prompt_patch
from interact.windows import Lens, Region, Window, touching
from util.jobs import CancelToken
from util.types import ImageU8, Size

WORTHWHILE_ZOOM = 1.25
"""A second look is taken where it shows the object so many times larger."""
SMOOTHING = 0.6
"""Of outlines that are snapped and enlarged, in pixels of the window."""
_USUAL = Size(480, 854)
"""Of a frame to warm up with."""


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
            coarse = self._look(whole, previous)
            near = Window.around(self._lens, image, prompts, _pasted(whole, coarse, previous))
            if near.scale >= WORTHWHILE_ZOOM * whole.scale:
                token.check()
                region = self._answer(near, previous)
            else:
                region = self._finished(whole, coarse, previous)
        else:
            return previous
        return hold_prompts(region, prompts)

    def warm_up(self) -> None:
        """Have what a first call sets up (memory, the network's kernels for a size) set up while no user waits."""
        image = np.full((*_USUAL, 3), 64, np.uint8)
        blank, disc = np.zeros(_USUAL, np.uint8), np.zeros(_USUAL, np.uint8)
        x, y = _USUAL.width // 2, _USUAL.height // 2
        for picture, value in ((image, (160, 160, 160)), (disc, 1)):
            cv2.circle(picture, (x, y), _USUAL.height // 5, value, -1)
        first = Interaction.start(0, 1, Click(x, y, True), blank)
        for interaction in (first, first.add(Click(x + 1, y, True), disc)):
            self.predict(image, interaction, CancelToken())

    def _answer(self, window: Window, previous: Region) -> Region:
        """bool [H, W]; outside the window it is `previous`."""
        return self._finished(window, self._look(window, previous), previous)

    def _look(self, window: Window, previous: Region) -> NDArray[np.float32]:
        """float32 [h, w]: the network's answer in the window."""
        seeds = window.seeds()
        inside, outside = (np.asarray(seeds == kind, np.bool_) for kind in (INSIDE, OUTSIDE))
        return self._segmenter.segment(window.image, window.shrink(previous), inside, outside)

    def _finished(self, window: Window, soft: NDArray[np.float32], previous: Region) -> Region:
        """An answer as the user gets it, bool [H, W]."""
        if self._snaps:
            snapped = snap(window.image, soft, window.seeds()).astype(np.float32)
            soft = np.asarray(cv2.GaussianBlur(snapped, (0, 0), SMOOTHING), np.float32)
        return _pasted(window, soft, previous)


def _pasted(window: Window, soft: NDArray[np.float32], previous: Region) -> Region:
    """bool [H, W]: `soft` [h, w] in the place of the window, `previous` around it."""
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
