"""Folders of masks that belong together: ground truth and prediction, sequence by sequence, frame by frame."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from storage.image_folder import natural_key
from storage.mask_folder import mask_files, some
from util.errors import AppError


@dataclass(frozen=True)
class SequencePair:
    """The files of one sequence.

    Args:
        name: for the report.
        stems: of the frames to be scored, in order: all of the ground truth but the first and the last.
        gt, pred: stem -> mask file; both have every stem in `stems`.
    """

    name: str
    stems: tuple[str, ...]
    gt: dict[str, Path]
    pred: dict[str, Path]


def find_sequences(gt: Path, pred: Path) -> list[SequencePair]:
    """The sequences below two folders of the same layout.

    Args:
        gt: a folder of PNG masks, or a folder of such folders.
        pred: the same; further sequences and frames in it are not looked at.

    Raises:
        AppError: a folder that is missing or holds no masks, a sequence or frame without a prediction, a sequence of
            fewer than three frames.
    """
    for folder in (gt, pred):
        if not folder.is_dir():
            raise AppError(f"{folder}: no such folder.", "Give folders of PNG masks.")
    files = mask_files(gt)
    if files:
        return [_pair(gt.absolute().name, gt, pred)]
    names = [folder.name for folder in _subfolders(gt) if mask_files(folder)]
    if not names:
        raise AppError(f"{gt}: holds no PNG masks.", "Give the folder with the masks or the one above them.")
    absent = [name for name in names if not (pred / name).is_dir()]
    if absent:
        raise AppError(f"{pred}: has no folder for the sequence {some(absent)}.", "Propagate these sequences first.")
    return [_pair(name, gt / name, pred / name) for name in names]


def _pair(name: str, gt: Path, pred: Path) -> SequencePair:
    gt_files, pred_files = mask_files(gt), mask_files(pred)
    if not pred_files:
        raise AppError(f"{pred}: holds no PNG masks.", f"It should hold the masks to be compared with {gt}.")
    stems = tuple(gt_files)[1:-1]
    if not stems:
        raise AppError(
            f"{gt}: holds {len(gt_files)} masks; three are needed at least.",
            "The first and the last one are left out of the score.",
        )
    missing = [stem for stem in stems if stem not in pred_files]
    if missing:
        raise AppError(
            f"{pred}: {len(missing)} of {len(stems)} frames have no mask: {some([f'{s}.png' for s in missing])}.",
            f"Names must be those in {gt}.",
        )
    return SequencePair(name, stems, gt_files, pred_files)


def _subfolders(folder: Path) -> list[Path]:
    found = [entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    return sorted(found, key=lambda entry: natural_key(entry.name))
