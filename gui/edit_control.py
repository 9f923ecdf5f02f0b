"""What the user does to the open video: pointer, tools, objects, moving through frames, looks. GUI thread."""
from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PyQt5.QtCore import QObject

from gui.held_tool import HeldTool
from gui.menus.tools import TOOLS
from gui.tool_panel import MAX_BRUSH, MIN_BRUSH
from interact.events import PointerEvent
from interact.prompts import Point
from interact.session import VideoSession
from interact.tool_base import ToolName
from util.errors import AppError
from util.view_transform import ViewTransform

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo

DEFAULT_BRUSH = 20
BRUSH_STEP = 1.15


class EditControl(QObject):
    """Acts on the controller's open video; without one every call does nothing."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._window = controller.window
        self._brush_size = DEFAULT_BRUSH
        self._window.tool_panel.set_brush_size(self._brush_size)
        self._window.actions_by_id["tool.pressure"].setChecked(self._window.settings.pen_pressure)
        self.held = HeldTool(self._window.actions_by_id, self.set_tool)

    @property
    def _video(self) -> OpenVideo | None:
        return self._controller.video

    @property
    def session(self) -> VideoSession:
        """The open session, for actions that are grey without one."""
        assert self._controller.video is not None
        return self._controller.video.session

    def begin(self, video: OpenVideo) -> None:
        """Hand the window's choices (tool, brush, looks) to a video that was just opened."""
        video.session.brush_size = self._brush_size
        self.keep_switches()
        self.set_tool(next(name for name in TOOLS if self._window.actions_by_id[f"tool.{name}"].isChecked()))

    # -- pointer

    def on_pointer(self, event: PointerEvent) -> None:
        """Hand the pointer to the tool, unless the frame on the screen is not yet the session's."""
        video = self._video
        if video is None:
            return
        if event.kind in ("press", "double"):
            video.view.player.stop()
            if not video.view.is_current:
                self._controller.show_message("The frame is still being read.")
                return
            video.view.stroke_button = event.button
        try:
            job = video.session.dispatch(event)
        except AppError as error:
            self._window.dialogs.show_error("This cannot be done", error)
            return
        if job is not None:
            self._controller.runner.submit(job, replace="predict")

    def on_view_changed(self, view: ViewTransform | None) -> None:
        if self._video is not None:
            self._video.view.on_view_changed(view)

    # -- frames

    def seek(self, frame: int) -> None:
        """The user wants this frame: a propagation is no longer followed, playing goes on from here."""
        video = self._video
        if video is None:
            return
        self._controller.propagation.stop_following()
        video.session.seek(frame)
        if video.view.player.is_playing:
            video.view.player.start(video.session.frame)

    def step(self, frames: int) -> None:
        """Go some frames on (or back) and stay there."""
        if self._video is not None:
            self._video.view.player.stop()
            self.seek(self.session.frame + frames)

    def seek_key(self, direction: int) -> None:
        """To the next (1) or previous (-1) key frame."""
        frame, keys = self.session.frame, list(self.session.key_frames)
        beyond = [key for key in keys if (key > frame if direction > 0 else key < frame)]
        if beyond:
            self.step((min(beyond) if direction > 0 else max(beyond)) - frame)
        else:
            side = "after" if direction > 0 else "before"
            self._controller.show_message(f"There is no key frame {side} this one.")

    def toggle_playing(self) -> None:
        if self._video is not None:
            self._controller.propagation.stop_following()
            self._video.view.toggle_playing()

    # -- tools

    def choose_tool(self, name: str) -> None:
        """The user wants a tool; while its key is held, or for good."""
        before = self._window.tool_panel.tool
        self.set_tool(name)
        self.held.chosen(name, before)

    def set_tool(self, name: str) -> None:
        """Args: name: one of `gui.menus.tools.TOOLS`. Remembered for the next video when none is open."""
        if self._video is not None:
            self.session.set_tool(cast(ToolName, name))
        else:
            self._window.tool_panel.set_tool(name)

    def keep_switches(self) -> None:
        """Hand on what is switched on: painting spares others, a pen's pressure counts, propagation stops at cuts."""
        if self._video is not None:
            actions = self._window.actions_by_id
            self.session.keeps_others = actions["tool.keep_others"].isChecked()
            self.session.uses_pressure = actions["tool.pressure"].isChecked()
            self.session.carries_selected_only = actions["propagate.only_selected"].isChecked()
            self.session.stops_at_cuts = actions["propagate.stop_at_cuts"].isChecked()

    def keep_pressure(self) -> None:
        """The action of the pen's pressure was toggled; from one day to the next."""
        is_on = self._window.actions_by_id["tool.pressure"].isChecked()
        self._window.settings.pen_pressure = is_on
        self.keep_switches()
        says = "presses less paints a thinner line" if is_on else "presses less paints as thick a line"
        self._controller.show_message(f"A pen that {says}.")

    def pick_object(self) -> None:
        """Select what lies under the pointer."""
        point = self._window.canvas.hovered_point
        if point is None:
            self._controller.show_message("The pointer is not on the picture.")
        else:
            self.session.pick_object(Point(*point))

    def set_brush_size(self, diameter: int) -> None:
        self._brush_size = min(max(diameter, MIN_BRUSH), MAX_BRUSH)
        self._window.tool_panel.set_brush_size(self._brush_size)
        if self._video is not None:
            self.session.brush_size = self._brush_size
            self._video.view.refresh_brush()

    def resize_brush(self, direction: int) -> None:
        """One step larger (1) or smaller (-1), at least a pixel."""
        size = self._brush_size
        changed = round(size * BRUSH_STEP**direction)
        self.set_brush_size(changed if changed != size else size + direction)

    # -- objects

    def select_object(self, object_id: int) -> None:
        if self._video is None:
            return
        if object_id in self.session.objects:
            self.session.select_object(object_id)
        else:
            self._controller.show_message(f"There is no object {object_id}; N adds one.")

    def select_beside(self, direction: int) -> None:
        """The object above (-1) or below (1) in the list, around its ends."""
        order, selected = self.session.objects.order, self.session.objects.selected
        if order:
            place = order.index(selected) if selected in order else 0
            self.session.select_object(order[(place + direction) % len(order)])
