"""Files of samples for quality networks: masks that an engine carried, with their true J. Made by `quality_samples`."""
from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from model.light_quality import INPUTS
from training.sample_files import SUFFIX, Kinds, load_arrays, save_arrays
from util.errors import AppError

_MAKE = "Make some: python -m training.quality_samples"


@dataclass(frozen=True)
class QualitySamples:
    """The arrays of a file of N samples from one sequence, or of several files joined.

    Args:
        region: float32 [N], true J of the mask, 0..1.
        margin: float32 [N], how sure the engine was (`ObjectMeasure`).
        clip: int32 [N], number of the sequence. age: int32 [N], frames since the key frame it was carried from.
    """

    region: NDArray[np.float32]
    margin: NDArray[np.float32]
    clip: NDArray[np.int32]
    age: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.region)

    def kinds(self) -> Kinds:
        """What the arrays should be."""
        one = (len(self.region),)
        return {"region": ("f4", one), "margin": ("f4", one), "clip": ("i4", one), "age": ("i4", one)}

    def save(self, path: Path) -> None:
        """Raises AppError if the file cannot be written."""
        save_arrays(path, vars(self))


@dataclass(frozen=True)
class ImageSamples(QualitySamples):
    """For a network that looks at masks, as it sees them.

    Args:
        image: uint8 [N, S, S, 3] RGB. prob: uint8 [N, S, S], 255 for 1.
        contour: float32 [N], true F of the mask, 0..1.
    """

    image: NDArray[np.uint8]
    prob: NDArray[np.uint8]
    contour: NDArray[np.float32]

    def kinds(self) -> Kinds:
        """See `QualitySamples`."""
        count, side = len(self.region), self.prob.shape[-1]
        own: Kinds = {"image": ("u1", (count, side, side, 3)), "prob": ("u1", (count, side, side))}
        return super().kinds() | own | {"contour": ("f4", (count,))}


@dataclass(frozen=True)
class MeasuredSamples(QualitySamples):
    """For the light quality network. Args: values: float32 [N, INPUTS], `ObjectMeasure.values`."""

    values: NDArray[np.float32]

    def kinds(self) -> Kinds:
        """See `QualitySamples`."""
        return super().kinds() | {"values": ("f4", (len(self.region), INPUTS))}


Kind = TypeVar("Kind", bound=QualitySamples)


def load_samples(folder: Path, kind: type[Kind]) -> Kind:
    """All samples of a folder. AppError if there are none, or a file is damaged, else's or made for another network."""
    found = []
    for number, path in enumerate(sorted(folder.glob(f"*{SUFFIX}"))):
        samples = load_arrays(path, kind, _MAKE)
        found.append(replace(samples, clip=np.full(len(samples), number, np.int32)))
    if not found:
        raise AppError(f"{folder} holds no samples for a quality network.", _MAKE)
    return kind(**{field.name: np.concatenate([getattr(one, field.name) for one in found]) for field in fields(kind)})
