"""What a frame's mask was before its last change, from the journal: reaches back beyond the opening of the project.

Steps do not say which frames they change without being read, so they are read from the newest on until one changes the
frame. What was read is remembered as the frames that it changes.
"""
from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

from interact.commands import MaskChange, Step
from interact.step_log import StepRef
from storage.journal import Address
from storage.mask_delta import MaskDelta
from util.jobs import CancelToken


@dataclass(frozen=True)
class Visited:
    """A step that was read. Args: frames: whose masks it changes. delta: of the frame that is looked for, if it does.
    """

    address: Address
    label: str
    frames: frozenset[int]
    delta: MaskDelta | None


class OlderMasks:
    """Of one session. GUI thread, except where said."""

    def __init__(self) -> None:
        self._frames: dict[Address, frozenset[int]] = {}

    def note(self, visited: Visited) -> None:
        self._frames[visited.address] = visited.frames

    def candidates(self, frame: int, refs: Sequence[StepRef]) -> list[StepRef]:
        """The steps that may be the last one to change a frame, the newest first. Args: refs: in effect, newest last.
        """
        found = []
        for ref in reversed(refs):
            frames = self._frames.get(ref.address)
            if frames is None or frame in frames:
                found.append(ref)
            if frames is not None and frame in frames:
                break
        return found


def search(
    frame: int, refs: Sequence[StepRef], load: Callable[[StepRef], Step], token: CancelToken
) -> Generator[Visited, None, None]:
    """Any thread: read steps until one changes the frame's mask. Raises AppError for one that cannot be read."""
    for ref in refs:
        token.check()
        deltas: Mapping[int, MaskDelta] = {
            change.delta.frame: change.delta
            for change in load(ref).changes
            if isinstance(change, MaskChange) and not change.delta.is_empty
        }
        yield Visited(ref.address, ref.label, frozenset(deltas), deltas.get(frame))
        if frame in deltas:
            return
