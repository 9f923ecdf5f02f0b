"""What a propagation is to do, and how far it will reach."""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from inference_core.api import Direction, FrameReader
from interact.commands import Scene
from interact.protection import PROTECTING
from util.errors import AppError


@dataclass(frozen=True)
class Order:
    """Args:
        anchor: the frame to start from.
        first, last: inclusive bounds, None for the ends of the video.
        scenes: the video, to stop where it cuts to another scene; None to go on there.
        only: the one object to carry; None for all that are marked on the anchor.
    """

    anchor: int
    direction: Direction
    first: int | None = None
    last: int | None = None
    scenes: FrameReader | None = None
    only: int | None = None

    def carried(self, scene: Scene) -> frozenset[int]:
        """The objects to carry: those fixed on the anchor, or that have a mask there, unless they are locked.

        Raises:
            AppError: there are none.
        """
        present = scene.key_frames.on(self.anchor) or scene.masks.object_ids(self.anchor)
        if not present:
            raise AppError("Mark an object on this frame first.", "Then propagate it to the others.")
        if self.only is not None:
            present = present & {self.only}
            if not present:
                name = scene.objects.name(self.only)
                raise AppError(f"{name} is not marked on this frame.", "Mark it, or propagate all objects.")
        carried = present - scene.objects.locked
        if not carried:
            raise AppError("Every object that is marked on this frame is locked.", "Unlock one of them first.")
        return carried

    def reach(self, scene: Scene, num_frames: int) -> int:
        """How many frames it visits, unless a scene cut ends it sooner. Raises AppError like `carried`."""
        carried = self.carried(scene)
        barriers = with_barriers(scene, self.anchor, carried)
        first = 0 if self.first is None else self.first
        last = num_frames - 1 if self.last is None else self.last
        count = 0
        for step, bound in ((1, last + 1), (-1, first - 1)):
            if self.direction == ("backward" if step == 1 else "forward"):
                continue
            stops = [self._stop(barriers, object_id, step, bound) for object_id in carried]
            count += max(0, *((stop - self.anchor) * step - 1 for stop in stops))
        return count

    def _stop(self, barriers: Mapping[int, frozenset[int]], object_id: int, step: int, bound: int) -> int:
        """The first frame that the object does not reach."""
        ahead = [frame for frame, ids in barriers.items() if object_id in ids and (frame - self.anchor) * step > 0]
        return min([*ahead, bound], key=lambda frame: (frame - self.anchor) * step)


def with_barriers(scene: Scene, anchor: int, carried: Iterable[int]) -> dict[int, frozenset[int]]:
    """The key frames, and for every carried object the nearest frames around the anchor where it is locked or verified.

    These stop the object like key frames. Those beyond them are out of its reach; to remember hundreds of verified
    frames would only cost memory.
    """
    keys = dict(scene.key_frames)
    for kind in PROTECTING:
        for object_id in carried:
            for frame in _beside(scene.marks[kind].runs.get(object_id, ()), anchor):
                keys[frame] = keys.get(frame, frozenset()) | {object_id}
    return keys


def _beside(runs: Sequence[range], anchor: int) -> list[int]:
    """The nearest frames before and after `anchor` in ascending stretches."""
    before = [min(run.stop, anchor) - 1 for run in runs if run.start < anchor]
    after = [max(run.start, anchor + 1) for run in runs if run.stop > anchor + 1]
    return before[-1:] + after[:1]
