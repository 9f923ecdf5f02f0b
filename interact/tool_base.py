"""What tools are made of: the actions they lead to, their common face, and a drag."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from interact.events import Button, PointerEvent
from interact.prompts import Box, Click, Point, Polygon, Stroke

ToolName = Literal["click", "scribble", "box", "brush", "eraser", "polygon", "lasso", "fill", "region"]


@dataclass(frozen=True)
class PaintTo:
    """Move the brush from `start` to `end`; the first one of a drag has both at the same place.

    Args: pressure: of a pen, 0..1.
    """

    start: Point
    end: Point
    erase: bool
    pressure: float = 1.0


@dataclass(frozen=True)
class PaintEnd:
    """The drag is over. `keep`: false when it was cancelled."""

    keep: bool


@dataclass(frozen=True)
class Fill:
    """Take (or, to erase, give up) the connected area of one object, or of none, that this pixel belongs to."""

    at: Point
    erase: bool


@dataclass(frozen=True)
class RegionDrawn:
    """A rectangle was dragged between two of its corners."""

    start: Point
    end: Point


@dataclass(frozen=True)
class OutlineChanged:
    """Only the live outline moved."""


Action: TypeAlias = Click | Stroke | Box | Polygon | Fill | PaintTo | PaintEnd | RegionDrawn | OutlineChanged


@dataclass(frozen=True)
class ToolSettings:
    """Args: brush_size: diameter in image pixels. snap_radius: how far, in image pixels, counts as "on" a point."""

    brush_size: float
    snap_radius: float


class Tool(Protocol):
    """`handle` answers an event with at most one action."""

    @property
    def name(self) -> ToolName: ...
    @property
    def outline(self) -> Sequence[Point]:
        """The line being drawn, empty when there is none."""

    def handle(self, event: PointerEvent, settings: ToolSettings) -> Action | None: ...
    def step_back(self) -> bool:
        """Take back the last point of the line being drawn; false when there is none to take back."""

    def reset(self) -> None:
        """Forget the line being drawn."""


def is_press(event: PointerEvent) -> bool:
    """A fast second press arrives as "double"; only the polygon means something else by it."""
    return event.kind in ("press", "double") and event.button != "none"


class Drag:
    """The points of a press-move-release with one button."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.button: Button = "none"

    def press(self, event: PointerEvent) -> bool:
        """Whether this event starts the drag; a second button during one does not."""
        if self.points or not is_press(event):
            return False
        self.points, self.button = [Point(event.x, event.y)], event.button
        return True

    def move(self, event: PointerEvent) -> bool:
        point = Point(event.x, event.y)
        if event.kind not in ("move", "release") or not self.points or point == self.points[-1]:
            return False
        self.points.append(point)
        return True

    def ends_with(self, event: PointerEvent) -> bool:
        return event.kind == "release" and bool(self.points) and event.button == self.button

    def follow(self, event: PointerEvent) -> tuple[OutlineChanged | None, tuple[Point, ...]]:
        """For tools that act at the end of a drag: whether the line changed, and all its points once it is ended."""
        if self.press(event):
            return OutlineChanged(), ()
        if event.kind == "cancel" and self.points:
            self.clear()
            return OutlineChanged(), ()
        moved = self.move(event)
        if self.ends_with(event):
            points = tuple(self.points)
            self.clear()
            return None, points
        return (OutlineChanged() if moved else None), ()

    def clear(self) -> None:
        self.points, self.button = [], "none"
