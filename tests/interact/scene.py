"""A session on a small video in a temporary folder, with a predictor and an engine that follow simple rules."""
from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from inference_core.api import Direction, FrameResult, KeyFrame, MemoryReport, PropagationRequest
from interact.events import PointerEvent
from interact.frame_marks import MARK_KINDS
from interact.interaction import Interaction
from interact.protection import Question
from interact.session import VideoSession
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.workspace import Workspace
from util.jobs import CancelToken, Job, Outcome, run_inline
from util.raster import segment
from util.types import ImageU8, IndexMask, Rect, Size

SIZE = Size(24, 32)
NUM_FRAMES = 12


class DiscPredictor:
    """A disc around every positive click or stroke point, cut by discs around negative ones."""

    name = "discs"

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.radius = 5.0
        self.seen: list[Interaction] = []

    def predict(self, image: ImageU8, interaction: Interaction, token: CancelToken) -> np.ndarray:
        self.seen.append(interaction)
        if self.error is not None:
            raise self.error
        region = np.zeros(image.shape[:2], np.bool_)
        for prompt in interaction.prompts:
            x, y = (prompt.x, prompt.y) if hasattr(prompt, "x") else prompt.points[0]
            patch = segment((x, y), (x, y), 2 * self.radius, Size(*region.shape))
            region[patch.rect.slices][patch.inside] = prompt.positive
        return region


@dataclass
class ShiftCore:
    """Carries an object by copying it from the anchor, one pixel to the right per frame of distance, up to a frame on
    which it is fixed.

    `fail_at`, `cancel_at`: after so many frames. `break_rule`: overwrite everything, barriers included.
    """

    existing: Callable[[int], IndexMask]
    num_frames: int = NUM_FRAMES
    fail_at: int | None = None
    break_rule: bool = False
    engine: str = "shift"
    device: str = "cpu"
    settings: Mapping[str, str | int | float] = field(default_factory=dict)
    synced: list[KeyFrame] = field(default_factory=list)
    requests: list[PropagationRequest] = field(default_factory=list)
    is_closed: bool = False

    def sync(self, key_frames: Sequence[KeyFrame]) -> None:
        self.synced = list(key_frames)

    def frames(self, request: PropagationRequest) -> list[int]:
        last = self.num_frames - 1 if request.last is None else request.last
        forward = range(request.anchor + 1, last + 1) if request.direction != "backward" else range(0)
        backward = range(request.anchor - 1, request.first - 1, -1) if request.direction != "forward" else range(0)
        return [*forward, *backward]

    def plan(self, request: PropagationRequest) -> int:
        return len(self.frames(request))

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        self.requests.append(request)
        keys = {key.frame: key for key in self.synced}
        anchor = keys[request.anchor]
        frames = self.frames(request)
        try:
            for done, frame in enumerate(frames, start=1):
                token.check()
                if self.fail_at == done:
                    raise RuntimeError("the fake engine broke")
                yield FrameResult(frame, self._carried(anchor, frame, keys), done, len(frames))
        finally:
            self.is_closed = True

    def _carried(self, anchor: KeyFrame, frame: int, keys: Mapping[int, KeyFrame]) -> IndexMask:
        result = self.existing(frame).copy()
        way = range(anchor.frame + 1, frame + 1) if frame > anchor.frame else range(frame, anchor.frame)
        fixed = frozenset[int]().union(*(keys[passed].object_ids for passed in way if passed in keys))
        for object_id in anchor.object_ids if self.break_rule else anchor.object_ids - fixed:
            shifted = np.roll(anchor.mask == object_id, frame - anchor.frame, axis=1)
            result[result == object_id] = 0
            result[shifted if self.break_rule else shifted & (result == 0)] = object_id
        return result

    def memory(self) -> MemoryReport:
        return MemoryReport(len(self.synced), 0, 0)

    def close(self) -> None:
        """Nothing to free."""


def write_frames(folder: Path, size: Size, num_frames: int) -> Path:
    if folder.exists():
        return folder
    folder.mkdir(parents=True)
    for frame in range(num_frames):
        Image.new("RGB", (size.width, size.height), (frame, 0, 0)).save(folder / f"{frame:05d}.png")
    return folder


class Driver:
    """A session and the hands on it; notes what it says. In a folder where one was before it goes on with its work."""

    def __init__(self, folder: Path, *, size: Size = SIZE, num_frames: int = NUM_FRAMES) -> None:
        self.folder = folder
        self.workspace = folder / "workspace"
        self.frames = write_frames(folder / "frames", size, num_frames)
        self.predictor = DiscPredictor()
        self.messages: list[str] = []
        self.questions: list[Question] = []
        self.says: Literal["change", "keep", "later"] = "change"
        """What it answers when it is asked."""
        self.changed: list[tuple[int, Rect]] = []
        self.session = self._open()
        self.core = ShiftCore(self.session.masks.get, num_frames)

    def _open(self) -> VideoSession:
        source = open_source(self.frames)
        session = VideoSession(FrameStore(source), Workspace.open(source, self.workspace), self.predictor)
        session.snap_radius = 2
        session.steps.ask = self._answer
        session.message.connect(self.messages.append)
        session.mask_changed.connect(lambda frame, rect: self.changed.append((frame, rect)))
        return session

    def _answer(self, question: Question) -> None:
        self.questions.append(question)
        if self.says == "change":
            question.change()
        elif self.says == "keep":
            question.keep()

    def reopen(self) -> VideoSession:
        self.session.close()
        self.session = self._open()
        self.core = ShiftCore(self.session.masks.get, len(self.session.frames))
        return self.session

    def press(self, x: float, y: float, *, right: bool = False) -> Job[np.ndarray] | None:
        button = "right" if right else "left"
        job = self.session.dispatch(PointerEvent("press", x, y, button))
        self.session.dispatch(PointerEvent("release", x, y, button))
        return job

    def click(self, x: float, y: float, *, right: bool = False) -> Outcome:
        self.session.set_tool("click")
        job = self.press(x, y, right=right)
        assert job is not None
        return run_inline(job)

    def drag(self, tool: str, *points: tuple[float, float]) -> Job[np.ndarray] | None:
        self.session.set_tool(tool)
        self.session.dispatch(PointerEvent("press", *points[0], "left"))
        for point in points[1:]:
            self.session.dispatch(PointerEvent("move", *point, "left"))
        return self.session.dispatch(PointerEvent("release", *points[-1], "left"))

    def propagate(self, direction: Direction = "both", *, cancel_at: int | None = None) -> Outcome:
        token = CancelToken()
        job = self.session.propagate_job(lambda: self.core, direction)

        def apply(result: FrameResult) -> None:
            job.apply(result)
            if result.done == cancel_at:
                token.cancel()

        return run_inline(Job(job.name, job.total, job.run, apply, job.finish), token)

    def state(self) -> tuple[object, ...]:
        """Everything that undo has to bring back."""
        session = self.session
        masks = {frame: session.masks.get(frame).tobytes() for frame in range(len(session.frames))}
        baselines = {frame: session.baselines.get(frame) for frame in range(len(session.frames))}
        marks = {kind: dict(session.marks[kind]) for kind in MARK_KINDS}
        return masks, marks, baselines, session.objects.items


def region(mask: IndexMask, object_id: int) -> list[tuple[int, int]]:
    """(x, y) of an object's pixels, sorted."""
    return [(int(c), int(r)) for r, c in np.argwhere(mask == object_id)]
