"""The tree that the official interactive package reads: DAVIS 2017 itself, or a smaller one made to look like it.

The package knows the 30 validation sequences of DAVIS 2017 by name, length and size, takes object ids for 1, 2, 3, ...
and wants scribbles that people drew. Where a data set has other sequences, binary masks or no scribbles, a copy of its
masks is made as the package wants it, and its own robot draws the first scribbles.
"""
from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.davis_official import Official, SequenceInfo
from evaluation.vos_tree import VosSequence, open_tree
from interact.annotations import object_ids
from storage.atomic_file import disk_error, write_atomic
from storage.mask_folder import some
from storage.mask_io import read_mask, write_mask
from util.errors import AppError
from util.types import IndexMask
from util.vos_config import VosConfig

_MASKS, _SCRIBBLES = Path("Annotations", "480p"), "Scribbles"


@dataclass(frozen=True)
class InteractiveTree:
    """What is played.

    Args:
        root: for the package. images: sequence -> folder of its frames.
        note: why the figures are not the benchmark's; empty when they are.
    """

    root: Path
    sequences: tuple[SequenceInfo, ...]
    images: dict[str, Path]
    note: str

    def truth(self, name: str) -> list[IndexMask]:
        """uint8 [H, W] of every frame."""
        return [read_mask(file) for file in sorted((self.root / _MASKS / name).glob("*.png"))]


def prepare(davis: Path, subset: str, work: Path, official: Official) -> InteractiveTree:
    """The tree to play on.

    Args:
        work: folder for a smaller tree, made when it is needed; must not exist.

    Raises:
        AppError: no sequences; masks or frames that are missing or do not fit.
    """
    benchmark = official.benchmark(subset)
    if all(_is_whole(davis, info) for info in benchmark):
        images = {info.name: davis / "JPEGImages" / "480p" / info.name for info in benchmark}
        return InteractiveTree(davis, tuple(benchmark), images, "")
    sequences = open_tree(VosConfig("davis17", davis, subset=subset)).sequences
    drawn = [sequence.name for sequence in sequences if _stage(davis, work, sequence, official)]
    infos = tuple(_describe(work, sequence) for sequence in sequences)
    names = some([info.name for info in infos])
    many = "sequence" if len(infos) == 1 else "sequences"
    note = f"These are not the figures of the DAVIS 2017 benchmark: {len(infos)} {many} ({names})"
    if all(info.num_objects == 1 for info in infos):
        note += ", one object each"
    if drawn:
        note += ", first scribbles by the robot instead of people"
    return InteractiveTree(work, infos, {s.name: s.images for s in sequences}, f"{note}.")


def _is_whole(davis: Path, info: SequenceInfo) -> bool:
    scribbles = [davis / _SCRIBBLES / info.name / f"{i:03d}.json" for i in range(1, info.num_scribbles + 1)]
    masks = [davis / _MASKS / info.name / f"{i:05d}.png" for i in range(info.num_frames)]
    return all(file.is_file() for file in (*scribbles, *masks))


def _stage(davis: Path, work: Path, sequence: VosSequence, official: Official) -> bool:
    """Write the masks with ids 1 to K, and scribbles; returns whether the robot drew these."""
    missing = [stem for stem in sequence.wanted if stem not in sequence.truth]
    if missing:
        raise AppError(f"{sequence.name}: {len(missing)} frames have no mask: {some(missing)}.", "All are needed.")
    masks = [sequence.read_truth(stem) for stem in sequence.wanted]
    ids = sorted(frozenset[int]().union(*map(object_ids, masks)))
    table = np.zeros(256, np.uint8)
    table[ids] = np.arange(1, len(ids) + 1)
    masks = [table[mask] for mask in masks]
    folder, scribbles = work / _MASKS / sequence.name, work / _SCRIBBLES / sequence.name
    try:
        folder.mkdir(parents=True)
        scribbles.mkdir(parents=True)
    except OSError as error:
        raise disk_error(error, folder) from error
    for number, mask in enumerate(masks):
        write_mask(folder / f"{number:05d}.png", mask)
    given = sorted((davis / _SCRIBBLES / sequence.name).glob("*.json"))
    if given and ids == list(range(1, len(ids) + 1)):
        for number, file in enumerate(given, 1):
            shutil.copyfile(file, scribbles / f"{number:03d}.json")
        return False
    frame = _clearest(masks, len(ids))
    lines: list[list[object]] = [[] for _ in masks]
    lines[frame] = [*official.first_scribbles(masks[frame], len(ids))]
    if not lines[frame]:
        raise AppError(f"{sequence.name}: its objects are too small for a scribble.", "Leave the sequence out.")
    content = {"sequence": sequence.name, "scribbles": lines}
    write_atomic(scribbles / "001.json", json.dumps(content).encode())
    return True


def _clearest(masks: list[NDArray[np.uint8]], num_objects: int) -> int:
    """The frame on which the smallest object is largest: there a person would begin."""
    areas = [min(np.count_nonzero(mask == i) for i in range(1, num_objects + 1)) for mask in masks]
    return int(np.argmax(areas))


def _describe(work: Path, sequence: VosSequence) -> SequenceInfo:
    masks = InteractiveTree(work, (), {}, "").truth(sequence.name)
    height, width = masks[0].shape
    num_objects = max(max(object_ids(mask), default=0) for mask in masks)
    num_scribbles = len(list((work / _SCRIBBLES / sequence.name).glob("*.json")))
    return SequenceInfo(sequence.name, len(masks), num_objects, width, height, num_scribbles)
