"""Moves a network's outline onto the edge in the picture beside it.

A small network knows what is meant but draws its outline loosely. GrabCut (Rother, Kolmogorov, Blake, SIGGRAPH 2004)
knows nothing but colours and edges. Here it decides in a band around the outline only, with what lies safely inside and
outside as its two colour models; what is beyond the band stays the network's.

A user waits for the answer, so the cut is kept small. The colour models are learned from a sample of the pixels, only
the rectangle that the band reaches is cut, and a wide band is cut at half the size first, which leaves a narrow one.
"""
from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from interact.seeds import INSIDE, OUTSIDE
from util.types import ImageU8

BAND = 0.12
"""Reach of the band on either side of the outline, as a part of the square root of the object's area."""
MIN_BAND = 2
SURE = 0.9
"""What the network is so sure of, inside or outside, is not asked about."""
SAMPLES = 1000
"""Pixels of each side that its colours are learned from."""
COLOR_WEIGHT = 2.0
"""Of a pixel's colour against the length of the outline, where GrabCut as published has 1."""
MAX_UNDECIDED = 8000
"""Pixels that are cut at full size; of more it is half the size first. Some 20 ms."""
NARROW = 2
"""Reach of the band on either side of the outline that was found at half the size."""
_NOISE = 0.01
"""Variance that every colour has at least, as OpenCV has it."""
_SMALLEST = -700.0
"""The logarithm from which on exp gives 0, nearly."""
_NO_BOX = (0, 0, 0, 0)
_COMPONENTS = 5
_NUMBERS = 13 * _COMPONENTS
"""Of one of OpenCV's colour models: a weight, a mean of 3 and a covariance of 3x3 per component, in this order."""

Labels = NDArray[np.uint8]
"""OpenCV's, [h, w]: surely or probably inside or outside. The odd ones are inside, those from 2 on are undecided."""


class _Colors(NamedTuple):
    """Models of what is outside and inside, each float64 [1, 65] as OpenCV wants it."""

    outside: NDArray[np.float64]
    inside: NDArray[np.float64]

    def weighted(self, weight: float) -> _Colors:
        return _Colors(_weighted(self.outside, weight), _weighted(self.inside, weight))


def snap(image: ImageU8, soft: NDArray[np.float32], seeds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The object with its outline on the edges nearby.

    Args:
        image: uint8 [h, w, 3].
        soft: float32 [h, w], how likely each pixel is the object's, as the network sees it.
        seeds: uint8 [h, w], what prompts say for sure (`interact.seeds.seed_map`).

    Returns:
        bool [h, w]. An object that is too small or too large to have an inside and an outside stays as it is.
    """
    region = np.asarray(soft > 0.5, np.bool_)
    labels = _band_labels(region, soft, seeds)
    if labels is None:
        return region
    colors = _learn(image, labels)
    if np.count_nonzero(labels >= cv2.GC_PR_BGD) > MAX_UNDECIDED:
        labels = _narrowed(image, labels, colors)
    return _is_inside(_cut(image, labels, colors.weighted(COLOR_WEIGHT)))


def _band_labels(region: NDArray[np.bool_], soft: NDArray[np.float32], seeds: NDArray[np.uint8]) -> Labels | None:
    """What is undecided, and for the rest what it is; None where there is no inside or no outside."""
    reach = max(MIN_BAND, round(BAND * float(np.sqrt(np.count_nonzero(region)))))
    core, reached = _core_and_reach(region, reach)
    if not core.any() or reached.all():
        return None
    labels = np.where(region, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[core | (soft > SURE)], labels[~reached | (soft < 1 - SURE)] = cv2.GC_FGD, cv2.GC_BGD
    labels[seeds == INSIDE], labels[seeds == OUTSIDE] = cv2.GC_FGD, cv2.GC_BGD
    # Prompts may cover all that there was of one side.
    num_inside = np.count_nonzero(_is_inside(labels))
    return labels if _COMPONENTS <= num_inside <= labels.size - _COMPONENTS else None


def _core_and_reach(region: NDArray[np.bool_], reach: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The region less, and with, what is within `reach` pixels of its outline."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    pixels = region.astype(np.uint8)
    # The border of the picture is no outline.
    core = cv2.erode(pixels, disc, borderType=cv2.BORDER_REPLICATE) > 0
    return np.asarray(core, np.bool_), np.asarray(cv2.dilate(pixels, disc) > 0, np.bool_)


def _is_inside(labels: Labels) -> NDArray[np.bool_]:
    return np.asarray(labels & 1 == 1, np.bool_)


def _learn(image: ImageU8, labels: Labels) -> _Colors:
    """The colours on both sides, from pixels at equal distances in row order: a picture of one row, whose cut counts
    for nothing."""
    inside = _is_inside(labels).ravel()
    picked = np.concatenate([_spread(np.flatnonzero(side)) for side in (inside, ~inside)])
    colors = _Colors(np.zeros((1, _NUMBERS)), np.zeros((1, _NUMBERS)))
    cv2.setRNGSeed(0)
    row, row_labels = image.reshape(-1, 3)[picked][None], labels.ravel()[picked][None]
    cv2.grabCut(row, row_labels, _NO_BOX, colors.outside, colors.inside, 1, cv2.GC_INIT_WITH_MASK)
    return colors


def _spread(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most `SAMPLES` of them."""
    if len(places) <= SAMPLES:
        return places
    return np.asarray(places[np.linspace(0, len(places) - 1, SAMPLES).astype(np.intp)], np.intp)


def _weighted(model: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """A model whose -log is `weight` times that of `model`, to the extent that one component explains a colour.

    OpenCV fixes what an outline costs, so what a colour costs is changed instead: the power of a Gaussian is one again,
    with a smaller covariance, and what that changes of its height goes into the component's weight.
    """
    changed = model.copy()
    shares, covariances = changed[0, :_COMPONENTS], changed[0, 4 * _COMPONENTS :].reshape(_COMPONENTS, 3, 3)
    used = shares > 0
    covariances[used] += _NOISE * np.eye(3)
    volume = np.sqrt(np.linalg.det(covariances[used]))
    covariances[used] /= weight
    shares[used] = (shares[used] / volume) ** weight * (volume / weight**1.5)
    return changed


def _knows(model: NDArray[np.float64], pixels: NDArray[np.float32]) -> NDArray[np.bool_]:
    """bool [N]: which of the colours, [N, 3], a model gives a probability that is not rounded to 0."""
    shares, means = model[0, :_COMPONENTS], model[0, _COMPONENTS : 4 * _COMPONENTS].reshape(_COMPONENTS, 3)
    covariances = model[0, 4 * _COMPONENTS :].reshape(_COMPONENTS, 3, 3)
    used = shares > 0
    spreads = np.linalg.cholesky(covariances[used])
    heights = np.log(shares[used]) - np.log(np.diagonal(spreads, axis1=1, axis2=2)).sum(axis=1)
    # All components in one product: whitened, a colour is as far from a mean as it is unlikely.
    whiten = np.linalg.inv(spreads)
    centres = np.einsum("kij,kj->ki", whiten, means[used])
    away = pixels @ whiten.reshape(-1, 3).T.astype(np.float32) - centres.ravel().astype(np.float32)
    distance = np.square(away).reshape(len(pixels), -1, 3).sum(axis=2)
    return np.asarray((heights - 0.5 * distance > _SMALLEST).any(axis=1), np.bool_)


def _narrowed(image: ImageU8, labels: Labels, colors: _Colors) -> Labels:
    """With nothing undecided but a narrow band around the outline that is found at half the size.

    There an outline is half as long but a quarter of the pixels speak, so that they have to be heard twice as much.
    """
    height, width = labels.shape
    half = (max(1, width // 2), max(1, height // 2))
    small = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)
    small_labels = np.asarray(cv2.resize(labels, half, interpolation=cv2.INTER_NEAREST), np.uint8)
    coarse = _is_inside(_cut(small, small_labels, colors.weighted(2 * COLOR_WEIGHT))).astype(np.float32)
    found = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5, np.bool_)
    core, reached = _core_and_reach(found, NARROW)
    probable = np.where(found, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    decided = np.where(found, cv2.GC_FGD, cv2.GC_BGD)
    answer = np.where(reached & ~core, probable, decided)
    return np.asarray(np.where(labels >= cv2.GC_PR_BGD, answer, labels), np.uint8)


def _cut(image: ImageU8, labels: Labels, colors: _Colors) -> Labels:
    """What is undecided, decided; only the rectangle around it is looked at."""
    undecided = labels >= cv2.GC_PR_BGD
    ys, xs = np.flatnonzero(undecided.any(axis=1)), np.flatnonzero(undecided.any(axis=0))
    if not len(ys):
        return labels
    # One pixel more, so that every undecided one has its neighbours.
    part = slice(max(int(ys[0]) - 1, 0), int(ys[-1]) + 2), slice(max(int(xs[0]) - 1, 0), int(xs[-1]) + 2)
    seen, cut = np.ascontiguousarray(image[part]), np.ascontiguousarray(labels[part])
    asked = cut >= cv2.GC_PR_BGD
    pixels = seen[asked].astype(np.float32)
    # OpenCV cannot divide nothing by nothing: a pixel that is like neither side stays what it is.
    cut[asked] -= np.where(_knows(colors.outside, pixels) | _knows(colors.inside, pixels), 0, 2).astype(np.uint8)
    cv2.grabCut(seen, cut, _NO_BOX, colors.outside, colors.inside, 1, cv2.GC_EVAL_FREEZE_MODEL)
    result = labels.copy()
    result[part] = cut
    return result
