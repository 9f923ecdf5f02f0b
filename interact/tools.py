"""Tools: small state machines that turn pointer events into actions. They know neither masks nor objects."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from interact.events import Button, PointerEvent
from interact.prompts import Click, Point, Polygon, Stroke

ToolName = Literal["click", "scribble", "brush", "eraser", "polygon", "region"]


@dataclass(frozen=True)
class PaintTo:
    """Move the brush from `start` to `end`; the first one of a drag has both at the same place."""

    start: Point
    end: Point
    erase: bool


@dataclass(frozen=True)
class PaintEnd:
    """The drag is over. `keep`: false when it was cancelled."""

    keep: bool


@dataclass(frozen=True)
class RegionDrawn:
    """A rectangle was dragged between two of its corners."""

    start: Point
    end: Point


@dataclass(frozen=True)
class OutlineChanged:
    """Only the live outline moved."""


Action: TypeAlias = Click | Stroke | Polygon | PaintTo | PaintEnd | RegionDrawn | OutlineChanged


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


def _is_press(event: PointerEvent) -> bool:
    """A fast second press arrives as "double"; only the polygon means something else by it."""
    return event.kind in ("press", "double") and event.button != "none"


class _Drag:
    """The points of a press-move-release with one button."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.button: Button = "none"

    def press(self, event: PointerEvent) -> bool:
        """Whether this event starts the drag; a second button during one does not."""
        if self.points or not _is_press(event):
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

    def clear(self) -> None:
        self.points, self.button = [], "none"


class ClickTool:
    """Left: the pixel is in the object; right: it is not."""

    name: ToolName = "click"
    outline: Sequence[Point] = ()

    def handle(self, event: PointerEvent, settings: ToolSettings) -> Action | None:
        return Click(event.x, event.y, event.button == "left") if _is_press(event) else None

    def step_back(self) -> bool:
        return False

    def reset(self) -> None:
        """A click has no state."""


class ScribbleTool:
    """A line over the object (left) or over what does not belong to it (right)."""

    name: ToolName = "scribble"

    def __init__(self) -> None:
        self._drag = _Drag()

    @property
    def outline(self) -> Sequence[Point]:
        return tuple(self._drag.points)

    def handle(self, event: PointerEvent, settings: ToolSettings) -> Action | None:
        if self._drag.press(event):
            return OutlineChanged()
        if event.kind == "cancel" and self._drag.points:
            self._drag.clear()
            return OutlineChanged()
        moved = self._drag.move(event)
        if self._drag.ends_with(event):
            width = min(settings.brush_size, settings.snap_radius)
            stroke = Stroke(tuple(self._drag.points), self._drag.button == "left", width)
            self._drag.clear()
            return stroke
        return OutlineChanged() if moved else None

    def step_back(self) -> bool:
        return False

    def reset(self) -> None:
        self._drag.clear()


class BrushTool:
    """Paints (or, as the eraser and with the right button, erases) while it is dragged."""

    outline: Sequence[Point] = ()

    def __init__(self, name: Literal["brush", "eraser"]) -> None:
        self.name: ToolName = name
        self._drag = _Drag()

    def handle(self, event: PointerEvent, settings: ToolSettings) -> Action | None:
        erase = self.name == "eraser" or self._drag.button == "right"
        if self._drag.press(event):
            point = self._drag.points[0]
            return PaintTo(point, point, self.name == "eraser" or event.button == "right")
        if event.kind == "cancel" and self._drag.points:
            self._drag.clear()
            return PaintEnd(keep=False)
        if self._drag.ends_with(event):
            self._drag.clear()
            return PaintEnd(keep=True)
        if self._drag.move(event):
            start, end = self._drag.points
            self._drag.points = [end]
            return PaintTo(start, end, erase)
        return None

    def step_back(self) -> bool:
        return False

    def reset(self) -> None:
        self._drag.clear()


class PolygonTool:
    """Left adds a corner, a double click or a click on the first corner closes, right takes the last one back."""

    name: ToolName = "polygon"

    def __init__(self) -> None:
        self._corners: list[Point] = []
        self._pointer: Point | None = None

    @property
    def outline(self) -> Sequence[Point]:
        """The corners and, after them, where the pointer is."""
        if not self._corners or self._pointer is None:
            return tuple(self._corners)
        return (*self._corners, self._pointer)

    def handle(self, event: PointerEvent, settings: ToolSettings) -> Action | None:
        self._pointer = Point(event.x, event.y)
        if event.kind == "cancel":
            had = bool(self._corners)
            self.reset()
            return OutlineChanged() if had else None
        if event.kind in ("press", "double") and event.button == "right":
            return OutlineChanged() if self.step_back() else None
        if event.kind == "double":  # its first press has already set the last corner
            return self._close()
        if event.kind == "press" and event.button == "left":
            if len(self._corners) > 2 and math.dist(self._corners[0], self._pointer) <= settings.snap_radius:
                return self._close()
            self._corners.append(self._pointer)
            return OutlineChanged()
        return OutlineChanged() if event.kind == "move" and self._corners else None

    def _close(self) -> Action | None:
        if len(self._corners) < 3:
            return None
        outline = Polygon(tuple(self._corners))
        self.reset()
        return outline

    def step_back(self) -> bool:
        if not self._corners:
            return False
        self._corners.pop()
        return True

    def reset(self) -> None:
        self._corners, self._pointer = [], None


class RegionTool:
    """Drags a rectangle open."""

    name: ToolName = "region"

    def __init__(self) -> None:
        self._drag = _Drag()

    @property
    def outline(self) -> Sequence[Point]:
        """The rectangle's corners."""
        if not self._drag.points:
            return ()
        (x0, y0), (x1, y1) = self._drag.points[0], self._drag.points[-1]
        return Point(x0, y0), Point(x1, y0), Point(x1, y1), Point(x0, y1)

    def handle(self, event: PointerEvent, settings: ToolSettings) -> Action | None:
        if self._drag.press(event):
            return OutlineChanged()
        if event.kind == "cancel" and self._drag.points:
            self._drag.clear()
            return OutlineChanged()
        moved = self._drag.move(event)
        if self._drag.ends_with(event):
            drawn = RegionDrawn(self._drag.points[0], self._drag.points[-1])
            self._drag.clear()
            return drawn
        return OutlineChanged() if moved else None

    def step_back(self) -> bool:
        return False

    def reset(self) -> None:
        self._drag.clear()


def make_tools() -> dict[ToolName, Tool]:
    """One of each, in the order of the tool panel."""
    tools: list[Tool] = [
        ClickTool(), ScribbleTool(), BrushTool("brush"), BrushTool("eraser"), PolygonTool(), RegionTool(),
    ]  # fmt: skip
    return {tool.name: tool for tool in tools}
