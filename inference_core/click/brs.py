"""Back-propagating refinement: change something before the network's end until the answer agrees with the clicks.

BRS changes the planes of the clicks (Jang, Kim, CVPR 2019), RGB-BRS the image, f-BRS a scale and a bias per channel of
inner features, so that only the network's end is run again (Sofiiuk et al., CVPR 2020). L-BFGS finds the change.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import fmin_l_bfgs_b
from torch import Tensor

from inference_core.click.settings import BrsSettings
from inference_core.click.zoom import flip
from model.click.parts import Cut, Place, resize
from model.click.variants import ClickNet
from util.types import Size

Vector = NDArray[np.floating]

_EPSILON = 1e-5
_CORRECTIONS = 20
"""Steps that L-BFGS remembers."""


class Knobs(Protocol):
    """What may be changed. Batches are an image and its mirror image."""

    count: int

    def logits(self, vector: Tensor) -> Tensor:
        """[2, 1, H, W] of the network with this change, float32 [count]."""

    def penalty(self, vector: Tensor) -> Tensor:
        """How much of a change it is."""


class FeatureKnobs:
    """Scale and bias per channel of the features at a cut (f-BRS)."""

    def __init__(self, network: ClickNet, cut: Cut, place: Place, size: Size, settings: BrsSettings) -> None:
        self.count = 2 * cut.features.shape[1]
        self._network, self._cut, self._place = network, cut, place
        self._size, self._settings = size, settings

    def logits(self, vector: Tensor) -> Tensor:
        scale, bias = vector.view(2, 1, -1, 1, 1)
        features = self._cut.features * (1 + scale) + bias
        return resize(self._network.decode(Cut(features, self._cut.rest), self._place), self._size)

    def penalty(self, vector: Tensor) -> Tensor:
        scale, bias = vector.view(2, -1)
        return self._settings.weight * (scale.square().sum() + self._settings.bias_weight * bias.square().sum())


class InputKnobs:
    """A change of every pixel of the image (RGB-BRS) or of the planes of the clicks (DistMap-BRS)."""

    def __init__(
        self, network: ClickNet, image: Tensor, planes: Tensor, settings: BrsSettings, *, changes_image: bool
    ) -> None:
        self._network, self._image, self._planes, self._settings = network, image, planes, settings
        self._changes_image = changes_image
        self._shape = (1, *(image if changes_image else planes).shape[1:])
        self.count = int(np.prod(self._shape))

    def _change(self, vector: Tensor) -> Tensor:
        change = vector.view(self._shape)
        return torch.cat([change, flip(change)])

    def logits(self, vector: Tensor) -> Tensor:
        change = self._change(vector)
        if self._changes_image:
            return self._network(self._image + change, self._planes)
        return self._network(self._image, self._planes + change)

    def penalty(self, vector: Tensor) -> Tensor:
        return self._settings.weight * self._change(vector).square().sum()


class Objective:
    """What L-BFGS minimises; remembers the best answer on the way. A gradient of zeros makes L-BFGS stop.

    Args:
        positive, negative: float32 [2, 1, H, W], pixels that must be inside and outside.
        check: called before the network runs; raises to cancel.
    """

    def __init__(
        self, knobs: Knobs, positive: Tensor, negative: Tensor, settings: BrsSettings, check: Callable[[], None]
    ) -> None:
        self.best: Tensor | None = None
        self.evaluations = 0
        self._lowest = float("inf")
        self._previous: Tensor | None = None
        self._knobs, self._positive, self._negative = knobs, positive, negative
        self._settings, self._check = settings, check

    def __call__(self, x: Vector) -> tuple[float, NDArray[np.float64]]:
        self._check()
        self.evaluations += 1
        vector = torch.from_numpy(x).to(self._positive.device, torch.float32).requires_grad_()
        with torch.enable_grad():
            logits = self._knobs.logits(vector)
            prob = logits.sigmoid()
            missed, spilt = (1 - prob) * self._positive, prob * self._negative
            loss = _mean_square(missed, self._positive) + _mean_square(spilt, self._negative)
            loss = loss + self._knobs.penalty(vector)
        value = float(loss.detach())
        if value < self._lowest:
            self.best, self._lowest = logits.detach(), value
        if self._is_enough(prob.detach(), float(missed.detach().amax()), float(spilt.detach().amax())):
            return value, np.zeros(len(x))
        (gradient,) = torch.autograd.grad(loss, vector)
        return value, gradient.cpu().numpy().astype(np.float64)

    def _is_enough(self, prob: Tensor, missed: float, spilt: float) -> bool:
        """All clicks are obeyed, or the mask has stopped changing."""
        limit = self._settings.threshold
        if missed < 1 - limit and spilt < limit:
            return True
        mask, previous = prob > limit, self._previous
        if previous is not None:
            union, common = ((part.flatten(1).sum(1)) for part in (mask | previous, mask & previous))
            shown = union > 0
            if bool(shown.any()) and float((common / union)[shown].mean()) > 1 - self._settings.min_change:
                return True
        self._previous = mask
        return False


def _mean_square(error: Tensor, where: Tensor) -> Tensor:
    return error.square().sum() / (where.sum() + _EPSILON)


def refine(objective: Objective, start: Vector, max_evaluations: int) -> Vector:
    """Minimise from `start`; the best answer is then in the objective.

    Returns:
        The last change, from which the next click starts.
    """
    solution, _, _ = fmin_l_bfgs_b(
        objective, start, m=_CORRECTIONS, factr=0, pgtol=1e-8, maxfun=max_evaluations, maxiter=2 * max_evaluations
    )
    return np.asarray(solution)
