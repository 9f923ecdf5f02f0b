"""What an export has become: told at its end, in the window and on the command line."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storage.exchange.material import class_of
from storage.mask_folder import some
from storage.project_parts import ObjectInfo
from util.types import Size

_TOLD = 10


@dataclass(frozen=True)
class Report:
    """See the module.

    Args:
        title: of the format.
        path: where it is, or would have been.
        wanted: the frames.
        stems: names of the first and the last of them.
        objects: with the number of frames that each is on.
        num_files: that were written.
        problems: what was not as it should be when it was read back; empty for a good export. Nothing is in place
            then, and what stood there before still does.
        notes: what else one should know.
    """

    title: str
    path: Path
    wanted: range
    stems: tuple[str, str]
    size: Size
    rate: float
    objects: Sequence[tuple[ObjectInfo, int]]
    num_files: int
    problems: Sequence[str]
    notes: Sequence[str]

    @property
    def is_good(self) -> bool:
        return not self.problems

    def lines(self) -> list[str]:
        """As plain text."""
        count = len(self.wanted)
        verdict = "Every frame was read back and is right."
        if not self.is_good:
            verdict = "It did not come back right, so nothing was put in place."
        lines = [
            f"{self.title}: {self.path}",
            f"{count} frame{'' if count == 1 else 's'} ({self.stems[0]} to {self.stems[1]}), {self.size}, "
            f"{self.rate:g} frames/s, {self.num_files} file{'' if self.num_files == 1 else 's'}",
        ]
        for info, frames in self.objects:
            kind = f", class {class_of(info)}" if class_of(info) != info.name else ""
            lines.append(f"  {info.object_id}: {info.name}{kind}, on {frames} of {count} frames")
        lines += [f"note: {note}" for note in self.notes]
        lines += [f"WRONG: {problem}" for problem in self.problems[:_TOLD]]
        if len(self.problems) > _TOLD:
            lines.append(f"WRONG: and {len(self.problems) - _TOLD} more")
        return [*lines, verdict]


def note_strangers(strangers: set[int]) -> list[str]:
    """A note about objects that the masks hold and nobody asked for."""
    ids = [str(object_id) for object_id in sorted(strangers)]
    return [f"The masks also hold the objects {some(ids)}, which were not exported."] if ids else []
