"""Files of samples for the light fusion network: frames of one clip with two results. Made by `fusion_samples`."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference_core.fusion import FusionInput
from model.light import IMAGE_MEAN, IMAGE_STD
from training.fusion_rounds import FusionFrame
from training.propagation import normalised
from training.sample_files import SUFFIX, Kinds, load_arrays, save_arrays
from util.errors import AppError

_MAKE = "Make some: python -m training.fusion_samples"


@dataclass(frozen=True)
class FusionSamples:
    """F frames of a clip with A objects, rounded to bytes (255 for 1).

    Args:
        image: uint8 [F, 3, H, W] RGB.
        old, new: uint8 [F, A, H, W]. attention: uint8 [F, A, 2, H, W]. They are those of `FusionInput`.
        labels: uint8 [F, H, W], the truth: 0 background, 1..A.
        old_distance: float32 [F].
    """

    image: NDArray[np.uint8]
    old: NDArray[np.uint8]
    new: NDArray[np.uint8]
    attention: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    old_distance: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of(cls, frames: Sequence[FusionFrame]) -> FusionSamples:
        """Frames of one clip, all with attention."""
        given = [frame.given for frame in frames]
        number = torch.arange(1, len(frames[0].truth) + 1).view(-1, 1, 1)
        return cls(
            image=_bytes([_colours(one.image) for one in given]),
            old=_bytes([one.old for one in given]),
            new=_bytes([one.new for one in given]),
            attention=_bytes([one.attention for one in given]),
            labels=np.stack([(frame.truth.cpu() * number).sum(0).to(torch.uint8).numpy() for frame in frames]),
            old_distance=np.array([one.old_distance for one in given], np.float32),
        )

    def frame(self, index: int) -> FusionFrame:
        """As it was played, but for the rounding."""
        old_distance = float(self.old_distance[index])
        given = FusionInput(
            image=normalised(_floats(self.image[index]))[None],
            old=_floats(self.old[index]),
            new=_floats(self.new[index]),
            attention=_floats(self.attention[index]),
            old_distance=old_distance,
            new_distance=1 - old_distance,
        )
        number = torch.arange(1, self.old.shape[1] + 1).view(-1, 1, 1)
        return FusionFrame(given, (torch.from_numpy(self.labels[index]) == number).float())

    def kinds(self) -> Kinds:
        """What the arrays should be."""
        frames, height, width = self.labels.shape
        planes = (frames, self.old.shape[1], height, width)
        return {
            "image": ("u1", (frames, 3, height, width)),
            "old": ("u1", planes),
            "new": ("u1", planes),
            "attention": ("u1", (*planes[:2], 2, height, width)),
            "labels": ("u1", (frames, height, width)),
            "old_distance": ("f4", (frames,)),
        }

    @classmethod
    def load(cls, path: Path) -> FusionSamples:
        """Raises AppError if the file is damaged or something else."""
        return load_arrays(path, cls, _MAKE)

    def save(self, path: Path) -> None:
        """Raises AppError if the file cannot be written."""
        save_arrays(path, vars(self))


def load_fusion_samples(folder: Path) -> list[FusionSamples]:
    """The clips of a folder. AppError if there are none, or a file is damaged or something else."""
    found = [FusionSamples.load(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    if not found:
        raise AppError(f"{folder} holds no samples for the light fusion network.", _MAKE)
    return found


def _bytes(planes: Sequence[Tensor]) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = (torch.stack(list(planes)).float() * 255).round().clamp(0, 255).byte().cpu().numpy()
    return array


def _floats(array: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(array).float() / 255


def _colours(image: Tensor) -> Tensor:
    """Undoes `normalised`: [1, 3, H, W] -> 0..1 [3, H, W]."""
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (IMAGE_MEAN, IMAGE_STD))
    return image[0].cpu().float() * std + mean
