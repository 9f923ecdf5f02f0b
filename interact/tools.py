"""Tools: small state machines that turn pointer events into actions. They know neither masks nor objects."""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from interact.events import Button, PointerEvent
from interact.prompts import Box, Click, Point, Polygon, Stroke
from interact.tool_base import (
    Action,
    Drag,
    Fill,
    OutlineChanged,
    PaintEnd,
    PaintTo,
    RegionDrawn,
    Tool,
    ToolName,
    ToolSettings,
    is_press,
)


class _PressTool:
    """Acts with every press and remembers nothing."""

    outline: Sequence[Point] = ()

    def step_back(self) -> bool:
        return False

    def reset(self) -> None:
        """There is no state."""


class _DragTool:
    """Acts at the end of a drag and draws its line meanwhile."""

    def __init__(self) -> None:
        self._drag = Drag()

    @property
    def outline(self) -> Sequence[Point]:
        return tuple(self._drag.points)

    def handle(self, event: PointerEvent, settings: ToolSettings) -> Action | None:
        change, points = self._drag.follow(event)
        return self._action(points, event.button, settings) if points else change

    def _action(self, points: tuple[Point, ...], button: Button, settings: ToolSettings) -> Action:
        raise NotImplementedError

    def step_back(self) -> bool:
        return False

    def reset(self) -> None:
        self._drag.clear()


class ClickTool(_PressTool):
    """Left: the pixel is in the object; right: it is not."""

    name: ToolName = "click"

    def handle(self, event: PointerEvent, settings: ToolSettings) -> Action | None:
        return Click(event.x, event.y, event.button == "left") if is_press(event) else None


class ScribbleTool(_DragTool):
    """A line over the object (left) or over what does not belong to it (right)."""

    name: ToolName = "scribble"

    def _action(self, points: tuple[Point, ...], button: Button, settings: ToolSettings) -> Action:
        return Stroke(points, button == "left", min(settings.brush_size, settings.snap_radius))


class BrushTool:
    """Paints (or, as the eraser and with the right button, erases) while it is dragged."""

    outline: Sequence[Point] = ()

    def __init__(self, name: Literal["brush", "eraser"]) -> None:
        self.name: ToolName = name
        self._drag = Drag()

    def handle(self, event: PointerEvent, settings: ToolSettings) -> Action | None:
        erase = self.name == "eraser" or self._drag.button == "right"
        if self._drag.press(event):
            point = self._drag.points[0]
            return PaintTo(point, point, self.name == "eraser" or event.button == "right", event.pressure)
        if event.kind == "cancel" and self._drag.points:
            self._drag.clear()
            return PaintEnd(keep=False)
        if self._drag.ends_with(event):
            self._drag.clear()
            return PaintEnd(keep=True)
        if self._drag.move(event):
            start, end = self._drag.points
            self._drag.points = [end]
            return PaintTo(start, end, erase, event.pressure)
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


class LassoTool(_DragTool):
    """A free outline around an area: left takes it, right erases in it."""

    name: ToolName = "lasso"

    def _action(self, points: tuple[Point, ...], button: Button, settings: ToolSettings) -> Action:
        return Polygon(points, button == "right") if len(points) > 2 else OutlineChanged()


class FillTool(_PressTool):
    """Left: the area under the pointer becomes the object's; right: the object gives it up."""

    name: ToolName = "fill"

    def handle(self, event: PointerEvent, settings: ToolSettings) -> Action | None:
        return Fill(Point(event.x, event.y), event.button == "right") if is_press(event) else None


class RectangleTool(_DragTool):
    """Drags a rectangle open: around an object to be found (`box`), or as the local region (`region`)."""

    def __init__(self, name: Literal["box", "region"]) -> None:
        super().__init__()
        self.name: ToolName = name

    @property
    def outline(self) -> Sequence[Point]:
        """The rectangle's corners."""
        if not self._drag.points:
            return ()
        (x0, y0), (x1, y1) = self._drag.points[0], self._drag.points[-1]
        return Point(x0, y0), Point(x1, y0), Point(x1, y1), Point(x0, y1)

    def _action(self, points: tuple[Point, ...], button: Button, settings: ToolSettings) -> Action:
        if self.name == "region":
            return RegionDrawn(points[0], points[-1])
        return Box.between(points[0], points[-1]) or OutlineChanged()


def make_tools() -> dict[ToolName, Tool]:
    """One of each, in the order of the tool panel."""
    tools: list[Tool] = [
        ClickTool(), ScribbleTool(), RectangleTool("box"), BrushTool("brush"), BrushTool("eraser"), PolygonTool(),
        LassoTool(), FillTool(), RectangleTool("region"),
    ]  # fmt: skip
    return {tool.name: tool for tool in tools}
