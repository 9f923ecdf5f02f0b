"""Clicks as tensors: rows of coordinates for the network, small squares for the optimisation."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from inference_core.api import ImageClick
from util.types import Size

_FILLER = (-1.0, -1.0)
_REACH = 1
"""Pixels around a click that the optimisation holds the answer to."""


def point_rows(images: Sequence[Sequence[ImageClick]], limit: int, device: torch.device) -> Tensor:
    """(row, column) of the first `limit` clicks of each image, positive ones first, then negative ones.

    Returns:
        float32 [B, 2P, 2], filled up with (-1, -1); P is at least 1.
    """
    counts = [sum(click.positive == sign for click in clicks) for clicks in images for sign in (True, False)]
    length = max(1, min(limit, max(counts)))
    rows = []
    for clicks in images:
        for sign in (True, False):
            places = [(click.row, click.column) for click in clicks[:limit] if click.positive == sign]
            rows.append(places + [_FILLER] * (length - len(places)))
    return torch.tensor(rows, dtype=torch.float32, device=device).view(len(images), 2 * length, 2)


def squares(
    images: Sequence[Sequence[ImageClick]], size: Size, device: torch.device, *, is_exact: bool
) -> tuple[Tensor, Tensor]:
    """The pixels that must be inside and outside: 3x3 around each click.

    Args:
        is_exact: as published: of a click in the first row or column nothing counts, and one above or left of the
            image counts at the opposite border, as a negative index does.

    Returns:
        float32 [B, 1, H, W] each.
    """
    planes = np.zeros((2, len(images), 1, *size), np.float32)
    for index, clicks in enumerate(images):
        for click in clicks:
            low = round(click.row) - _REACH, round(click.column) - _REACH
            high = low[0] + 2 * _REACH + 1, low[1] + 2 * _REACH + 1
            if not is_exact:
                low, high = (max(0, low[0]), max(0, low[1])), (max(0, high[0]), max(0, high[1]))
            planes[0 if click.positive else 1, index, 0, low[0] : high[0], low[1] : high[1]] = 1
    positive, negative = torch.from_numpy(planes).to(device)
    return positive, negative
