"""f-BRS and RITM, click by click. Everything a click depends on is in the state before it, so undoing runs nothing."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference_core.api import ClickState, ImageClick
from inference_core.click.brs import FeatureKnobs, InputKnobs, Knobs, Objective, Vector, refine
from inference_core.click.points import point_rows, squares
from inference_core.click.settings import ClickSettings
from inference_core.click.zoom import Region, View, choose_region, flip, flip_clicks, paste
from inference_core.device import ComputeDevice
from model.click.parts import Cut, Place, resize, size_of
from model.click.variants import ClickNet
from model.encoders import IMAGENET_MEAN, IMAGENET_STD
from util.jobs import CancelToken
from util.types import ImageU8, Size

_PLACES: dict[str, Place] = {"f-BRS-A": "A", "f-BRS-B": "B", "f-BRS-C": "C"}


@dataclass(frozen=True, eq=False)
class ClicksSoFar:
    """A `ClickState`: an image and what the clicks on it have led to.

    Args:
        image: float32 [1, 3, H, W], normalised.
        found: float32 [1, 1, H, W] probability of the object; the mask at the beginning if one was given.
        region: what the network last looked at; None for the whole frame.
        solution: the last change that BRS has found.
        was_limited: the frame was too large to be looked at as it is.
        evaluations: how often the optimisation ran the network at the last click.
    """

    image: Tensor
    clicks: tuple[ImageClick, ...] = ()
    found: Tensor | None = None
    region: Region | None = None
    solution: Vector | None = None
    was_limited: bool = False
    evaluations: int = 0

    @property
    def prob(self) -> NDArray[np.float32]:
        if self.found is None:
            return np.zeros(size_of(self.image), np.float32)
        return np.asarray(self.found[0, 0].cpu().numpy(), np.float32)


class _Seen(NamedTuple):
    """What the network is shown: an image and its mirror image."""

    image: Tensor
    """float32 [2, 3, h, w]."""
    previous: Tensor
    """float32 [2, 1, h, w]."""
    clicks: tuple[list[ImageClick], list[ImageClick]]

    @property
    def size(self) -> Size:
        return size_of(self.image)


class _Encoded(NamedTuple):
    """Features of the last long interaction, which further clicks do not change."""

    image: Tensor
    region: Region | None
    clicks: tuple[ImageClick, ...]
    cut: Cut


class NetworkClickSegmenter:
    """A `ClickSegmenter` around one network, or around one for each of the first clicks.

    Args:
        networks: on the device, in eval mode; the last one answers all further clicks.
    """

    def __init__(
        self, name: str, networks: Sequence[ClickNet], settings: ClickSettings, compute: ComputeDevice
    ) -> None:
        self.name = name
        self._networks = tuple(networks)
        self._settings = settings
        self._compute = compute
        self._encoded: _Encoded | None = None

    @property
    def takes_mask(self) -> bool:
        return self._networks[0].coding.with_previous

    def start(
        self, image: ImageU8, mask: NDArray[np.bool_] | None = None, clicks: Sequence[ImageClick] = ()
    ) -> ClicksSoFar:
        device = self._compute.device
        pixels = torch.tensor(image).to(device).permute(2, 0, 1).float() / 255
        mean, std = (torch.tensor(values, device=device)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
        found = None if mask is None or not mask.any() else torch.tensor(mask).to(device)[None, None].float()
        return ClicksSoFar(((pixels - mean) / std)[None], tuple(clicks), found)

    def click(self, state: ClickState, click: ImageClick, token: CancelToken) -> ClicksSoFar:
        assert isinstance(state, ClicksSoFar)
        token.check()
        clicks = (*state.clicks, click)
        size = size_of(state.image)
        region = choose_region(state.found, clicks, state.region, size, self._settings.zoom)
        stored = state.region if region is None and self._settings.is_exact else region
        with torch.no_grad():
            seen, limited = self._look(state, clicks, region)
            is_new = limited or region != state.region
            after = replace(state, clicks=clicks, region=stored, was_limited=state.was_limited or limited)
            logits, after = self._answer(seen, after, region, token, is_new=is_new)
            prob = (0.5 * (logits[:1] + flip(logits[1:]))).sigmoid()
            if limited or (self._settings.is_exact and state.was_limited):
                prob = resize(prob, size)
            return replace(after, found=prob if stored is None else paste(prob, stored, size))

    def _look(
        self, state: ClicksSoFar, clicks: Sequence[ImageClick], region: Region | None
    ) -> tuple[_Seen, bool]:
        """What the network is shown, and whether the frame had to be shrunk for it."""
        zoom = self._settings.zoom
        previous = torch.zeros_like(state.image[:, :1]) if state.found is None else state.found
        image, placed, limited = torch.cat([state.image, previous], 1), list(clicks), False
        if region is not None:
            view = View.of(region, zoom.side)
            image, placed = view.show(image), [view.place(click) for click in placed]
        if max(size_of(image)) > zoom.longest_side:
            view = View.of(Region.full(size_of(image)), zoom.longest_side)
            image, placed, limited = view.show(image), [view.place(click) for click in placed], True
        both = torch.cat([image, flip(image)])
        return _Seen(both[:, :3], both[:, 3:], (placed, flip_clicks(placed, size_of(both)))), limited

    def _answer(
        self, seen: _Seen, state: ClicksSoFar, region: Region | None, token: CancelToken, *, is_new: bool
    ) -> tuple[Tensor, ClicksSoFar]:
        """Logits [2, 1, h, w], and the state with what the optimisation has found."""
        network = self._networks[min(len(state.clicks), len(self._networks)) - 1]
        if self._settings.mode == "NoBRS":
            with self._compute.autocast():
                return network(seen.image, self._planes(network, seen)).float(), replace(state, solution=None)
        brs = self._settings.brs
        knobs = self._knobs(network, seen, state, region)
        start = state.solution
        # Features keep their channels wherever the network looks; pixels of an earlier view mean nothing in this one.
        if start is None or len(start) != knobs.count or (is_new and isinstance(knobs, InputKnobs)):
            start = np.zeros(knobs.count, np.float32)
        if len(state.clicks) <= brs.after_clicks:
            token.check()
            logits = knobs.logits(torch.from_numpy(start).to(seen.image.device, torch.float32))
            return logits, replace(state, solution=start, evaluations=0)
        positive, negative = squares(
            seen.clicks, seen.size, seen.image.device, is_exact=self._settings.is_exact
        )
        objective = Objective(knobs, positive, negative, brs, token.check)
        solution = refine(objective, start, brs.max_evaluations)
        assert objective.best is not None, "the objective was never evaluated"
        return objective.best, replace(state, solution=solution, evaluations=objective.evaluations)

    def _knobs(self, network: ClickNet, seen: _Seen, state: ClicksSoFar, region: Region | None) -> Knobs:
        brs, mode = self._settings.brs, self._settings.mode
        if mode in ("RGB-BRS", "DistMap-BRS"):
            planes = self._planes(network, seen)
            return InputKnobs(network, seen.image, planes, brs, changes_image=mode == "RGB-BRS")
        place: Place = _PLACES[mode] if _PLACES[mode] in network.places else "A"
        return FeatureKnobs(network, self._encode(network, seen, state, region, place), place, seen.size, brs)

    def _encode(
        self, network: ClickNet, seen: _Seen, state: ClicksSoFar, region: Region | None, place: Place
    ) -> Cut:
        """The features, kept where further clicks find them unchanged: the network sees only the first clicks."""
        limit = self._settings.clicks_seen
        first, last = state.clicks[:limit], self._encoded
        if last is not None and last.image is state.image and (last.region, last.clicks) == (region, first):
            return last.cut
        cut = network.encode(seen.image, self._planes(network, seen), place)
        if len(first) == limit and not network.coding.with_previous:
            self._encoded = _Encoded(state.image, region, first, cut)
        return cut

    def _planes(self, network: ClickNet, seen: _Seen) -> Tensor:
        points = point_rows(seen.clicks, self._settings.clicks_seen, seen.image.device)
        planes = network.coding.planes(points, seen.size)
        return torch.cat([seen.previous, planes], 1) if network.coding.with_previous else planes
