"""From a frame's native size to an engine's working size and back.

Two conventions: `padded` keeps the aspect ratio and pads to a multiple (published systems), `rounded` resizes each side
to the nearest multiple so that nothing is padded (the light network).
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from util.types import ImageU8, Size


def _shrunk(native: Size, short_side: int | None) -> tuple[int, int]:
    """Scale as numerator and denominator; never enlarges, since that adds work and no information."""
    shorter = min(native)
    return (shorter, shorter) if short_side is None else (min(short_side, shorter), shorter)


@dataclass(frozen=True)
class Geometry:
    """native -> resized -> padded at the sides by `left, right, top, bottom`.

    Args:
        multiple: of which the sides are, with their padding.
        is_padded: which of the two conventions made it.
    """

    native: Size
    resized: Size
    pad: tuple[int, int, int, int]
    multiple: int = 16
    is_padded: bool = True

    @classmethod
    def padded(cls, native: Size, short_side: int | None, multiple: int = 16) -> Geometry:
        """Shorter side to `short_side` (None: native) by integer floor; the padding is split, the odd pixel last."""
        numerator, denominator = _shrunk(native, short_side)
        resized = Size(*(side * numerator // denominator for side in native))
        missing_rows, missing_columns = (-side % multiple for side in resized)
        top, left = missing_rows // 2, missing_columns // 2
        return cls(native, resized, (left, missing_columns - left, top, missing_rows - top), multiple)

    @classmethod
    def rounded(cls, native: Size, short_side: int | None, multiple: int = 16) -> Geometry:
        numerator, denominator = _shrunk(native, short_side)
        resized = (max(1, round(side * numerator / denominator / multiple)) * multiple for side in native)
        return cls(native, Size(*resized), (0, 0, 0, 0), multiple, is_padded=False)

    def with_short_side(self, short_side: int) -> Geometry:
        """The same convention at another working size."""
        make = type(self).padded if self.is_padded else type(self).rounded
        return make(self.native, short_side, self.multiple)

    @property
    def working(self) -> Size:
        left, right, top, bottom = self.pad
        return Size(self.resized.height + top + bottom, self.resized.width + left + right)

    def image_to_working(
        self, image: ImageU8, mean: tuple[float, ...], std: tuple[float, ...], device: torch.device
    ) -> Tensor:
        """uint8 [H, W, 3], a frame or a part of one -> float32 [1, 3, Hp, Wp]: resized, normalised, then padded with
        zeros (the mean colour)."""
        resized: NDArray[np.generic] = image
        if image.shape[:2] != tuple(self.resized):
            way = cv2.INTER_AREA if image.shape[0] > self.resized.height else cv2.INTER_LINEAR
            resized = cv2.resize(image, (self.resized.width, self.resized.height), interpolation=way)
        pixels = torch.tensor(resized).to(device).float()  # a copy: frames are read-only
        scale = torch.tensor(std, device=device)
        pixels.div_(255 * scale).sub_(torch.tensor(mean, device=device) / scale)
        planes = pixels.permute(2, 0, 1)[None]
        return F.pad(planes, self.pad) if any(self.pad) else planes

    def to_working(self, planes: Tensor) -> Tensor:
        """float [C, H, W], of a frame or of a part of one -> [C, Hp, Wp], averaged over the pixels that fall together,
        padded with zeros."""
        if planes.shape[1:] != self.resized:
            planes = F.interpolate(planes[None], tuple(self.resized), mode="area")[0]
        return F.pad(planes, self.pad)

    def to_native(self, planes: Tensor) -> Tensor:
        """float [C, Hp, Wp] -> [C, H, W], padding removed, bilinear."""
        left, _, top, _ = self.pad
        planes = planes[:, top : top + self.resized.height, left : left + self.resized.width]
        if self.resized == self.native:
            return planes
        return F.interpolate(planes[None], tuple(self.native), mode="bilinear", align_corners=False)[0]


class PaddedPlanes(Geometry):
    """Frames are padded, masks come and go padded: the published DAVIS programs pad a video before anything else."""

    def to_working(self, planes: Tensor) -> Tensor:
        """float [C, Hp, Wp], as it is."""
        return planes

    def to_native(self, planes: Tensor) -> Tensor:
        """float [C, Hp, Wp], as it is."""
        return planes
