"""`export.py merge`: somebody else's work on the same video comes into a workspace, without a window."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interact.grabcut import GrabCutPredictor
from interact.headless_export import check_saved, end_of, find_source
from interact.merging import MergeReport
from interact.recovery import Opening
from interact.session import VideoSession
from storage.exchange.import_masks import Found, suggest, survey
from storage.exchange.other_work import OtherWork, open_other_work
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.mask_folder import some
from storage.project_parts import ObjectInfo
from storage.workspace import Workspace
from util.errors import AppError
from util.jobs import CancelToken, Job, run_inline
from util.merge_config import NEW, MergeConfig


@dataclass(frozen=True)
class Surveyed:
    """What may be merged. `mapping`: value in the other masks -> object id here; ids that are not there are new."""

    other: OtherWork
    found: tuple[Found, ...]
    objects: tuple[ObjectInfo, ...]
    mapping: Mapping[int, int]

    def lines(self) -> list[str]:
        """As plain text."""
        names = {info.object_id: info.name for info in self.objects}
        lines = [f"{self.other.path}: {self.other.reader.title}, masks on {len(self.other.reader.frames)} frames"]
        for thing in self.found:
            target = self.mapping.get(thing.value)
            becomes = "is left out"
            if target is not None:
                becomes = f"becomes {target}: {names[target]}" if target in names else f"becomes new object {target}"
            lines.append(f"  {thing.value}: {thing.text or '(no name)'}, on {thing.num_frames} frames, {becomes}")
        return lines


@contextmanager
def opened_session(folder: Path, source: Path | None) -> Iterator[VideoSession]:
    """A workspace to work in; what was done is written at the end, unless it fails.

    Raises:
        AppError: as `interact.headless_export.opened_project`.
    """
    frames = FrameStore(open_source(find_source(folder, source)))
    with closing(frames):
        workspace = Workspace.open(frames.source, folder)
        try:
            opening = check_saved(folder, Opening(workspace))
            session = VideoSession(frames, workspace, GrabCutPredictor(), opening=opening)
            yield session
        except BaseException:
            workspace.abandon()
            raise
        session.close()


def survey_merge(session: VideoSession, path: Path, wanted: Sequence[tuple[str, str]]) -> Surveyed:
    """What is in the other work, and what becomes what. Args: wanted: of `MergeConfig.map`. Raises AppError."""
    other = end_of(open_other_work(path, session.frames))
    found = end_of(survey(other.reader))
    if not found:
        raise AppError(f"{path}: no object is marked, all pixels are background.", "There is nothing to merge.")
    objects = tuple(ObjectInfo(i.object_id, i.name, i.category, i.color) for i in session.objects.items)
    mapping = suggest(found, objects, range(1, session.objects.next_id))
    if wanted:
        mapping = _mapped(wanted, found, objects, session.objects.next_id)
    return Surveyed(other, found, objects, mapping)


def merge(session: VideoSession, surveyed: Surveyed, config: MergeConfig, token: CancelToken) -> MergeReport:
    """Do it. Raises AppError; `util.jobs.Cancelled`."""

    def work(job: Job[Any]) -> None:
        outcome = run_inline(job, token)
        if outcome.error is not None:
            raise outcome.error

    session.steps.work = work
    report = session.merge_work(surveyed.other, surveyed.mapping, config.range.resolve(len(session.frames)))
    token.check()
    if report is None:
        raise AppError("No object is to be merged.", "Name some with --map, or leave the flag out.")
    return report


def _mapped(
    wanted: Sequence[tuple[str, str]], found: Sequence[Found], objects: Sequence[ObjectInfo], next_id: int
) -> dict[int, int]:
    theirs = _finder("--map", [(thing.value, thing.text) for thing in found])
    ours = _finder("--map", [(info.object_id, info.name) for info in objects])
    mapping: dict[int, int] = {}
    for left, right in wanted:
        target = next_id if right == NEW else ours(right)
        next_id += right == NEW
        mapping[theirs(left)] = target
    return mapping


def _finder(flag: str, things: Sequence[tuple[int, str]]) -> Callable[[str], int]:
    """Number or name -> number. AppError: unknown."""

    def find(name: str) -> int:
        numbers = [number for number, text in things if name in (str(number), text)]
        if not numbers:
            known = some([f"{number} ({text})" for number, text in things]) or "none"
            raise AppError(f"{flag}: there is no object {name}; there are {known}.", "Give numbers or names.")
        return numbers[0]

    return find
