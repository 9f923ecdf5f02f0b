"""S2M behind the torch-free `CropSegmenter`, and for all objects at once as the published programs ask it.

To be built and called on one thread.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference_core.device import ComputeDevice, open_device
from inference_core.geometry import Geometry
from inference_core.mivos_interactions import after_scribble
from model import zoo
from model.folding import fold_batch_norm
from model.scribble_net import IMAGE_MEAN, IMAGE_STD, MULTIPLE, ScribbleNet, load_scribble_net
from util.types import ImageU8, IndexMask, Size

WEIGHTS = "s2m"


class ScribbleSegmenter:
    """See `CropSegmenter`. Any size goes in: a whole frame, a window, a local region.

    Args:
        network: in eval mode; is placed on the device.
    """

    def __init__(self, network: ScribbleNet, compute: ComputeDevice) -> None:
        self._network = compute.place(network)
        self._compute = compute

    @torch.inference_mode()
    def segment(
        self,
        image: ImageU8,
        previous: NDArray[np.bool_],
        inside: NDArray[np.bool_],
        outside: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """See `CropSegmenter`."""
        geometry = Geometry.padded(Size(*previous.shape), None, MULTIPLE)
        planes = self._planes(np.stack([previous, inside, outside]), geometry)
        prob = self._answer(self._pixels(image, geometry), planes)
        return np.asarray(geometry.to_native(prob[None])[0].cpu().numpy(), np.float32)

    @torch.inference_mode()
    def segment_all(
        self, image: ImageU8, previous: IndexMask, inside: NDArray[np.bool_], outside: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """All objects together, in competition, at the padded size as the published programs do it.

        Args:
            image: uint8 [H, W, 3].
            previous: uint8 [Hp, Wp] index mask, padding included.
            inside, outside: bool [K, H, W] or [K, Hp, Wp], the pixels of each object's positive and negative prompts.

        Returns:
            float32 [K+1, Hp, Wp], background first, sums to 1.
        """
        geometry = Geometry.padded(Size(*image.shape[:2]), None, MULTIPLE)
        pixels = self._pixels(image, geometry)
        before = np.stack([previous == number for number in range(1, len(inside) + 1)])
        planes = torch.stack([self._planes(part, geometry) for part in (before, inside, outside)], 1)
        prob = torch.stack([self._answer(pixels, one) for one in planes])
        return np.asarray(after_scribble(prob).cpu().numpy(), np.float32)

    def _pixels(self, image: ImageU8, geometry: Geometry) -> Tensor:
        return geometry.image_to_working(image, IMAGE_MEAN, IMAGE_STD, self._compute.device)

    def _planes(self, planes: NDArray[np.bool_], geometry: Geometry) -> Tensor:
        """float32 [C, Hp, Wp] of planes at the native or at the padded size."""
        placed = torch.from_numpy(planes).to(self._compute.device, torch.float32)
        return placed if placed.shape[1:] == geometry.working else geometry.to_working(placed)

    def _answer(self, pixels: Tensor, planes: Tensor) -> Tensor:
        """Probability [Hp, Wp] from the object's previous mask, positive and negative prompts [3, Hp, Wp]."""
        with self._compute.autocast():
            logits = self._network(pixels, planes[None, :1], planes[None, 1:])
        return torch.sigmoid(logits[0])


def build_scribble_segmenter(device: str, *, mixed_precision: bool, weights: Path | None = None) -> ScribbleSegmenter:
    """S2M for the scribble tool.

    Args:
        device: as `--device`.
        weights: another file than `saves/s2m.pth`.

    Raises:
        AppError: weights missing or wrong, device not there.
    """
    network = load_scribble_net(zoo.resolve(WEIGHTS, weights))
    return ScribbleSegmenter(fold_batch_norm(network), open_device(device, mixed_precision=mixed_precision))
