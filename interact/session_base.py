"""What every part of a session stands on: the stores, the signals, what is open on the canvas, and recording a step."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from interact import edits
from interact.baselines import Baselines
from interact.commands import Step
from interact.frame_confidence import FrameConfidence
from interact.frame_flicker import FrameFlicker
from interact.frame_marks import MARK_KINDS, FrameMarks, MarkKind
from interact.in_out import InOut
from interact.interaction import Interaction
from interact.objects import ObjectList, SceneObject
from interact.painter import Painter
from interact.predictor import MaskPredictor
from interact.prompting import Prompting
from interact.prompts import Point, Polygon
from interact.recovery import Opening
from interact.step_keeper import StepKeeper
from interact.step_log import Snapshot, snapshot_beginning
from interact.tool_base import Tool, ToolName
from interact.tools import make_tools
from interact.undo_stack import UndoStack
from interact.view_settings import read_view, with_view
from storage.confidence_file import NAME as CONFIDENCE_NAME
from storage.confidence_file import read_confidence
from storage.frame_runs import marks_by_frame
from storage.frame_store import FrameStore
from storage.journal import Beginning
from storage.project_parts import EngineValue, ObjectInfo
from storage.provenance import Provenance
from storage.workspace import Workspace
from util.errors import AppError
from util.observer import Signal
from util.types import IndexMask, Rect

LOCKED_MESSAGE = "Propagation is running; cancel it with Esc to edit."
_PREFETCH_FRAMES = 8


class SessionBase:
    """See `interact.session.VideoSession`, the class that is used.

    Attributes:
        steps: by which every edit takes effect.
        brush_size: diameter in image pixels.
        snap_radius: image pixels that count as "on" a point; the window sets it to a few screen pixels on zoom.
        predictor: what answers clicks and scribbles.
    """

    def __init__(
        self,
        frames: FrameStore,
        workspace: Workspace,
        predictor: MaskPredictor,
        *,
        history_bytes: int = 64 << 20,
        opening: Opening | None = None,
    ) -> None:
        """Args:
            history_bytes: for steps in memory; the others are in the journal.
            opening: what was found in the journal; None to read it now. Unless it was settled, what a crash left
                unsaved is recovered.
        """
        opening = opening or Opening(workspace)
        opening.settle(recover=True)
        self.frames = frames
        self.workspace = workspace
        self.predictor = predictor
        self.masks = workspace.masks
        project = workspace.project
        self.objects = ObjectList(
            (SceneObject(i.object_id, i.name, i.category, i.color, i.is_locked) for i in project.objects),
            project.next_object_id,
            hidden=[item.object_id for item in project.objects if not item.is_visible],
            solo=[item.object_id for item in project.objects if item.is_solo],
            opacities=read_view(project.settings).opacities,
        )
        self.levels = read_view(project.settings)
        """Brightness and contrast, and nothing else of it; written with the next change or at close."""
        self.key_frames = FrameMarks(project.key_frames)
        self.marks: Mapping[MarkKind, FrameMarks] = {
            "key": self.key_frames,
            "locked": FrameMarks(marks_by_frame(project.locked)),
            "verified": FrameMarks(marks_by_frame(project.verified)),
        }
        self.baselines = Baselines(opening.state.baselines)
        self.provenance = Provenance(project.provenance)
        self.confidence = FrameConfidence(self.provenance, len(frames))
        self.flicker = FrameFlicker(self.masks)
        self.history = UndoStack(history_bytes, opening.log, opening.state.done, opening.state.undone)
        self.tools = make_tools()
        self.tool: Tool = self.tools["click"]
        self._tool_before: ToolName = "click"
        self.brush_size: float = 20.0
        self.snap_radius: float = 8.0
        self.is_locked = False
        self.locked_message = LOCKED_MESSAGE
        self.region: Rect | None = None
        """The local region: prompts and brushes change nothing outside it. Stays when the frame changes."""
        self.in_out = InOut(len(frames))
        self.stops_at_cuts = True
        """Whether a propagation ends where the video cuts to another scene."""
        self.carries_selected_only = False
        """Whether a propagation leaves all objects but the selected one where they are."""
        self.uses_pressure = True
        """Whether a pen that presses less paints a thinner line."""
        self.keeps_others = False
        """Whether brush, outlines and fill leave the pixels of other objects alone."""
        self.frame = min(project.current_frame, len(frames) - 1)
        self._prompting = Prompting(frames, self.masks)
        self._painter: Painter | None = None
        self.outline_taker: Callable[[Polygon], None] | None = None
        """Gets the next outline that is closed, instead of the object; another tool or frame forgets it."""
        self._declare_signals()
        self.steps = StepKeeper(self)
        self._resume(opening)

    def _resume(self, opening: Opening) -> None:
        """Go on where the journal ends."""
        opening.replay(self)
        state = opening.state
        interaction = state.interaction
        if interaction is not None and interaction.object_id in self.objects and interaction.frame < len(self.frames):
            self.frame = interaction.frame
            self._prompting.set(interaction)
        elif opening.frame is not None:
            self.frame = min(opening.frame, len(self.frames) - 1)
        notices = [self.workspace.notice, *opening.notices]
        try:
            self.confidence.restore(read_confidence(self.workspace.folder / CONFIDENCE_NAME, len(self.frames)))
        except AppError as error:
            notices.append(str(error))
        self.workspace.notice = " ".join(filter(None, notices))
        self.workspace.journal.snapshot = self._snapshot
        self._resumed_number = opening.settled_number
        self.save()

    def _snapshot(self, interaction: Interaction | None = None) -> Beginning:
        """What the journal keeps of a session besides the steps. Args: interaction: that a next session finds open."""
        history = self.history
        state = Snapshot(
            history.refs_done, history.refs_undone, self.baselines.all, interaction or self._prompting.settled
        )
        return snapshot_beginning(state)

    def _declare_signals(self) -> None:
        self.frame_changed: Signal[[int]] = Signal()
        self.mask_changed: Signal[[int, Rect]] = Signal()
        self.keys_changed: Signal[[]] = Signal()
        """Marks of any kind changed."""
        self.interaction_changed: Signal[[]] = Signal()
        """Prompts or the live outline changed: redraw markers."""
        self.tool_changed: Signal[[]] = Signal()
        self.message: Signal[[str]] = Signal()
        self.masks.changed.connect(self.mask_changed.emit)
        for kind in MARK_KINDS:
            self.marks[kind].changed.connect(self.keys_changed.emit)
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
        self.outline_taker = None
        self._prompting.set(None)

    def _on_history_dropped(self, label: str) -> None:
        quota = self.workspace.journal.quota_bytes / (1 << 30)
        self.message.emit(
            f"The undo history fills its {quota:.3g} GB on disk: “{label}” and what came before can no longer be "
            "undone."
        )

    def set_interaction(self, interaction: Interaction | None) -> None:
        """For undo steps only."""
        self._prompting.set(interaction)

    def _may_edit(self) -> bool:
        if self.is_locked:
            self.message.emit(self.locked_message)
        return not self.is_locked

    def _record(self, step: Step | None) -> None:
        """Apply a step, remember it, save, unless it would change what is protected. None: nothing changed."""
        self.steps.record(step)

    def _fill_project(self) -> None:
        project = self.workspace.project
        objects = self.objects
        project.objects = [
            ObjectInfo(
                item.object_id,
                item.name,
                item.category,
                item.color,
                is_visible=item.object_id not in objects.hidden,
                is_solo=item.object_id in objects.solo,
                is_locked=item.is_locked,
            )
            for item in objects.items
        ]
        project.key_frames = {frame: set(ids) for frame, ids in self.key_frames.items()}
        project.locked, project.verified = self.marks["locked"].runs, self.marks["verified"].runs
        project.current_frame = self.frame
        project.settings = with_view(project.settings, replace(self.levels, opacities=dict(objects.opacities)))
        project.provenance = self.provenance
        project.journal_id = self.workspace.journal.journal_id
        if not self.is_locked:  # a step that is under way is not in the masks as a whole
            project.journal_number = self.workspace.journal.last_number

    @property
    def engine_settings(self) -> Mapping[str, EngineValue]:
        """How masks were propagated in this project; empty before the first time."""
        return self.workspace.project.engine

    def keep_engine_settings(self, settings: Mapping[str, EngineValue]) -> None:
        """What `engine_settings` is from now on."""
        self.workspace.project.engine = dict(settings)
        self.save()

    def lock(self, why: str | None) -> None:
        """Refuse edits, saying `why`; None allows them again."""
        self.is_locked = why is not None
        self.locked_message = why or LOCKED_MESSAGE

    def save(self) -> None:
        """Have objects, marks and the frame shown written soon."""
        self._fill_project()
        self.workspace.save()
        if not self.is_locked:
            self.workspace.journal.prepare_segment()
