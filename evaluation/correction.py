"""A correction in two rounds, with the truth as the user: what fusion is worth.

    python -m evaluation.correction --clips DIR [--fusion network linear none] [--csv FILE]

`DIR` is a data set in the DAVIS layout. Round 1 carries the true first mask through the clip. Round 2 gives the true
mask on the frame with the lowest J and propagates from there, through the program's own engine; frames between the two
key frames are fused by the light fusion network, by distance, or not at all. J&F is the mean over all other frames,
and over those between the key frames, which alone differ.
"""
from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.metrics import FrameScore, frame_scores
from evaluation.report import ALL
from inference_core.api import KeyFrame, PropagationRequest
from inference_core.registry import FusionChoice
from interact.annotations import load_annotations, object_ids
from storage.atomic_file import write_atomic
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.image_folder import natural_key
from util.config import AppConfig
from util.errors import AppError
from util.jobs import CancelToken
from util.threads import calm_openmp
from util.types import IndexMask

if TYPE_CHECKING:
    from inference_core.core import CoreState, InferenceCore

IMAGES, MASKS = "JPEGImages", "Annotations"
_RESOLUTION = "480p"
_CHOICES: tuple[FusionChoice, ...] = ("network", "linear", "none")


@dataclass(frozen=True)
class Outcome:
    """Mean J&F, 0..1, of one sequence (or over all of them) before and after a correction.

    Args:
        corrected: the frame; None over several sequences.
        frames, between: how many frames the means are over: all but the key frames, and those between them.
        before, after: over all of them. before_between, after_between: None where nothing lies between.
    """

    sequence: str
    fusion: FusionChoice
    corrected: int | None
    frames: int
    between: int
    before: float
    after: float
    before_between: float | None
    after_between: float | None


class Correction:
    """Both rounds on one sequence.

    Args:
        truth: frame -> mask, of the first frame at least; frames without one are not scored.
    """

    def __init__(self, name: str, frames: FrameStore, truth: Mapping[int, IndexMask], config: AppConfig) -> None:
        if 0 not in truth or len(truth) < 3:
            raise AppError(f"{name}: needs the true mask of the first frame and of two others.", "Check --clips.")
        self._name, self._frames, self._config = name, frames, config
        self._ids = object_ids(truth[0])
        # Objects that come later are nobody's here: the user of this experiment marks those of the first frame.
        self._truth = {frame: np.where(np.isin(mask, [*self._ids]), mask, 0) for frame, mask in truth.items()}
        self._first = KeyFrame(0, self._truth[0], self._ids)

    def run(self, choices: Sequence[FusionChoice]) -> Iterator[Outcome]:
        """The outcome of each choice. Raises AppError (weights missing)."""
        masks: list[IndexMask] = [self._first.mask] + [np.zeros(self._frames.size, np.uint8)] * (len(self._frames) - 1)
        with closing(self._core(masks, choices[0])) as core:
            core.sync([self._first])
            _carry(core, PropagationRequest(0, "forward"), masks)
            state = core.snapshot()
        before = {frame: self._score(frame, masks) for frame in self._truth if frame > 0}
        corrected = min(before, key=lambda frame: float(np.mean([s.region for s in before[frame].values()])))
        for choice in choices:
            yield self._outcome(choice, corrected, before, self._second_round(choice, corrected, state, masks))

    def _core(self, masks: list[IndexMask], choice: FusionChoice) -> InferenceCore:
        from inference_core.factory import build_core  # here, so that wrong input is told before torch has loaded

        return build_core(self._config, self._frames, masks.__getitem__, fusion=choice)

    def _second_round(
        self, choice: FusionChoice, corrected: int, state: CoreState, first_round: list[IndexMask]
    ) -> list[IndexMask]:
        masks = list(first_round)
        masks[corrected] = self._truth[corrected]
        with closing(self._core(masks, choice)) as core:
            core.restore(state)
            core.sync([self._first, KeyFrame(corrected, masks[corrected], self._ids, baseline=first_round[corrected])])
            _carry(core, PropagationRequest(corrected, "both"), masks)
        return masks

    def _score(self, frame: int, masks: list[IndexMask]) -> dict[int, FrameScore]:
        return frame_scores(self._truth[frame], masks[frame], tuple(sorted(self._ids)))

    def _outcome(
        self,
        choice: FusionChoice,
        corrected: int,
        before: Mapping[int, dict[int, FrameScore]],
        masks: list[IndexMask],
    ) -> Outcome:
        others = [frame for frame in before if frame != corrected]
        between = [frame for frame in others if frame < corrected]
        after = {frame: self._score(frame, masks) for frame in others}
        return Outcome(
            self._name,
            choice,
            corrected,
            len(others),
            len(between),
            _mean([before[frame] for frame in others]),
            _mean([after[frame] for frame in others]),
            _mean([before[frame] for frame in between]) if between else None,
            _mean([after[frame] for frame in between]) if between else None,
        )


def _carry(core: InferenceCore, request: PropagationRequest, masks: list[IndexMask]) -> None:
    for result in core.propagate(request, CancelToken()):
        masks[result.frame] = result.mask


def _mean(scores: Sequence[Mapping[int, FrameScore]]) -> float:
    return float(np.mean([(score.region + score.contour) / 2 for frame in scores for score in frame.values()]))


def find_clips(folder: Path) -> list[tuple[str, Path, Path]]:
    """Name, folder of frames and folder of masks of every sequence. Raises AppError where the layout is another."""
    roots = []
    for part in (IMAGES, MASKS):
        root = folder / part
        if not root.is_dir():
            raise AppError(f"{root}: no such folder.", "--clips names a data set in the DAVIS layout.")
        roots.append(root / _RESOLUTION if (root / _RESOLUTION).is_dir() else root)
    names = sorted((entry.name for entry in roots[1].iterdir() if entry.is_dir()), key=natural_key)
    if not names:
        raise AppError(f"{roots[1]}: holds no sequences.", "--clips names a data set in the DAVIS layout.")
    return [(name, roots[0] / name, roots[1] / name) for name in names]


def correct_all(folder: Path, config: AppConfig, choices: Sequence[FusionChoice]) -> Iterator[Outcome]:
    """Every sequence of a data set with every choice, one after another. Raises AppError."""
    for name, images, masks in find_clips(folder):
        with closing(FrameStore(open_source(images), budget_bytes=config.budgets.frames)) as frames:
            truth = load_annotations(masks, frames, range(len(frames)))
            yield from Correction(name, frames, truth, config).run(choices)


def overall(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Per choice the mean over the sequences, each counting the same."""
    rows = []
    for choice in dict.fromkeys(outcome.fusion for outcome in outcomes):
        own = [outcome for outcome in outcomes if outcome.fusion == choice]
        fused = [outcome for outcome in own if outcome.between]
        rows.append(
            Outcome(
                ALL,
                choice,
                None,
                sum(outcome.frames for outcome in own),
                sum(outcome.between for outcome in own),
                float(np.mean([outcome.before for outcome in own])),
                float(np.mean([outcome.after for outcome in own])),
                float(np.mean([outcome.before_between for outcome in fused])) if fused else None,
                float(np.mean([outcome.after_between for outcome in fused])) if fused else None,
            )
        )
    return rows


_HEADINGS = (
    "sequence", "fusion", "corrected", "frames", "J&F_before", "J&F_after", "between", "between_before", "between_after"
)


def _cells(outcome: Outcome, scale: float, digits: int) -> tuple[str, ...]:
    def number(value: float | None) -> str:
        return "" if value is None else f"{scale * value:.{digits}f}"

    return (
        outcome.sequence,
        outcome.fusion,
        "" if outcome.corrected is None else str(outcome.corrected),
        str(outcome.frames),
        number(outcome.before),
        number(outcome.after),
        str(outcome.between),
        number(outcome.before_between),
        number(outcome.after_between),
    )


def as_line(outcome: Outcome) -> str:
    """One row of the table for people, in percent."""
    name, *cells = _cells(outcome, 100, 2)
    return f"{name:<20}" + "".join(f"{cell:>16}" for cell in cells)


def as_csv(outcomes: Sequence[Outcome]) -> str:
    """Shares 0..1 with six decimals; what does not apply is empty."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([_HEADINGS, *(_cells(outcome, 1, 6) for outcome in outcomes)])
    return text.getvalue()


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    parser = argparse.ArgumentParser(prog="python -m evaluation.correction", description="What a correction brings.")
    parser.add_argument("--clips", type=Path, required=True, help="data set in the DAVIS layout, with all masks")
    parser.add_argument("--fusion", nargs="+", choices=_CHOICES, default=list(_CHOICES), help="default: all three")
    parser.add_argument("--weights", type=Path, help="of the light network; default: the embedded ones")
    parser.add_argument("--fusion_model", type=Path, help="of the light fusion network; default: the embedded ones")
    parser.add_argument("--csv", type=Path, help="also write the table as CSV")
    given = parser.parse_args(argv)
    choices = tuple(dict.fromkeys(given.fusion))
    config = AppConfig(engine="light", weights=given.weights, fusion_model=given.fusion_model)
    outcomes: list[Outcome] = []
    try:
        print(f"{_HEADINGS[0]:<20}" + "".join(f"{name:>16}" for name in _HEADINGS[1:]))
        for outcome in correct_all(given.clips, config, choices):
            outcomes.append(outcome)
            print(as_line(outcome), flush=True)
        outcomes += overall(outcomes)
        if given.csv is not None:
            write_atomic(given.csv, as_csv(outcomes).encode())
    except AppError as error:
        print(f"evaluation.correction: {error}", file=sys.stderr)
        return 2
    for outcome in outcomes[-len(choices) :]:
        print(as_line(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
