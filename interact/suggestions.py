"""Objects that a network suggests: from proposals to one mask, or to a list from which the user accepts some.

GUI thread, except the functions, which are pure.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.api import Proposal
from interact.commands import MarkChange, ObjectsChange, Scene, Step
from interact.object_plans import edit_pixels
from interact.objects import SceneObject
from util.observer import Signal
from util.types import IndexMask, Size

Region = NDArray[np.bool_]
"""bool [H, W]"""

INSIDE = 0.5
"""A pixel belongs to a proposal above this probability."""
MIN_SHARE = 0.001
"""Of the frame: what is smaller is left out. Published with RVOS as the smallest object worth showing."""
SAME = 0.5
"""Overlap (intersection over union) above which two proposals are the same object seen twice."""
KNOWN = 0.5
"""Share of a proposal in the pixels of other objects from which on it is one of them, or a part of it."""
_TOLERANCE = 0.7
"""Pixels that an outline on the screen may be off the region."""


def merged(proposals: Sequence[Proposal], size: Size) -> IndexMask:
    """uint8 [H, W]: at every pixel the number of the likeliest proposal that has it, the first of equals."""
    mask = np.zeros(size, np.uint8)
    best = np.full(size, INSIDE, np.float32)
    for proposal in proposals:
        mask[proposal.prob > best] = proposal.number
        np.maximum(best, proposal.prob, out=best)
    return mask


@dataclass(frozen=True)
class Suggestion:
    """One proposal as the user sees it.

    Args:
        number: of the proposal.
        region: its pixels, without those that objects have already.
        score: how sure the network is, 0.5..1.
        name: of the object that it becomes; empty for the usual name.
    """

    number: int
    region: Region
    score: float
    name: str = ""


def worth_showing(proposals: Sequence[Proposal], mask: IndexMask) -> tuple[Suggestion, ...]:
    """The proposals that may be new objects, the surest first: neither tiny, nor seen twice, nor in `mask` already."""
    found: list[Suggestion] = []
    whole: list[Region] = []
    for proposal in sorted(proposals, key=lambda one: one.score, reverse=True):
        region = proposal.prob > INSIDE
        free = region & (mask == 0)
        if free.sum() < max(MIN_SHARE * region.size, (1 - KNOWN) * region.sum()):
            continue
        if any((region & other).sum() > SAME * (region | other).sum() for other in whole):
            continue
        whole.append(region)
        found.append(Suggestion(proposal.number, free, proposal.score))
    return tuple(found)


def outlines(region: Region) -> list[tuple[tuple[float, float], ...]]:
    """The closed outlines of a region, those of its holes too: (x, y) in image pixels."""
    found, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    smooth = (cv2.approxPolyDP(contour, _TOLERANCE, True)[:, 0] for contour in found)
    return [tuple((float(x) + 0.5, float(y) + 0.5) for x, y in contour) for contour in smooth]


def acceptance(scene: Scene, frame: int, item: SceneObject, region: Region) -> Step:
    """A new object with the pixels of a region, which no object has, fixed on this frame."""
    objects, keys = scene.objects, scene.key_frames.on(frame)
    after = np.where(region, np.uint8(item.object_id), scene.masks.get(frame))
    changes = (
        ObjectsChange(objects.items, (*objects.items, item), objects.selected, item.object_id),
        *edit_pixels(scene, frame, after),
        MarkChange("key", {frame: keys}, {frame: keys | {item.object_id}}),
    )
    return Step(f"accept {item.name}", frame, changes)


class SuggestionList:
    """What is suggested on one frame and neither accepted nor dropped yet; `frame` is None where nothing is."""

    def __init__(self) -> None:
        self.changed: Signal[[]] = Signal()
        self.frame: int | None = None
        self.items: tuple[Suggestion, ...] = ()
        self.selected: int | None = None
        """Number of the suggestion that the user looks at."""

    def show(self, frame: int, items: Sequence[Suggestion]) -> None:
        """Replace everything."""
        self._set(frame, tuple(items))

    def clear(self) -> None:
        self._set(None, ())

    def find(self, number: int) -> Suggestion:
        """Raises KeyError for an unknown number."""
        for item in self.items:
            if item.number == number:
                return item
        raise KeyError(number)

    def select(self, number: int | None) -> None:
        """Raises KeyError for an unknown number."""
        if number is not None:
            self.find(number)
        if number != self.selected:
            self.selected = number
            self.changed.emit()

    def rename(self, number: int, name: str) -> None:
        """Raises KeyError for an unknown number."""
        renamed = replace(self.find(number), name=name.strip())
        self.items = tuple(renamed if item.number == number else item for item in self.items)
        self.changed.emit()

    def drop(self, number: int) -> None:
        """Raises KeyError for an unknown number."""
        gone = self.find(number)
        rest = tuple(item for item in self.items if item is not gone)
        self._set(self.frame if rest else None, rest)

    def _set(self, frame: int | None, items: tuple[Suggestion, ...]) -> None:
        numbers = [item.number for item in items]
        self.frame, self.items = frame if items else None, items
        if self.selected not in numbers:
            self.selected = numbers[0] if numbers else None
        self.changed.emit()
