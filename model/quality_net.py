"""How good the mask of one object is on a frame, told from the frame and the mask alone: the assessment of IVOS-W.

Yin, Zheng, Xia, Lu, Xu, Huang: "Learning to Recommend Frame for Interactive Video Object Segmentation in the Wild",
CVPR 2021, with the key names of its `assess_net.pt`. The object is cut out with some of what surrounds it, brought to
one size and looked at by a ResNet-50. Networks only, tensors in and out.
"""
from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.checkpoint import load_into, load_state
from model.encoders import Bottleneck, NormalisingResNet
from util.types import Size

SIDE = 256
"""Rows and columns of what the network sees."""
_MIN_EXTENT = 128
_MARGIN = 0.25
"""Of the object's extent, on each side."""
_BEYOND = 5
"""Pixels that a box may reach out of the picture."""


class QualityEncoder(NormalisingResNet):
    """ResNet-50 on a picture with an object's probability beside it."""

    def __init__(self) -> None:
        super().__init__(
            Bottleneck, (3, 4, 6, 3), widths=(64, 128, 256, 512), names=("res2", "res3", "res4", "res5")
        )
        self.conv1_p = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
        # Unused, but in the published file, which the published program reads only if it is complete.
        self.conv1_m = nn.Conv2d(1, 64, 7, 2, 3)
        self.conv1_n = nn.Conv2d(1, 64, 7, 2, 3, bias=False)

    def encode(self, image: Tensor, prob: Tensor) -> Tensor:
        """image [B, 3, h, w] in 0..1, prob [B, 1, h, w] -> [B, 2048, h/32, w/32]."""
        stem = F.relu(self.bn1(self.conv1(self.normalise(image)) + self.conv1_p(prob)))
        return self.stages_after(stem)[-1]


class QualityNet(nn.Module):
    """The network of `assess_net.pt` (326 tensors)."""

    def __init__(self) -> None:
        super().__init__()
        self.Encoder = QualityEncoder()
        self.fc1 = nn.Linear(2048, 1)

    def forward(self, image: Tensor, prob: Tensor) -> Tensor:
        """Estimate J&F of one object on each frame.

        Args:
            image: [B, 3, H, W], RGB in 0..1.
            prob: [B, H, W], the object's probability.

        Returns:
            [B], about 0..1; not clamped.
        """
        theta = crop_transform(object_boxes(prob), Size(*prob.shape[1:]))
        return self.judge(crop(image, theta), crop(prob[:, None], theta)[:, 0])

    def judge(self, image: Tensor, prob: Tensor) -> Tensor:
        """`forward` for objects that are cut out already: [B, 3, SIDE, SIDE] and [B, SIDE, SIDE] -> [B]."""
        return self.fc1(self.Encoder.encode(image, prob[:, None]).mean((2, 3)))[:, 0]


def cut_out(image: Tensor, prob: Tensor) -> tuple[Tensor, Tensor]:
    """What the network sees of one object: float32 [3, H, W] and [H, W] -> [3, SIDE, SIDE] and [SIDE, SIDE]."""
    theta = crop_transform(object_boxes(prob[None]), Size(*prob.shape))
    return crop(image[None], theta)[0], crop(prob[None, None], theta)[0, 0]


def object_boxes(prob: Tensor) -> Tensor:
    """Where an object is, with a margin; the whole picture where there is none.

    Args:
        prob: [B, H, W].

    Returns:
        float32 [B, 4]: row and column of the middle, height and width, in pixels.
    """
    inside = prob > 0.5
    rows, columns = (_intervals(inside.any(axis)) for axis in (2, 1))
    low, high = torch.stack([rows, columns], 1).unbind(2)
    return torch.cat([(low + high) / 2, high - low + 1], 1)


def _intervals(occupied: Tensor) -> Tensor:
    """bool [B, L] -> float32 [B, 2]: first and last place of each row, widened."""
    length = occupied.shape[1]
    found = []
    for row in occupied:
        places = row.nonzero()[:, 0].tolist()
        low, high = (places[0], places[-1]) if places else (0, length)
        if high - low < _MIN_EXTENT:
            more = (_MIN_EXTENT - (high - low)) // 2
            low, high = low - more, high + more
        margin = _MARGIN * (high - low + 1)
        found.append((max(low - margin, -_BEYOND), min(high + margin, length + _BEYOND)))
    return torch.tensor(found, dtype=torch.float32, device=occupied.device)


def crop_transform(boxes: Tensor, size: Size) -> Tensor:
    """From boxes as `object_boxes` gives them to float32 [B, 2, 3], the transforms that cut them out."""
    last = torch.tensor([size.height - 1, size.width - 1], dtype=boxes.dtype, device=boxes.device)
    middle, extent = boxes[:, :2], boxes[:, 2:]
    scale, offset = extent / last, (2 * middle - last) / last
    theta = boxes.new_zeros(len(boxes), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = scale[:, 1], scale[:, 0]
    theta[:, 0, 2], theta[:, 1, 2] = offset[:, 1], offset[:, 0]
    return theta


def crop(planes: Tensor, theta: Tensor) -> Tensor:
    """[B, C, H, W] -> [B, C, SIDE, SIDE], zeros beyond the picture."""
    grid = F.affine_grid(theta, [len(planes), planes.shape[1], SIDE, SIDE], align_corners=True)
    return F.grid_sample(planes, grid, mode="bilinear", padding_mode="zeros", align_corners=True)


def load_quality_net(path: Path) -> QualityNet:
    """The network of a published file; in eval mode, on the CPU, float32.

    Raises:
        AppError: the file cannot be read or holds something else.
    """
    network = QualityNet()
    load_into(network, load_state(path), path)
    return network.eval().requires_grad_(False)
