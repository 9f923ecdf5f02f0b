"""How long the window stands still while steps over a whole video are noted down, undone and done again.

    tools/with_xvfb.sh .venv/bin/python -m benchmarks.window_speed --only long_steps

An engine that costs nothing stands in for the network, so that what is measured is the history, its journal and the
stores: three objects, a step over every frame.
"""
from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.window_stage import Beats, WindowStage, listening
from inference_core.api import FrameResult, KeyFrame, MemoryReport, PropagationRequest
from storage.frame_store import FrameStore
from util.config import AppConfig
from util.jobs import CancelToken
from util.types import IndexMask, Size

OBJECTS = (1, 2, 3)


class Discs(Mapping[int, IndexMask]):
    """A mask for every frame, drawn when it is asked for: an object is a disc on its way around the picture."""

    def __init__(self, size: Size, num_frames: int, radius: int) -> None:
        self._size, self._num_frames, self._radius = size, num_frames, radius

    def __getitem__(self, frame: int) -> IndexMask:
        mask = np.zeros(self._size, np.uint8)
        height, width = self._size
        for object_id in OBJECTS:
            angle = frame / 40 + 2 * object_id
            centre = (round(width * (0.5 + 0.3 * np.sin(angle))), round(height * (0.5 + 0.3 * np.cos(angle))))
            cv2.circle(mask, centre, self._radius, object_id, -1)
        return mask

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._num_frames))

    def __len__(self) -> int:
        return self._num_frames


class StandIn:
    """An engine that knows where the discs are."""

    engine, device = "stand-in", "cpu"
    settings: Mapping[str, str | int | float] = {"mem_every": 5}

    def __init__(self, discs: Discs) -> None:
        self._discs = discs

    def sync(self, key_frames: Sequence[KeyFrame]) -> None:
        """It remembers nothing."""

    def plan(self, request: PropagationRequest) -> int:
        return len(self._discs) - request.anchor - 1

    def propagate(self, request: PropagationRequest, token: CancelToken) -> Generator[FrameResult, None, None]:
        total = self.plan(request)
        for done, frame in enumerate(range(request.anchor + 1, len(self._discs)), 1):
            token.check()
            yield FrameResult(frame, self._discs[frame], done, total)

    def object_probs(self, frame: int, object_ids: Sequence[int]) -> NDArray[np.float32]:
        """It is sure of its masks."""
        return (self._discs[frame] == np.asarray(object_ids)[:, None, None]).astype(np.float32)

    def memory(self) -> MemoryReport:
        return MemoryReport(1, 0, 0)

    def close(self) -> None:
        """It holds nothing."""


def stand_in(config: AppConfig, frames: FrameStore, existing: object) -> StandIn:
    return StandIn(Discs(frames.source.size, len(frames), 90))


def long_steps(stage: WindowStage) -> dict[str, Beats]:
    """What the window is asked to do -> the beats of its event loop meanwhile."""
    session = stage.session
    size, count = session.frames.source.size, len(session.frames)
    actions = stage.window.actions_by_id
    found: dict[str, Beats] = {}

    def measure(name: str, act: Callable[[], object]) -> None:
        with listening() as beats:
            act()
            stage.rest()
        found[name] = beats

    def there_and_back(name: str, act: Callable[[], object]) -> None:
        measure(name, act)
        measure(f"undo {name}", actions["edit.undo"].trigger)
        measure(f"redo {name}", actions["edit.redo"].trigger)

    session.steps.ask = lambda question: question.change()  # nobody is there to ask
    session.import_masks({0: Discs(size, count, 90)[0]})
    stage.rest()
    stage.seek(0)
    there_and_back("propagate", actions["propagate.forward"].trigger)
    there_and_back("import", lambda: session.import_masks(Discs(size, count, 110)))
    there_and_back("merge", lambda: session.merge_objects(3, 2))
    there_and_back("verify", lambda: session.set_marks("verified", session.objects.order, range(count), on=True))
    measure("undo verify", actions["edit.undo"].trigger)
    there_and_back("delete", lambda: session.delete_object(2))
    measure("close", stage.close)
    return found
