"""What the canvas shows and how: modes, opacity, brightness and contrast, minimap; playing on.

GUI thread. None of it changes a mask.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject

from gui.before_control import BeforeControl
from gui.canvas_picture import Levels
from gui.timecode import parse_position
from gui.view_modes import MODES, Look, ViewMode
from interact.view_settings import LEVEL_LIMIT, ViewSettings
from util.errors import AppError

if TYPE_CHECKING:
    from gui.controller import Controller, OpenVideo

LEVEL_STEP = 10
ZOOM_STEP = 1.25


class ViewControl(QObject):
    """Acts on the window's canvas and on the controller's open video, if there is one."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._window = controller.window
        self._levels = Levels()
        self.before = BeforeControl(controller)
        settings, actions = self._window.settings, self._window.actions_by_id
        self._window.top_bar.set_opacity(settings.opacity)
        actions["view.contour"].setChecked(settings.contour)
        actions["view.minimap"].setChecked(settings.minimap)
        actions["play.loop"].setChecked(settings.loop)
        self._window.canvas_area.minimap.set_wanted(settings.minimap)
        self._window.top_bar.opacity_changed.connect(self.set_opacity)
        self._window.top_bar.levels.changed.connect(self.set_levels)
        self._show_mode(settings.view_mode)

    @property
    def _video(self) -> OpenVideo | None:
        return self._controller.video

    def commands(self) -> dict[str, Callable[[], object]]:
        """What the actions of this subject do, by their ids."""
        canvas = self._window.canvas
        modes = {f"view.mode_{mode}": partial(self.set_mode, mode) for mode in MODES}
        return modes | {
            "view.fit": canvas.fit,
            "view.actual_size": canvas.actual_size,
            "view.zoom_in": lambda: canvas.zoom_by(ZOOM_STEP),
            "view.zoom_out": lambda: canvas.zoom_by(1 / ZOOM_STEP),
            "view.minimap": self.keep_minimap,
            "view.next_mode": self.next_mode,
            "view.contour": self.keep_contour,
            "view.before": self.before.toggle,
            "view.brighter": lambda: self.change_levels(LEVEL_STEP, 0),
            "view.darker": lambda: self.change_levels(-LEVEL_STEP, 0),
            "view.more_contrast": lambda: self.change_levels(0, LEVEL_STEP),
            "view.less_contrast": lambda: self.change_levels(0, -LEVEL_STEP),
            "view.reset_levels": lambda: self.set_levels(Levels()),
            "play.loop": self.keep_loop,
            "frame.go_to": self.ask_frame,
        }

    def begin(self, video: OpenVideo) -> None:
        """Hand the window's choices to a video that was just opened."""
        video.view.player.is_looping = self._window.settings.loop
        video.view.player.rate_changed.connect(self._window.transport.set_rate)
        self.before.begin()
        self.set_levels(Levels(video.session.levels.brightness, video.session.levels.contrast))
        self.apply()

    def apply(self) -> None:
        """Show the open video as the settings say."""
        settings = self._window.settings
        if self._video is not None:
            self._video.view.set_look(Look(settings.view_mode, settings.opacity, settings.contour))

    # -- masks over the frame

    def set_opacity(self, opacity: float) -> None:
        self._window.settings.opacity = opacity
        self.apply()

    def keep_contour(self) -> None:
        """The contour action was toggled."""
        self._window.settings.contour = self._window.actions_by_id["view.contour"].isChecked()
        self.apply()

    def set_mode(self, mode: ViewMode) -> None:
        self._window.settings.view_mode = mode
        self._show_mode(mode)
        self.apply()

    def next_mode(self) -> None:
        """The mode after the present one, and after the last the first."""
        place = MODES.index(self._window.settings.view_mode)
        self.set_mode(MODES[(place + 1) % len(MODES)])

    def _show_mode(self, mode: ViewMode) -> None:
        self._window.actions_by_id[f"view.mode_{mode}"].setChecked(True)
        self._window.canvas_area.set_side_by_side(mode == "side")

    def keep_minimap(self) -> None:
        """The minimap action was toggled."""
        wanted = self._window.actions_by_id["view.minimap"].isChecked()
        self._window.settings.minimap = wanted
        self._window.canvas_area.minimap.set_wanted(wanted)

    # -- brightness and contrast

    def change_levels(self, brightness: int, contrast: int) -> None:
        """Add to both, within their limits."""
        self.set_levels(Levels(_limited(self._levels.brightness + brightness),
                               _limited(self._levels.contrast + contrast)))

    def set_levels(self, levels: Levels) -> None:
        """Shown only: masks, networks and exports see the frame as it is. Kept with the project: each clip differs."""
        self._levels = levels
        if self._video is not None:
            self._video.session.levels = ViewSettings(levels.brightness, levels.contrast)
        self._window.canvas.set_levels(levels)
        self._window.top_bar.levels.set_levels(levels)
        if self._video is not None and not levels.is_neutral:
            self._controller.show_message(f"Brightness {levels.brightness:+d}, contrast {levels.contrast:+d} (on "
                                          "screen only).")

    # -- going through the video

    def keep_loop(self) -> None:
        """The loop action was toggled."""
        loop = self._window.actions_by_id["play.loop"].isChecked()
        self._window.settings.loop = loop
        if self._video is not None:
            self._video.view.player.is_looping = loop

    def ask_frame(self) -> None:
        """Ask for a frame number or a time, and go there."""
        if self._video is not None:
            frames = self._video.session.frames
            self._window.dialogs.ask_text(
                "Go to frame", f"A frame, 0 to {len(frames) - 1}, or a time such as 01:23.5:",
                str(self._video.session.frame), self._go_to,
            )

    def _go_to(self, text: str) -> None:
        video = self._video
        if video is None:
            return
        frames = video.session.frames
        try:
            frame = parse_position(text, [frames.time(index) for index in range(len(frames))])
        except AppError as error:
            self._window.dialogs.show_error("There is no such frame", error)
            return
        video.view.player.stop()
        self._controller.edit.seek(frame)


def _limited(value: int) -> int:
    return min(max(value, -LEVEL_LIMIT), LEVEL_LIMIT)
