"""J, F and T of every object of a data set, frame by frame, by the data set's own rules.

* DAVIS, semi-supervised: without the first and the last frame. Unsupervised: all frames, proposals matched to objects.
* YouTube-VOS, long videos, folders: every annotated frame after the one where the object is given.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.matching import MAX_PROPOSALS, assign
from evaluation.metrics import FrameScore, frame_scores, statistics
from evaluation.report import Row
from evaluation.stability import Points, outline, stability
from evaluation.vos_tree import VosSequence
from interact.annotations import object_ids
from storage.mask_folder import mask_files, some
from storage.mask_io import read_mask
from util.errors import AppError
from util.types import IGNORE, IndexMask, Size
from util.vos_config import VosConfig

_NOTHING = 0
"""The proposal that is empty on every frame."""


@dataclass(frozen=True)
class ObjectScore:
    """One object over the frames on which it counts.

    Args:
        object_id: in the ground truth. category: its class, empty where the data set has none.
        stems: the frames.
        region, contour: J and F, float64 [T].
        stability: T, the mean over successive frames; None where no two frames follow each other.
        proposal: id of the result that was matched to it; None where the objects were given or nothing was left.
    """

    sequence: str
    object_id: int
    category: str
    stems: tuple[str, ...]
    region: NDArray[np.float64]
    contour: NDArray[np.float64]
    stability: float | None
    proposal: int | None

    @property
    def row(self) -> Row:
        """For `evaluation.report`."""
        name = str(self.object_id)
        return Row(self.sequence, name, len(self.stems), statistics(self.region), statistics(self.contour))


@dataclass(frozen=True)
class _Frame:
    """One frame: scores of (result, object), and the outlines of the results."""

    scores: Mapping[tuple[int, int], FrameScore]
    outlines: Mapping[int, Points | None]


def check_results(folder: Path, sequences: Sequence[VosSequence], config: VosConfig) -> None:
    """Raise one AppError that names every sequence without results or with frames missing."""
    complaints = []
    for sequence in sequences:
        own = folder / sequence.name
        stems = sorted(frozenset[str]().union(*counted(sequence, config).values()))
        if not stems:
            complaints.append(f"{sequence.name}: has no mask to compare with beyond the given ones")
            continue
        found = mask_files(own) if own.is_dir() else {}
        missing = [stem for stem in stems if stem not in found]
        if not found:
            complaints.append(f"{own}: no results")
        elif missing:
            complaints.append(f"{own}: {len(missing)} of {len(stems)} frames have no mask: {some(missing)}")
    if complaints:
        text = "\n  ".join([f"{folder}: nothing was scored:", *complaints])
        raise AppError(text, "Run first. Test sets are scored by their server.")


def counted(sequence: VosSequence, config: VosConfig) -> dict[int, tuple[str, ...]]:
    """Object -> stems of the frames on which it counts."""
    stems = tuple(stem for stem in sequence.truth if stem in set(sequence.wanted))
    if config.task == "unsupervised":
        return dict.fromkeys(sequence.starts, stems)
    if config.dataset.startswith("davis"):
        return dict.fromkeys(sequence.starts, stems[1:-1])
    order = {stem: index for index, stem in enumerate(sequence.truth)}
    return {i: tuple(s for s in stems if order[s] > order[start]) for i, start in sequence.starts.items()}


def score_sequence(sequence: VosSequence, results: Path, config: VosConfig) -> list[ObjectScore]:
    """Score one sequence.

    Args:
        results: folder of its masks.

    Raises:
        AppError: masks that cannot be read or differ in size from the truth; too many proposals.
    """
    stems_of = counted(sequence, config)
    stems = tuple(stem for stem in sequence.truth if any(stem in own for own in stems_of.values()))
    at = {stem: index for index, stem in enumerate(stems)}
    # T compares successive frames; where only some are annotated, there is nothing to compare.
    has_outlines = config.dataset.startswith("davis") or config.dataset == "folder"
    files = mask_files(results)
    is_given = config.task == "semi"

    def score(stem: str) -> _Frame:
        gt = sequence.read_truth(stem)
        pred = sequence.read_result(files[stem]) if is_given else read_mask(files[stem])
        if gt.shape != pred.shape:
            raise AppError(
                f"{files[stem]}: is {Size(*pred.shape)} pixels, the ground truth is {Size(*gt.shape)}.",
                "Results must have the size of the ground truth.",
            )
        ids = tuple(object_id for object_id, own in stems_of.items() if stem in own)
        return (_given_frame if is_given else _proposed_frame)(gt, pred, ids, has_outlines)

    with ThreadPoolExecutor() as pool:
        frames = list(pool.map(score, stems))
        chosen = {i: i for i in stems_of} if is_given else _matched(results, frames, list(stems_of))
        found = []
        for object_id, own in stems_of.items():
            if not own:
                continue
            result = chosen[object_id]
            scores = [_score(frames[at[stem]], result, object_id) for stem in own]
            steps = partial(_stability, sequence.wanted, own, [frames[at[stem]].outlines.get(result) for stem in own])
            found.append((object_id, own, scores, pool.submit(steps) if has_outlines else None, result))
        return [
            ObjectScore(
                sequence.name, object_id, sequence.categories.get(object_id, ""), own,
                np.array([score.region for score in scores]), np.array([score.contour for score in scores]),
                None if steps is None else steps.result(), None if is_given or result == _NOTHING else result,
            )
            for object_id, own, scores, steps, result in found
        ]


def _given_frame(gt: IndexMask, pred: IndexMask, ids: tuple[int, ...], has_outlines: bool) -> _Frame:
    scores = {(object_id, object_id): score for object_id, score in frame_scores(gt, pred, ids).items()}
    return _Frame(scores, {i: outline(pred == i) for i in ids} if has_outlines else {})


def _proposed_frame(gt: IndexMask, pred: IndexMask, ids: tuple[int, ...], has_outlines: bool) -> _Frame:
    """Every proposal with every object; what the truth leaves open counts for neither."""
    pred = np.where(gt == IGNORE, 0, pred).astype(np.uint8)
    found = sorted(object_ids(pred))
    scores = {}
    for proposal in (_NOTHING, *found):
        area = (pred == proposal) & (proposal != _NOTHING)
        for object_id in ids:
            pair = frame_scores((gt == object_id).astype(np.uint8), area.astype(np.uint8), (1,))
            scores[proposal, object_id] = pair[1]
    return _Frame(scores, {i: outline(pred == i) for i in found} if has_outlines else {})


def _score(frame: _Frame, result: int, object_id: int) -> FrameScore:
    """A proposal that is not on a frame is empty there."""
    return frame.scores.get((result, object_id)) or frame.scores[_NOTHING, object_id]


def _matched(results: Path, frames: Sequence[_Frame], ids: Sequence[int]) -> dict[int, int]:
    """Object -> proposal."""
    proposals = sorted({proposal for frame in frames for proposal, _ in frame.scores} - {_NOTHING})
    if len(proposals) > MAX_PROPOSALS:
        raise AppError(f"{results}: holds {len(proposals)} proposals, more than {MAX_PROPOSALS}.", "Drop the worst.")
    proposals += [_NOTHING] * max(0, len(ids) - len(proposals))
    fit = [
        [np.mean([_score(frame, proposal, object_id).j_and_f for frame in frames]) for object_id in ids]
        for proposal in proposals
    ]
    return {object_id: proposals[row] for object_id, row in zip(ids, assign(np.array(fit)), strict=True)}


def _stability(wanted: Sequence[str], stems: Sequence[str], outlines: Sequence[Points | None]) -> float | None:
    """T over those frames that follow each other in the video."""
    place = {stem: index for index, stem in enumerate(wanted)}
    follows = np.array([place[b] - place[a] == 1 for a, b in zip(stems, stems[1:], strict=False)], bool)
    costs = stability(outlines)
    known = costs[follows & ~np.isnan(costs)] if len(costs) else costs
    return float(known.mean()) if len(known) else None
