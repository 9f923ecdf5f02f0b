"""The light quality network at work: beside every pass, on the masks that it makes."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference_core.registry import LIGHT_ASSESSOR_WEIGHTS
from model import zoo
from model.light_quality import LightQualityNet, load_light_quality


class LightJudge:
    """See `inference_core.pass_measures.MaskJudge`. A few thousand numbers: it stays on the CPU."""

    def __init__(self, network: LightQualityNet) -> None:
        self._network = network

    @torch.inference_mode()
    def judge(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `MaskJudge`."""
        predicted: NDArray[np.float32] = torch.sigmoid(self._network(torch.from_numpy(values))).numpy()
        return predicted


def build_judge(weights: Path | None = None) -> LightJudge | None:
    """By the weights of the file that is named, or of the one in its place; None where there is none. AppError."""
    if weights is None and not zoo.is_available(LIGHT_ASSESSOR_WEIGHTS):
        return None
    return LightJudge(load_light_quality(zoo.resolve(LIGHT_ASSESSOR_WEIGHTS, weights)))
