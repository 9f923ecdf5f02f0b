"""The light interaction network behind the torch-free `CropSegmenter`. To be built and called on one thread."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from inference_core.api import INTERACTION_WEIGHTS, CropSegmenter
from inference_core.device import ComputeDevice, open_device
from model import zoo
from model.folding import fold_batch_norm
from model.interaction_net import IMAGE_MEAN, IMAGE_STD, InteractionNet, load_interaction_net
from model.winograd import use_winograd
from util.types import ImageU8

_MULTIPLE = 32
"""The network takes sides that are multiples of this."""
_LEAST = 64
"""Sides are filled up to this. On maps 2 wide, oneDNN's bfloat16 convolution of stride 2 reads memory that nobody has
written (PyTorch 2.15, AMX), so that now and then nothing but NaN comes out."""


class NetworkSegmenter:
    """See `CropSegmenter`. Any size goes in; the border is repeated up to what the network takes.

    Args:
        network: float32, in eval mode; is changed (its batch normalisation folded, made fast for the device).
    """

    def __init__(self, network: InteractionNet, compute: ComputeDevice) -> None:
        folded = fold_batch_norm(network)
        self._network = compute.place(use_winograd(folded) if compute.is_plain_processor else folded)
        self._compute = compute
        self._mean = torch.tensor(IMAGE_MEAN, device=compute.device)[:, None, None]
        self._std = torch.tensor(IMAGE_STD, device=compute.device)[:, None, None]

    @torch.inference_mode()
    def segment(
        self,
        image: ImageU8,
        previous: NDArray[np.bool_],
        inside: NDArray[np.bool_],
        outside: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """See `CropSegmenter`."""
        height, width = previous.shape
        colors = self._tensor(np.moveaxis(image, 2, 0)).div_(255).sub_(self._mean).div_(self._std)
        planes = self._tensor(np.stack([previous, inside, outside]))
        given = F.pad(torch.cat([colors, planes])[None], (0, _missing(width), 0, _missing(height)), mode="replicate")
        given = given.contiguous(memory_format=torch.channels_last)
        with self._compute.autocast():
            logits = self._network(given[:, :3], given[:, 3:4], given[:, 4:])
        return np.asarray(torch.sigmoid(logits[0, :height, :width]).cpu().numpy(), np.float32)

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        """float32 on the device."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._compute.device, torch.float32)


def _missing(side: int) -> int:
    return max(side + -side % _MULTIPLE, _LEAST) - side


def build_segmenter(device: str, *, mixed_precision: bool, weights: Path | None = None) -> CropSegmenter:
    """The network that answers clicks and scribbles.

    Args:
        device: as `--device`.
        weights: another file than the embedded one.

    Raises:
        AppError: weights missing or wrong, device not there.
    """
    network = load_interaction_net(zoo.resolve(INTERACTION_WEIGHTS, weights))
    return NetworkSegmenter(network, open_device(device, mixed_precision=mixed_precision))
