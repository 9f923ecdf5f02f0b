"""Difference-aware fusion of an old and a new propagation result, with the key names of `fusion_stcn.pth`."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.blocks import conv3x3

PLANES = 9
"""Colours, old and new probability, both planes of attention, both distances: in this order."""
OLD, NEW, OLD_DISTANCE = 3, 4, 7
"""Where they are among the planes."""


def _pair(channels: int) -> nn.Sequential:
    return nn.Sequential(conv3x3(channels, channels), nn.ReLU(), conv3x3(channels, channels))


class FusionNet(nn.Module):
    """Decides per pixel between the result from an older key frame and the one from the newest."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(conv3x3(PLANES, 32), nn.ReLU())
        self.conv2 = _pair(32)
        self.conv3 = _pair(32)
        self.final_conv = conv3x3(32, 1)

    def forward(
        self, image: Tensor, old: Tensor, new: Tensor, attention: Tensor, old_distance: float, new_distance: float
    ) -> Tensor:
        """Fuse the planes of one frame.

        Args:
            image: [1, 3, H, W], normalised and padded as for the propagation network.
            old: [K, H, W] probability of each object as it was before this propagation.
            new: [K, H, W] probability of each object by this propagation.
            attention: [K, 2, H, W] where the user's change appears on this frame, from `transfer_maps`.
            old_distance: frames to the key frame that `old` came from, as a share of the gap between both key frames.
            new_distance: the same to the key frame just edited; both sum to 1.

        Returns:
            float32 [K, H, W] logits of the fused objects, to be aggregated after a sigmoid.
        """
        x = self.conv1(planes_of(image, old, new, attention, old_distance, new_distance))
        x = F.relu(x + self.conv2(x))
        x = F.relu(x + self.conv3(x))
        return self.final_conv(x).float()[:, 0]


def planes_of(
    image: Tensor, old: Tensor, new: Tensor, attention: Tensor, old_distance: float, new_distance: float
) -> Tensor:
    """What a fusion network sees of one frame, [K, PLANES, H, W]; the arguments are those of `FusionNet.forward`."""
    num_objects, height, width = new.shape
    distances = new.new_tensor([old_distance, new_distance]).view(1, 2, 1, 1)
    return torch.cat(
        [
            image.expand(num_objects, -1, -1, -1),
            old[:, None],
            new[:, None],
            attention,
            distances.expand(num_objects, -1, height, width),
        ],
        1,
    )
