"""What a scored data set comes to: rows, the mean, the four figures of YouTube-VOS, and every object as CSV."""
from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.report import ALL, Row, mean_row
from evaluation.vos_score import ObjectScore


@dataclass(frozen=True)
class SeenUnseen:
    """J and F over objects of classes that the training set shows, and over those of others; None where there is none.

    Xu et al.: "YouTube-VOS: A Large-Scale Video Object Segmentation Benchmark", arXiv 1809.03327.
    """

    region_seen: float | None
    region_unseen: float | None
    contour_seen: float | None
    contour_unseen: float | None

    @property
    def overall(self) -> float | None:
        """G, the mean of the four."""
        parts = (self.region_seen, self.region_unseen, self.contour_seen, self.contour_unseen)
        known = [part for part in parts if part is not None]
        return float(np.mean(known)) if len(known) == len(parts) else None


@dataclass(frozen=True)
class VosSummary:
    """Scores of a data set.

    Args:
        rows: as `evaluation.report` shows them, the mean over all objects last.
        stability: mean T over the objects that have one.
        split: of YouTube-VOS, where the training set's classes are known.
    """

    objects: tuple[ObjectScore, ...]
    rows: tuple[Row, ...]
    stability: float | None
    split: SeenUnseen | None

    @property
    def overall(self) -> Row:
        return self.rows[-1]


def summarize(objects: Sequence[ObjectScore], seen: frozenset[str] | None) -> VosSummary:
    """At least one object; every object counts the same."""
    rows: list[Row] = []
    num_frames = 0
    for name in dict.fromkeys(item.sequence for item in objects):
        own = [item for item in objects if item.sequence == name]
        frames = len(frozenset[str]().union(*(item.stems for item in own)))
        num_frames += frames
        rows += [item.row for item in own]
        if len(own) > 1:
            rows.append(mean_row(name, frames, [item.row for item in own]))
    rows.append(mean_row(ALL, num_frames, [item.row for item in objects]))
    known = [item.stability for item in objects if item.stability is not None]
    split = None if seen is None else _split(objects, seen)
    return VosSummary(tuple(objects), tuple(rows), float(np.mean(known)) if known else None, split)


def _split(objects: Sequence[ObjectScore], seen: frozenset[str]) -> SeenUnseen:
    old = [item for item in objects if item.category in seen]
    new = [item for item in objects if item.category not in seen]

    def mean(items: Sequence[ObjectScore], measure: str) -> float | None:
        return float(np.mean([getattr(item, measure).mean() for item in items])) if items else None

    return SeenUnseen(mean(old, "region"), mean(new, "region"), mean(old, "contour"), mean(new, "contour"))


def objects_csv(objects: Sequence[ObjectScore]) -> str:
    """Everything that is known of every object; shares with six decimals, what does not apply is empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((
        "sequence", "object", "category", "proposal", "frames",
        "J_mean", "J_recall", "J_decay", "F_mean", "F_recall", "F_decay", "J&F", "T",
    ))
    for item in objects:
        row = item.row
        j, f = row.region, row.contour
        numbers = (j.mean, j.recall, j.decay, f.mean, f.recall, f.decay, row.j_and_f, item.stability)
        head = (item.sequence, item.object_id, item.category, "" if item.proposal is None else item.proposal)
        cells = ("" if value is None else f"{value:.6f}" for value in numbers)
        writer.writerow((*head, len(item.stems), *cells))
    return text.getvalue()
