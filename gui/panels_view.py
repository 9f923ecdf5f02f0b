"""Keeps the panels around the canvas true to the session: objects, lanes, tool, saved state, facts. GUI thread.

One object per open video.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from gui.object_row import ObjectRow
from gui.presence import PresenceIndex
from gui.save_state import SaveState
from gui.timecode import format_timecode
from gui.timeline_paint import Lane
from gui.timeline_strips import Strips
from inference_core.confidence import SUSPECT_BELOW
from inference_core.registry import carried_basis
from interact.objects import SceneObject
from interact.review import ObjectReview, flag_runs, flags_of, progress
from interact.session import VideoSession
from util.observer import Signal
from util.palette import Rgb, object_color
from util.types import Rect

if TYPE_CHECKING:
    from gui.frame_view import FrameView
    from gui.main_window import MainWindow

# Milliseconds that changes of lanes and list are collected before they are drawn.
REFRESH = 60


def format_rate(rate: float) -> str:
    """`24 fps`, `29.97 fps`."""
    return f"{rate:.2f}".rstrip("0").rstrip(".") + " fps"


class PanelsView(QObject):
    """Attributes:

    saving: what the status bar says about it; tells when it fails.
    reviews: the state of every object, by its id, as it was last drawn.
    refreshed: everything was drawn anew.
    """

    refreshed = pyqtSignal()

    def __init__(self, session: VideoSession, view: FrameView, window: MainWindow) -> None:
        super().__init__(window)
        self.presence = PresenceIndex(len(session.frames))
        self.reviews: dict[int, ObjectReview] = {}
        self._session = session
        self._view = view
        self._window = window
        self.saving = SaveState(window.saved_label, session.masks, session.workspace.folder, self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REFRESH)
        self._timer.timeout.connect(self.refresh)
        frames = session.frames
        window.timeline.set_length(len(frames), [frames.time(frame) for frame in range(len(frames))])
        self._connect()
        self.refresh()
        self._on_tool_changed()
        self._on_frame_changed(session.frame)

    def _connect(self) -> None:
        for signal, slot in self._connections():
            signal.connect(slot)

    def _connections(self) -> tuple[tuple[Signal[...], Callable[..., object]], ...]:
        """What is heard of the session, which outlives these panels."""
        session = self._session
        return (
            (session.frame_changed, self._on_frame_changed),
            (session.mask_changed, self._on_mask_changed),
            (session.keys_changed, self._refresh_soon),
            (session.in_out.changed, self._on_in_out_changed),
            (session.objects.changed, self.refresh),
            (session.confidence.changed, self._refresh_soon),
            (session.flicker.changed, self._refresh_soon),
            (session.tool_changed, self._on_tool_changed),
            (session.interaction_changed, self._on_interaction_changed),
            (session.history.changed, self.saving.refresh),
        )

    def close(self) -> None:
        """Call after the session was closed; the timeline and the panels are emptied."""
        self._timer.stop()
        for signal, slot in self._connections():
            signal.disconnect(slot)
        window = self._window
        window.timeline.set_length(0, ())
        window.timeline.set_lanes(())
        window.timeline.set_strips(None)
        window.timeline.set_progress(None)
        window.object_panel.set_rows((), None)
        window.transport.set_position("")
        window.facts_label.clear()
        self.saving.close()
        self.deleteLater()

    def add_presence(self, found: dict[int, frozenset[int]]) -> None:
        """What the masks of the workspace hold. A frame that was changed meanwhile is asked again."""
        for frame in found:
            self.presence.put(frame, self._session.masks.object_ids(frame))
        self._refresh_soon()

    def refresh(self) -> None:
        """Draw list, lanes and facts anew."""
        session = self._session
        keys: dict[int, set[int]] = {object_id: set() for object_id in session.objects.order}
        for frame, object_ids in session.key_frames.items():
            for object_id in object_ids:
                if object_id in keys:
                    keys[object_id].add(frame)
        rows, lanes, self.reviews = [], [], self.review()
        for item in session.objects.items:
            object_id, fixed = item.object_id, keys[item.object_id]
            color = object_color(object_id, item.color)
            coverage = self.presence.coverage(object_id, fixed)
            rows.append(self._row(item, color, coverage))
            sources = session.provenance.of(object_id)
            lanes.append(Lane(
                object_id, item.name, color, frozenset(fixed), tuple(self.presence.runs(object_id)),
                session.marks["locked"].runs.get(object_id, ()), session.marks["verified"].runs.get(object_id, ()),
                tuple(span.frames for span in sources if span.source and span.source.kind == "propagated"),
                self.reviews[object_id].runs("suspect"),
            ))
        self._window.object_panel.set_rows(rows, session.objects.selected)
        self._window.timeline.set_lanes(lanes)
        self._window.timeline.set_selected(session.objects.selected)
        self._window.timeline.set_strips(self._strips())
        self._show_facts()
        self.refreshed.emit()

    def review(self) -> dict[int, ObjectReview]:
        """The state of every object at this moment, by its id."""
        session = self._session
        found: dict[int, ObjectReview] = {}
        for item in session.objects.items:
            object_id = item.object_id
            marks = {kind: of_kind.runs.get(object_id, ()) for kind, of_kind in session.marks.items()}
            if item.is_locked:
                marks["locked"] = (range(len(session.frames)),)
            present = tuple(self.presence.runs(object_id))
            made = (*present, *marks["key"], *marks["verified"])
            made += tuple(span.frames for span in session.provenance.of(object_id))
            flicker = session.flicker.values(object_id, flags_of(made, len(session.frames)))
            found[object_id] = ObjectReview.of(
                object_id, item.name, present, marks, session.confidence.values(object_id), flicker
            )
        return found

    def _strips(self) -> Strips | None:
        """Of the selected object."""
        review = self.reviews.get(self._session.objects.selected or 0)
        if review is None:
            return None
        done, basis = flag_runs(review.done), carried_basis().name
        return Strips(review.name, review.confidence, SUSPECT_BELOW, done, self.progress, review.flicker, basis)

    @property
    def progress(self) -> float:
        """Share of all frames of all objects, between the in and out marks, that are verified or absent."""
        return progress(list(self.reviews.values()), self._session.in_out.frames)

    def _row(self, item: SceneObject, color: Rgb, coverage: float) -> ObjectRow:
        session, object_id = self._session, item.object_id
        here = {kind: object_id in marks.on(session.frame) for kind, marks in session.marks.items()}
        return ObjectRow(
            object_id, item.name, color, object_id not in session.objects.hidden, coverage, here["key"], item.category,
            object_id in session.objects.solo, item.is_locked, here["locked"], here["verified"],
            object_id not in session.objects.undrawn, session.objects.opacity(object_id),
        )

    def _refresh_soon(self) -> None:
        """Once for all the changes of the next moments, however many come."""
        if not self._timer.isActive():
            self._timer.start()

    def _show_facts(self) -> None:
        count, frames = len(self._session.objects), self._session.frames
        objects = f"{count} object{'' if count == 1 else 's'}"
        size = f"{frames.size.width}×{frames.size.height}"
        rate = format_rate(float(frames.source.rate))
        self._window.facts_label.setText(f"{objects} · {len(frames)} frames · {size} · {rate}")

    def _on_frame_changed(self, frame: int) -> None:
        frames = self._session.frames
        self._window.timeline.set_frame(frame)
        now, end = format_timecode(frames.time(frame)), format_timecode(frames.time(len(frames) - 1))
        self._window.transport.set_position(f"{now} / {end}")
        self._refresh_soon()

    def _on_mask_changed(self, frame: int, rect: Rect) -> None:
        if self.presence.put(frame, self._session.masks.object_ids(frame)):
            self._refresh_soon()
        self.saving.refresh()

    def _on_in_out_changed(self) -> None:
        marks = self._session.in_out
        self._window.timeline.set_in_out(marks.frames if marks.is_set else None)
        self._refresh_soon()

    def _on_tool_changed(self) -> None:
        session, panel = self._session, self._window.tool_panel
        panel.set_tool(session.tool.name)
        panel.set_brush_size(round(session.brush_size))
        self._window.actions_by_id[f"tool.{session.tool.name}"].setChecked(True)
        self._on_interaction_changed()

    def _on_interaction_changed(self) -> None:
        interaction = self._session.interaction
        kind = self._session.tool.name
        prompts = interaction.prompts if interaction is not None and interaction.kind == kind else ()
        positive = sum(1 for prompt in prompts if prompt.positive)
        self._window.tool_panel.set_prompts(positive, len(prompts) - positive)
