"""Scores masks against a ground truth: `python -m evaluation.score --gt DIR --pred DIR [--csv FILE]`.

Region similarity J and contour accuracy F by the DAVIS definition and, as in the DAVIS semi-supervised protocol,
without the first and the last frame of the ground truth. Only frames that have a ground truth are scored.
"""
from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics import FrameScore, frame_scores, statistics
from evaluation.report import ALL, Row, as_csv, as_table, mean_row
from evaluation.sequences import SequencePair, find_sequences
from storage.atomic_file import write_atomic
from storage.mask_convert import present_values
from storage.mask_io import read_mask
from util.errors import AppError
from util.score_config import parse_score_config
from util.types import IGNORE, Size

_AGREED = FrameScore(1.0, 1.0)


@dataclass(frozen=True)
class SequenceScore:
    """One sequence: a row per object of the ground truth, and what else the prediction holds."""

    rows: tuple[Row, ...]
    unscored: tuple[int, ...]


@dataclass(frozen=True)
class _Frame:
    """Scores of the objects that are in the ground truth or in the prediction of one frame."""

    gt_ids: frozenset[int]
    scores: dict[int, FrameScore]


def score_sequence(pair: SequencePair) -> SequenceScore:
    """Score one sequence. AppError for masks that cannot be read or compared, or when there is no object."""
    # The ends are read for their objects only: one that is nowhere else still counts, as absent throughout.
    with ThreadPoolExecutor() as pool:
        ends = list(pool.map(lambda path: _object_ids(read_mask(path)), _ends(pair)))
        frames = list(pool.map(lambda stem: _score_frame(pair.gt[stem], pair.pred[stem]), pair.stems))
    object_ids = frozenset[int]().union(*ends, *(frame.gt_ids for frame in frames))
    if not object_ids:
        raise AppError(f"{pair.gt[pair.stems[0]].parent}: no mask holds an object.", "Is this the ground truth?")
    rows = []
    for object_id in sorted(object_ids):
        scores = [frame.scores.get(object_id, _AGREED) for frame in frames]
        region = statistics(np.array([score.region for score in scores]))
        contour = statistics(np.array([score.contour for score in scores]))
        rows.append(Row(pair.name, str(object_id), len(scores), region, contour))
    others = frozenset[int]().union(*(frame.scores for frame in frames)) - object_ids
    return SequenceScore(tuple(rows), tuple(sorted(others)))


def _ends(pair: SequencePair) -> tuple[Path, Path]:
    files = tuple(pair.gt.values())
    return files[0], files[-1]


def _object_ids(mask: NDArray[np.uint8]) -> frozenset[int]:
    return frozenset(present_values(mask)) - {IGNORE}


def _score_frame(gt_file: Path, pred_file: Path) -> _Frame:
    gt, pred = read_mask(gt_file), read_mask(pred_file)
    if gt.shape != pred.shape:
        raise AppError(
            f"{pred_file}: is {Size(*pred.shape)} pixels, the ground truth {gt_file} is {Size(*gt.shape)}.",
            "Predictions must have the size of the ground truth.",
        )
    gt_ids = _object_ids(gt)
    return _Frame(gt_ids, frame_scores(gt, pred, tuple(gt_ids | _object_ids(pred))))


def score_folders(gt: Path, pred: Path) -> list[SequenceScore]:
    """Score every sequence below `gt`. Raises AppError as `find_sequences` and `score_sequence` do."""
    return [score_sequence(pair) for pair in find_sequences(gt, pred)]


def summarize(scores: Sequence[SequenceScore]) -> list[Row]:
    """A row per object, one per sequence with several objects, and the mean over all objects at the end."""
    rows: list[Row] = []
    for score in scores:
        rows.extend(score.rows)
        if len(score.rows) > 1:
            rows.append(mean_row(score.rows[0].sequence, score.rows[0].num_frames, score.rows))
    num_frames = sum(score.rows[0].num_frames for score in scores)
    rows.append(mean_row(ALL, num_frames, [row for score in scores for row in score.rows]))
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    config = parse_score_config(sys.argv[1:] if argv is None else argv)
    try:
        scores = score_folders(config.gt, config.pred)
        rows = summarize(scores)
        if config.csv is not None:
            write_atomic(config.csv, as_csv(rows).encode())
    except AppError as error:
        print(f"evaluation.score: {error}", file=sys.stderr)
        return 2
    for score in scores:
        if score.unscored:
            ids = ", ".join(map(str, score.unscored))
            print(f"{score.rows[0].sequence}: not in the ground truth, not scored: object {ids}", file=sys.stderr)
    print(as_table(rows))
    print(f"J&F {100 * rows[-1].j_and_f:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
