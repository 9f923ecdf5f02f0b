"""One open video and everything the user does to it. GUI thread; no Qt, no torch.

The session is the only writer of masks, objects, key frames and history. Long work leaves it as a `Job` that the
caller submits: results come back through `Job.apply` on the GUI thread.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from inference_core.api import CoreApi, Direction, FrameResult
from interact import edits
from interact.baselines import Baselines
from interact.commands import Step
from interact.events import PointerEvent
from interact.interaction import Interaction
from interact.key_frames import KeyFrames
from interact.objects import ObjectList, SceneObject
from interact.painter import Painter
from interact.predictor import MaskPredictor
from interact.prompting import Prompting, Region
from interact.prompts import Click, Point, Polygon, Stroke
from interact.propagation import Propagation
from interact.seeds import is_bare
from interact.tools import Action, PaintEnd, PaintTo, Tool, ToolName, ToolSettings, make_tools
from interact.undo_stack import Command, UndoStack
from storage.frame_store import FrameStore
from storage.project import ObjectInfo
from storage.workspace import Workspace
from util.errors import AppError
from util.jobs import Job
from util.observer import Signal
from util.types import IndexMask, Rect

LOCKED_MESSAGE = "Propagation is running; cancel it with Esc to edit."
_PREFETCH_FRAMES = 8


class VideoSession:
    """See the module. Editing calls made while `is_locked` change nothing and say so through `message`.

    Attributes:
        brush_size: diameter in image pixels.
        snap_radius: image pixels that count as "on" a point; the window sets it to a few screen pixels on zoom.
        predictor: what answers clicks and scribbles.
    """

    def __init__(
        self, frames: FrameStore, workspace: Workspace, predictor: MaskPredictor, *, history_bytes: int = 256 << 20
    ) -> None:
        self.frames = frames
        self.workspace = workspace
        self.predictor = predictor
        self.masks = workspace.masks
        project = workspace.project
        self.objects = ObjectList(
            (SceneObject(item.object_id, item.name) for item in project.objects), project.next_object_id
        )
        self.key_frames = KeyFrames(project.key_frames)
        self.baselines = Baselines()
        self.history = UndoStack(history_bytes)
        self.tools = make_tools()
        self.tool: Tool = self.tools["click"]
        self.brush_size: float = 20.0
        self.snap_radius: float = 8.0
        self.is_locked = False
        self.frame = min(project.current_frame, len(frames) - 1)
        self._prompting = Prompting(frames, self.masks)
        self._painter: Painter | None = None
        self._declare_signals()

    def _declare_signals(self) -> None:
        self.frame_changed: Signal[[int]] = Signal()
        self.mask_changed: Signal[[int, Rect]] = Signal()
        self.keys_changed: Signal[[]] = Signal()
        self.interaction_changed: Signal[[]] = Signal()
        """Prompts or the live outline changed: redraw markers."""
        self.tool_changed: Signal[[]] = Signal()
        self.message: Signal[[str]] = Signal()
        self.masks.changed.connect(self.mask_changed.emit)
        self.key_frames.changed.connect(self.keys_changed.emit)
        self._prompting.changed.connect(self.interaction_changed.emit)
        self._prompting.message.connect(self.message.emit)
        self.history.dropped.connect(self._on_history_dropped)

    @property
    def mask(self) -> IndexMask:
        """The current frame's mask with the brush drag in progress: draw this one, not `masks.get(frame)`.

        uint8 [H, W]; during a drag it changes in place and `mask_changed(frame, rect)` tells where.
        """
        return self.masks.get(self.frame) if self._painter is None else self._painter.mask

    @property
    def interaction(self) -> Interaction | None:
        """The prompts being collected on the current frame, the unanswered ones included."""
        return self._prompting.shown

    def preview_polygon(self) -> Sequence[Point] | None:
        """The outline or scribble being drawn, None when there is none."""
        return self.tool.outline or None

    def seek(self, frame: int) -> None:
        """Show a frame (clamped to the video). Finishes a drag, discards an open outline, closes the interaction."""
        frame = max(0, min(frame, len(self.frames) - 1))
        if frame == self.frame:
            return
        self._leave()
        step = 1 if frame > self.frame else -1
        self.frame = frame
        self.workspace.project.current_frame = frame  # written with the next change or at close, not per seek
        ahead = range(frame + step, frame + step * (_PREFETCH_FRAMES + 1), step)
        self.frames.prefetch(i for i in ahead if 0 <= i < len(self.frames))
        self.frame_changed.emit(frame)

    def set_tool(self, name: ToolName) -> None:
        if self.tool.name != name:
            self._leave()
            self.tool = self.tools[name]
            self.tool_changed.emit()

    def dispatch(self, event: PointerEvent) -> Job[Region] | None:
        """Hand a pointer event to the tool. A job that comes back must be submitted with `replace="predict"`.

        A press outside the image does nothing. With no object yet, the first press makes one.
        """
        is_press = event.kind in ("press", "double")
        if self.is_locked:
            if is_press:
                self.message.emit(LOCKED_MESSAGE)
            return None
        if is_press and not (0 <= event.x < self.frames.size.width and 0 <= event.y < self.frames.size.height):
            return None
        if is_press and self.objects.selected is None:
            self.add_object()
        action = self.tool.handle(event, ToolSettings(self.brush_size, self.snap_radius))
        return None if action is None else self._perform(action)

    def _perform(self, action: Action) -> Job[Region] | None:
        object_id = self.objects.selected
        if object_id is None:
            return None
        match action:
            case Click() | Stroke():
                return self._prompting.ask(self.frame, object_id, action, self.predictor, self._on_predicted)
            case PaintTo():
                self._paint(action, object_id)
                return None
            case PaintEnd():
                self._end_paint(keep=action.keep)
            case Polygon():
                self._prompting.set(None)
                self._record(edits.fill_polygon(self, self.frame, object_id, action))
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

    def _paint(self, action: PaintTo, object_id: int) -> None:
        if self._painter is None:
            self._prompting.set(None)
            self._painter = Painter(self.masks.get(self.frame), object_id, self.brush_size, erase=action.erase)
        rect = self._painter.move(action)
        if not rect.is_empty:
            self.mask_changed.emit(self.frame, rect)

    def _end_paint(self, *, keep: bool) -> None:
        painter, self._painter = self._painter, None
        if painter is None:
            return
        if keep:
            self._record(edits.brush_stroke(self, self.frame, painter))
        else:
            self.mask_changed.emit(self.frame, painter.dirty)

    def _leave(self) -> None:
        """Before the frame, tool or object changes: keep a drag, discard an outline, close the interaction."""
        self._end_paint(keep=True)
        self.tool.reset()
        self._prompting.set(None)

    # ---- editing ----------------------------------------------------------------------------------------------

    def select_object(self, object_id: int) -> None:
        """Raises KeyError for an unknown id."""
        if object_id != self.objects.selected:
            self._leave()
            self.objects.select(object_id)

    def add_object(self, name: str | None = None) -> int | None:
        """Append an object and select it; returns its id, None while locked. AppError when all ids are used."""
        if not self._may_edit():
            return None
        self._leave()
        item = self.objects.new(name)
        self._record(edits.change_objects(self, f"add {item.name}", (*self.objects.items, item), item.object_id))
        return item.object_id

    def delete_object(self, object_id: int) -> None:
        """Remove an object, its pixels on every frame and its key marks, as one step. KeyError: unknown id."""
        if self._may_edit():
            self._leave()
            self._record(edits.delete_object(self, object_id))

    def rename_object(self, object_id: int, name: str) -> None:
        """Raises KeyError for an unknown id."""
        if self._may_edit():
            self._record(edits.rename_object(self, object_id, name))

    def clear_frame(self) -> None:
        """Empty the current frame: its objects count as absent here. On an empty frame: forget its key marks."""
        if self._may_edit():
            self._leave()
            step = edits.clear_frame(self, self.frame)
            if step is None:
                self.message.emit(f"Frame {self.frame} has no mask to clear.")
            self._record(step)

    def import_masks(self, masks: Mapping[int, IndexMask]) -> None:
        """Lay masks over whole frames as one step; new ids become objects, the frames key frames.

        Raises:
            ValueError: a mask of another size than the frames, or a frame outside the video.
        """
        if self._may_edit():
            self._leave()
            self._record(edits.import_masks(self, masks))

    # ---- history ----------------------------------------------------------------------------------------------

    def undo(self) -> str | None:
        """Take back the last step; returns its label. Goes to the changed frame and says so."""
        if not self._may_edit():
            return None
        if self.tool.step_back():
            self.interaction_changed.emit()
            return "polygon corner"
        waiting = self._prompting.drop_awaited()
        if waiting is not None:
            return waiting.kind
        self._leave()
        step = self.history.next_undo
        if step is None:
            return None
        self._show(step, "Undid")
        step.revert(self)
        self.history.step_back()
        self._save()
        return step.label

    def redo(self) -> str | None:
        """Do the step again that was taken back last; returns its label."""
        if not self._may_edit():
            return None
        step = self.history.next_redo
        if step is None:
            return None
        self._leave()
        self._show(step, "Redid")
        step.apply(self)
        self.history.step_forward()
        self._save()
        return step.label

    def _show(self, step: Command, what: str) -> None:
        if step.frame is not None and not step.touches(self.frame) and step.frame != self.frame:
            self.seek(step.frame)
            self.message.emit(f"{what} {step.label} on frame {step.frame}.")

    def _on_history_dropped(self, label: str) -> None:
        self.message.emit(f'The undo history is full: "{label}" and what came before can no longer be undone.')

    def set_interaction(self, interaction: Interaction | None) -> None:
        """For undo steps only."""
        self._prompting.set(interaction)

    # ---- propagation ------------------------------------------------------------------------------------------

    def propagate_job(
        self,
        core: Callable[[], CoreApi],
        direction: Direction,
        first: int | None = None,
        last: int | None = None,
    ) -> Job[FrameResult]:
        """The job that carries the objects fixed on the current frame. Editing is locked from here to its `finish`.

        Args:
            core: called on the worker thread; may load the engine.
            first, last: inclusive bounds, None for the ends of the video.

        Raises:
            AppError: nothing to propagate on this frame, a propagation or a click is still being computed.
        """
        if self.is_locked:
            raise AppError("A propagation is already running.", "Cancel it with Esc first.")
        if self._prompting.is_waiting:
            raise AppError("The last click is still being computed.", "Propagate again in a moment.")
        self._leave()
        job = Propagation(self, self.frame, direction, first, last).job(core, self._on_propagated)
        self.is_locked = True
        return job

    def _on_propagated(self, step: Step | None, text: str) -> None:
        self.is_locked = False
        if step is not None:
            self.history.push(step)
        self._save()
        self.message.emit(text)

    # ---- keeping ----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Finish a drag, write everything, unlock the workspace, close the video. AppError when it can't be written."""
        self._leave()
        self._fill_project()
        self.workspace.close()
        self.frames.close()

    def _may_edit(self) -> bool:
        if self.is_locked:
            self.message.emit(LOCKED_MESSAGE)
        return not self.is_locked

    def _record(self, step: Step | None) -> None:
        """Apply a step, remember it, save. None: nothing changed."""
        if step is not None:
            step.apply(self)
            self.history.push(step)
            self._save()

    def _fill_project(self) -> None:
        project = self.workspace.project
        project.objects = [ObjectInfo(item.object_id, item.name) for item in self.objects.items]
        project.key_frames = {frame: set(ids) for frame, ids in self.key_frames.items()}
        project.current_frame = self.frame

    def _save(self) -> None:
        self._fill_project()
        self.workspace.save()
