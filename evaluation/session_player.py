"""A user at the window without a window: scribbles reach `VideoSession` as pointer events, then it propagates.

The robot of the DAVIS interactive track (Caelles et al., arXiv 1803.00557) says of the pixels under a line whose they
are. A person says it with the left button on that object, and with the right button on the one that has them wrongly.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.click_robot import STROKE_WIDTH
from evaluation.davis_interactive import ScribblePath
from inference_core.api import CoreApi
from interact.events import Button, PointerEvent
from interact.predictor import MaskPredictor
from interact.session import VideoSession
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.workspace import Workspace
from util.config import AppConfig
from util.jobs import run_inline

_STEP = 2.0
"""Image pixels between two points of a line: the robot gives a thousand of them."""
_SHARE = 0.2
"""An object that has this share of a line's pixels wrongly is told so."""

BuildCore = Callable[[AppConfig, FrameStore, Callable[[int], NDArray[np.uint8]]], CoreApi]


class SessionPlayer:
    """One video, from its first scribble on.

    Args:
        images: folder of its frames.
        workspace: folder for the session's work; must not hold any.
        num_objects: with the ids 1..num_objects.
        build: makes the engine.
    """

    def __init__(
        self,
        images: Path,
        workspace: Path,
        num_objects: int,
        predictor: MaskPredictor,
        config: AppConfig,
        build: BuildCore,
    ) -> None:
        self.frames = FrameStore(open_source(images), budget_bytes=config.budgets.frames)
        self._session = VideoSession(self.frames, Workspace.open(self.frames.source, workspace), predictor)
        self._messages: list[str] = []
        self._session.message.connect(self._messages.append)
        for _ in range(num_objects):
            self._session.add_object()
        self.object_ids = tuple(item.object_id for item in self._session.objects.items)
        self._session.set_tool("scribble")
        self._session.brush_size = STROKE_WIDTH
        self.core = build(config, self.frames, self._session.masks.get)

    def answer(self, frame: int, paths: Sequence[ScribblePath]) -> NDArray[np.uint8]:
        """Draw the lines on a frame and carry the result both ways: uint8 [T, H, W] of all frames.

        Raises what the networks raise, and RuntimeError when the session refuses.
        """
        self._session.seek(frame)
        for path in sorted(paths, key=lambda path: path.object_id):
            self._draw(frame, path)
        if self._session.key_frames.on(frame):
            job = self._session.propagate_job(lambda: self.core, "both")
            outcome = run_inline(job)
            if outcome.error is not None:
                raise outcome.error
        return self.masks()

    def masks(self) -> NDArray[np.uint8]:
        """uint8 [T, H, W]."""
        return np.stack([self._session.masks.get(frame) for frame in range(len(self.frames))])

    def carried_quality(self) -> list[float]:
        """Of every frame what the propagations left, the mean over the objects; 1 where nothing was carried."""
        values = [self._session.confidence.values(object_id) for object_id in self.object_ids]
        return np.nan_to_num(np.array(values), nan=1.0).mean(0).tolist()  # type: ignore[no-any-return]

    def close(self) -> None:
        """Free the engine, write and close the workspace."""
        with closing(self._session):
            self.core.close()

    def _draw(self, frame: int, path: ScribblePath) -> None:
        points = self._points(path)
        owners = Counter(int(self._session.masks.get(frame)[int(y), int(x)]) for x, y in points)
        for owner, count in owners.items():
            if owner not in (0, path.object_id) and count >= _SHARE * len(points):
                self._scribble(owner, points, "right")
        if path.object_id:
            self._scribble(path.object_id, points, "left")

    def _points(self, path: ScribblePath) -> list[tuple[float, float]]:
        """Image pixels, thinned."""
        size = self.frames.size
        shares = np.array(path.points)
        xy = np.clip(shares * (size.width, size.height) + 0.5, 0, (size.width - 0.5, size.height - 0.5))
        kept = [xy[0]]
        for point in xy[1:]:
            if np.hypot(*(point - kept[-1])) >= _STEP:
                kept.append(point)
        if (xy[-1] != kept[-1]).any():
            kept.append(xy[-1])
        return [(float(x), float(y)) for x, y in kept]

    def _scribble(self, object_id: int, points: Sequence[tuple[float, float]], button: Button) -> None:
        session = self._session
        session.select_object(object_id)
        session.dispatch(PointerEvent("press", *points[0], button))
        for point in points[1:]:
            session.dispatch(PointerEvent("move", *point, button))
        job = session.dispatch(PointerEvent("release", *points[-1], button))
        if job is None:
            raise RuntimeError(f"the session took no scribble: {'; '.join(self._messages)}")
        outcome = run_inline(job)
        if outcome.error is not None:
            raise outcome.error
