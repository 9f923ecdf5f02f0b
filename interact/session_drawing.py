"""What the pointer does: tools, prompts and the brush."""
from __future__ import annotations

from interact import edits
from interact.areas import area_at
from interact.events import PointerEvent
from interact.interaction import Interaction
from interact.local_region import MIN_SIDE, region_between
from interact.painter import Painter
from interact.prompting import Region
from interact.prompts import Box, Click, Point, Polygon, Stroke
from interact.seeds import is_bare
from interact.session_objects import ObjectEditing
from interact.tool_base import Action, Fill, PaintEnd, PaintTo, RegionDrawn, ToolName, ToolSettings
from util.jobs import Job
from util.raster import Patch, polygon
from util.types import Rect

_FREE: tuple[ToolName, ...] = ("polygon", "lasso", "box")


class Drawing(ObjectEditing):
    """Turns pointer events into steps, and into jobs where a predictor answers."""

    def set_tool(self, name: ToolName) -> None:
        if self.tool.name != name:
            self._leave()
            if self.tool.name != "region":
                self._tool_before = self.tool.name
            self.tool = self.tools[name]
            self.tool_changed.emit()

    def set_region(self, region: Rect | None) -> None:
        """Hold prompts and brushes to a part of the frame, or to none."""
        if region != self.region:
            self._leave()
            self.region = region
            self.interaction_changed.emit()

    def dispatch(self, event: PointerEvent) -> Job[Region] | None:
        """Hand a pointer event to the tool. A job that comes back must be submitted with `replace="predict"`.

        A press outside the image does nothing. With no object yet, the first press makes one.
        """
        is_press = event.kind in ("press", "double")
        if self.is_locked:
            if is_press:
                self.message.emit(self.locked_message)
            return None
        if is_press and not (0 <= event.x < self.frames.size.width and 0 <= event.y < self.frames.size.height):
            return None
        if self.tool.name == "region":
            self._draw_region(event)
            return None
        if is_press and event.ctrl:
            self.pick_object(Point(event.x, event.y))
            return None
        if is_press and not self._is_within(event):
            self.message.emit("This lies outside the local region. Esc leaves the region.")
            return None
        if is_press and self.objects.selected is None:
            self.add_object()
        action = self.tool.handle(event, ToolSettings(self.brush_size, self.snap_radius))
        if action is None and event.kind == "cancel":
            self.set_region(None)
        return None if action is None else self._perform(action)

    def _is_within(self, event: PointerEvent) -> bool:
        """Whether a press may begin here. Outlines may lie anywhere: only what is inside changes."""
        return self.region is None or self.tool.name in _FREE or self.region.contains(event.x, event.y)

    def _draw_region(self, event: PointerEvent) -> None:
        """With a region drawn, the tool that was used before comes back."""
        action = self.tool.handle(event, ToolSettings(self.brush_size, self.snap_radius))
        if isinstance(action, RegionDrawn):
            region = region_between(action.start, action.end, self.frames.size)
            if region is None:
                self.message.emit(f"A local region is at least {MIN_SIDE} pixels wide and high: drag a larger one.")
            else:
                self.set_region(region)
                self.set_tool(self._tool_before)
        if action is None and event.kind == "cancel":
            self.set_tool(self._tool_before)
        self.interaction_changed.emit()

    def _perform(self, action: Action) -> Job[Region] | None:
        object_id = self.objects.selected
        if object_id is None:
            return None
        match action:
            case Click() | Stroke() | Box():
                return self._prompting.ask(
                    self.frame, object_id, action, self.predictor, self._on_predicted, self.region
                )
            case PaintTo():
                self._paint(action, object_id)
                return None
            case PaintEnd():
                self._end_paint(keep=action.keep)
            case Polygon() if self.outline_taker is not None:
                taker, self.outline_taker = self.outline_taker, None
                taker(action)
            case Polygon():
                size = self.frames.size
                self._paint_area(object_id, polygon(action.points, size), erase=action.erase)
            case Fill():
                self._fill(action, object_id)
        self.interaction_changed.emit()
        return None

    def _on_predicted(self, interaction: Interaction, region: Region) -> None:
        if interaction.object_id not in self.objects:
            self.message.emit(f"The {interaction.kind} on frame {interaction.frame} was for a deleted object.")
            return
        if interaction.prompts[-1].positive and is_bare(region, interaction.prompts):
            self.message.emit(f"Nothing more was found around the {interaction.kind}: add prompts, or paint.")
        is_open = self._prompting.shown is interaction
        self._record(edits.apply_prediction(self, interaction, self._prompting.settled if is_open else None, region))
        if not is_open:
            self._prompting.set(None)

    def _fill(self, action: Fill, object_id: int) -> None:
        mask = self.masks.get(self.frame)
        area = area_at(mask, action.at)
        owner = int(mask[area.rect.slices][area.inside][0])
        if (owner == object_id) != action.erase:
            name = self.objects.name(object_id)
            self.message.emit(f"This area is {'no part' if action.erase else 'already part'} of {name}.")
        else:
            self._paint_area(object_id, area, erase=action.erase)

    def _paint_area(self, object_id: int, area: Patch, *, erase: bool) -> None:
        self._prompting.set(None)
        area = area.within(self.region)
        step = edits.paint_patch(
            self, self.frame, object_id, area, self.tool.name, erase=erase, keeps_others=self.keeps_others
        )
        self._record(step)

    def pick_object(self, at: Point) -> None:
        """Select the object under a point of the current frame."""
        if not Rect.full(self.frames.size).contains(at.x, at.y):
            return
        object_id = int(self.mask[int(at.y), int(at.x)])
        if object_id in self.objects:
            self.select_object(object_id)
        else:
            self.message.emit("There is no object here.")

    def copy_from_key(self, direction: int) -> None:
        """Give the selected object the shape it has on its next (1) or previous (-1) key frame."""
        object_id = self.objects.selected
        if object_id is None or not self._may_edit():
            return
        keys = [frame for frame, ids in self.key_frames.items() if object_id in ids]
        beyond = [frame for frame in keys if (frame > self.frame if direction > 0 else frame < self.frame)]
        if not beyond:
            side = "after" if direction > 0 else "before"
            self.message.emit(f"{self.objects.name(object_id)} has no key frame {side} this one.")
            return
        self._leave()
        source = min(beyond) if direction > 0 else max(beyond)
        self._record(edits.copy_mask(self, self.frame, object_id, source))

    def _paint(self, action: PaintTo, object_id: int) -> None:
        if self._painter is None:
            self._prompting.set(None)
            mask = self.masks.get(self.frame)
            self._painter = Painter(
                mask, object_id, self.brush_size, erase=action.erase, within=self.region,
                keeps_others=self.keeps_others, uses_pressure=self.uses_pressure,
            )
        rect = self._painter.move(action)
        if not rect.is_empty:
            self.mask_changed.emit(self.frame, rect)
