"""A brush drag in progress: a working copy of the mask, so that the stores change once, at its end."""
from __future__ import annotations

from interact.tool_base import PaintTo
from util.raster import Patch, segment
from util.types import IGNORE, IndexMask, Rect, Size

FAINTEST = 0.1
"""Share of the brush that a pen paints with which hardly presses."""


def paint(mask: IndexMask, patch: Patch, object_id: int, *, erase: bool, keeps_others: bool = False) -> None:
    """Change `mask` in place: painting takes over whatever lies there, erasing removes only this object's pixels.

    Args:
        keeps_others: painting, too, leaves the other objects' pixels alone.
    """
    view = mask[patch.rect.slices]
    inside = patch.inside
    if erase:
        inside = inside & (view == object_id)
    elif keeps_others:
        inside = inside & ((view == 0) | (view == IGNORE))
    view[inside] = 0 if erase else object_id


class Painter:
    """Holds the mask while the user drags. `mask` changes under the reader's hands: draw it, don't keep it."""

    def __init__(
        self,
        before: IndexMask,
        object_id: int,
        diameter: float,
        *,
        erase: bool,
        within: Rect | None = None,
        keeps_others: bool = False,
        uses_pressure: bool = True,
    ) -> None:
        """Args:
            diameter: in pixels, at full pressure.
            within: the only part that may change; None for all of it.
            keeps_others: see `paint`.
            uses_pressure: whether a pen that presses less paints a thinner line.
        """
        self.before = before
        self.object_id = object_id
        self.erase = erase
        self.mask = before.copy()
        self.dirty = Rect(0, 0, 0, 0)
        self._diameter = diameter
        self._within = within
        self._keeps_others = keeps_others
        self._uses_pressure = uses_pressure

    def move(self, stroke: PaintTo) -> Rect:
        """Returns the part that may have changed."""
        share = FAINTEST + (1 - FAINTEST) * stroke.pressure if self._uses_pressure else 1.0
        patch = segment(stroke.start, stroke.end, self._diameter * share, Size(*self.mask.shape)).within(self._within)
        if not patch.rect.is_empty:
            paint(self.mask, patch, self.object_id, erase=self.erase, keeps_others=self._keeps_others)
            self.dirty = self.dirty.union(patch.rect)
        return patch.rect
