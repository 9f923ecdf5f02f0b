"""Shows the session's frame: image, mask, markers, caption, brush outline; plays the video. GUI thread.

One object per open video. The image on screen may lag behind the session's frame while it is decoded; `is_current`
tells, and the tools wait for it.
"""
from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QObject, pyqtSignal

from gui.canvas import Canvas
from gui.frame_loader import FrameLoader
from gui.markers import Marker
from gui.past_prompts import past_markers
from gui.player import Player
from gui.timecode import format_timecode
from gui.view_modes import CAPTIONS, Look
from interact.events import Button
from interact.interaction import Interaction
from interact.last_changes import LastChanges
from interact.prompts import Box, Click
from interact.session import VideoSession
from util.errors import AppError
from util.types import ImageAlpha, ImageU8, IndexMask, Rect
from util.view_transform import ViewTransform

# Widget pixels that count as "on" a corner of a polygon, and the width of a scribble.
SNAP = 8.0


def interaction_markers(interaction: Interaction | None) -> list[Marker]:
    """The clicks and strokes given so far."""
    markers: list[Marker] = []
    for prompt in () if interaction is None else interaction.prompts:
        if isinstance(prompt, Box):
            corners = ((prompt.x0, prompt.y0), (prompt.x1, prompt.y0), (prompt.x1, prompt.y1), (prompt.x0, prompt.y1))
            markers.append(Marker("frame", corners))
        elif isinstance(prompt, Click):
            markers.append(Marker("click", ((prompt.x, prompt.y),), prompt.positive))
        else:
            markers.append(Marker("stroke", tuple(prompt.points), prompt.positive, prompt.width))
    return markers


class FrameView(QObject):
    """Signals: `shown(frame)` when a frame is on the screen, `failed(AppError)` when it cannot be read."""

    shown = pyqtSignal(int)
    failed = pyqtSignal(object)

    def __init__(self, session: VideoSession, canvas: Canvas, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.stroke_button: Button = "left"
        """The button of the drag in progress: a scribble's colour."""
        self._session = session
        self._canvas = canvas
        self._shown_frame: int | None = None
        self._suggested: tuple[int | None, tuple[Marker, ...]] = (None, ())
        self._look = Look()
        self._changes = LastChanges(session.masks)
        self._before: IndexMask | None = None
        self._loader = FrameLoader(session.frames, self)
        self._loader.loaded.connect(self._on_loaded)
        self._loader.failed.connect(self._on_failed)
        self.player = Player(self)
        self.player.set_video([session.frames.time(frame) for frame in range(len(session.frames))],
                              lambda: self.is_current)
        self.player.due.connect(session.seek)
        session.frame_changed.connect(self._on_frame_changed)
        session.mask_changed.connect(self._on_mask_changed)
        session.interaction_changed.connect(self.refresh_markers)
        session.tool_changed.connect(self._on_tool_changed)
        session.objects.changed.connect(self._on_objects_changed)
        session.in_out.changed.connect(self._on_in_out_changed)
        self._loader.request(session.frame)

    @property
    def is_current(self) -> bool:
        """Whether the image on the screen is the session's frame."""
        return self._shown_frame == self._session.frame

    def close(self) -> None:
        """Stop playing and decoding, empty the canvas."""
        self.player.stop()
        session = self._session
        session.frame_changed.disconnect(self._on_frame_changed)
        session.mask_changed.disconnect(self._on_mask_changed)
        session.interaction_changed.disconnect(self.refresh_markers)
        session.tool_changed.disconnect(self._on_tool_changed)
        session.objects.changed.disconnect(self._on_objects_changed)
        session.in_out.changed.disconnect(self._on_in_out_changed)
        self._loader.close()
        self._changes.close()
        self._canvas.set_matte(None)
        self._canvas.set_markers(())
        self._canvas.set_brush(None)
        self._canvas.set_caption("")
        self._canvas.set_image(None)
        self.deleteLater()

    def _on_tool_changed(self) -> None:
        self.refresh_brush()
        self.refresh_markers()

    def _on_objects_changed(self) -> None:
        self.refresh_style()
        self.refresh_markers()

    def _on_in_out_changed(self) -> None:
        marks = self._session.in_out
        self.player.set_bounds(marks.frames if marks.is_set else None)

    def set_look(self, look: Look) -> None:
        self._look = look
        self.refresh_style()
        self._refresh_caption()

    @property
    def shows_before(self) -> bool:
        """Whether the mask from before the frame's last change is on the screen instead of the present one."""
        return self._before is not None

    def show_before(self, on: bool) -> bool:
        """Show the frame's mask as it was before its last change, or the present one again; it stays as it is.

        Returns: whether that could be done: not where this frame's mask has not changed since the video was opened.
        """
        before = self._changes.before(self._session.frame) if on and self.is_current else None
        if on and before is None:
            return False
        if before is not self._before:
            self._before = before
            self._canvas.set_mask(self._mask_of(self._session.frame) if before is None else before)
            self._refresh_caption()
        return True

    def show_older(self, mask: IndexMask) -> None:
        """Show an older mask of the frame, uint8 [H, W], until `show_before(False)` or another frame."""
        self._before = mask
        self._canvas.set_mask(mask)
        self._refresh_caption()

    def show_matte(self, alpha: ImageAlpha | None) -> None:
        """Show the frame cut out by a soft matte, uint8 [H, W], until another frame is shown; None: the masks again."""
        self._canvas.set_matte(alpha)
        self._refresh_caption()

    def show_trial(self, mask: IndexMask | None) -> None:
        """Show what the current frame's mask would become, or the mask that it has."""
        self._canvas.set_mask(self._mask_of(self._session.frame) if mask is None else mask)

    def toggle_playing(self) -> None:
        if self.player.is_playing:
            self.player.stop()
        else:
            self.player.start(self._session.frame)

    def refresh_style(self) -> None:
        look = self._look
        self._canvas.set_style(
            opacity=look.shown_opacity, contour=look.has_lines, fill=look.fill,
            hidden=self._session.objects.undrawn,
            selected=self._session.objects.selected, own=self._session.objects.own_colors,
            opacities=self._session.objects.opacities,
        )

    def set_suggested(self, frame: int | None, markers: Sequence[Marker]) -> None:
        """Outlines to be shown on one frame beneath all other markers; None for none."""
        self._suggested = frame, tuple(markers)
        self.refresh_markers()

    def refresh_markers(self) -> None:
        """Clicks and strokes of the interaction, and the line being drawn. Nothing while another frame is shown."""
        if not self.is_current:
            self._canvas.set_markers(())
            return
        markers = past_markers(self._session) + interaction_markers(self._session.interaction)
        if self._suggested[0] == self._session.frame:
            markers[:0] = self._suggested[1]
        outline, region = self._session.preview_polygon(), self._session.region
        if region is not None:
            corners = ((region.x0, region.y0), (region.x1, region.y0), (region.x1, region.y1), (region.x0, region.y1))
            markers.insert(0, Marker("frame", corners))
        if outline and self._session.tool.name in ("box", "lasso", "region"):
            markers.append(Marker("frame", tuple(outline)))
        elif outline:
            is_scribble = self._session.tool.name == "scribble"
            kind = "stroke" if is_scribble else "polygon"
            is_positive = not is_scribble or self.stroke_button == "left"
            markers.append(Marker(kind, tuple(outline), is_positive, self._scribble_width() if is_scribble else 0.0))
        self._canvas.set_markers(markers)

    def refresh_brush(self) -> None:
        """The circle at the pointer, for the tools that have a width."""
        widths = {
            "brush": self._session.brush_size, "eraser": self._session.brush_size, "scribble": self._scribble_width()
        }
        self._canvas.set_brush(widths.get(self._session.tool.name))

    def on_view_changed(self, view: ViewTransform | None) -> None:
        """Zooming changes how many image pixels are a few screen pixels."""
        if view is not None:
            self._session.snap_radius = SNAP / view.scale
            self.refresh_brush()

    def _scribble_width(self) -> float:
        return min(self._session.brush_size, self._session.snap_radius)

    def _on_frame_changed(self, frame: int) -> None:
        self._loader.request(frame)
        self.refresh_markers()

    def _on_loaded(self, frame: int, image: ImageU8) -> None:
        """Also frames that were overtaken meanwhile are shown: dragging along the timeline is to look alive."""
        self._shown_frame = frame
        self._before = None
        self._canvas.set_matte(None)
        self._canvas.set_image(image)
        self._canvas.set_mask(self._mask_of(frame))
        self._refresh_caption()
        self.refresh_markers()
        self.shown.emit(frame)

    def _refresh_caption(self) -> None:
        frame = self._shown_frame
        if frame is None:
            return
        parts = [f"frame {frame} / {len(self._session.frames) - 1}", format_timecode(self._session.frames.time(frame))]
        if self._canvas.picture.has_matte:
            parts.append("as exported")
        elif CAPTIONS[self._look.mode]:
            parts.append(CAPTIONS[self._look.mode])
        parts += ["before the last change"] if self.shows_before else []
        self._canvas.set_caption(" · ".join(parts))

    def _on_failed(self, frame: int, error: Exception) -> None:
        self.player.stop()
        if frame == self._session.frame:
            self.failed.emit(error)

    def _on_mask_changed(self, frame: int, rect: Rect) -> None:
        if frame == self._shown_frame:
            is_part = self._before is None
            self._before = None
            self._canvas.set_mask(self._mask_of(frame), rect if is_part else None)
            if not is_part:
                self._refresh_caption()

    def _mask_of(self, frame: int) -> IndexMask | None:
        """None, and `failed`, when the mask's file is damaged: the frame itself is shown."""
        try:
            return self._session.mask if frame == self._session.frame else self._session.masks.get(frame)
        except AppError as error:
            self.failed.emit(error)
            return None
