"""The click network of f-BRS on DeepLabV3+ (Sofiiuk, Petrov, Barinova, Konushin, CVPR 2020).

Image and distance maps are mixed into three channels, so that a pretrained ResNet fits behind; its last two stages are
dilated, features stay at 1/8.
"""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from model.aspp import ASPP, conv_norm_relu
from model.click.distance_maps import ClickCoding
from model.click.parts import Cut, Place, resize, rgb_conv, separable, size_of
from model.encoders import BasicBlock, Bottleneck, ResNet

_RATES = (12, 24, 36)
_SKIP_CHANNELS = 32


class DeepLabV3Plus(nn.Module):
    """Backbone, pyramid pooling, and the first layers of the decoder."""

    def __init__(self, depths: Sequence[int], channels: int, *, bottleneck: bool) -> None:
        super().__init__()
        block = Bottleneck if bottleneck else BasicBlock
        self.backbone = ResNet(
            block, depths, widths=(64, 128, 256, 512), dilations=(1, 1, 2, 4), deep_stem=bottleneck
        )
        skip = conv_norm_relu(64 * block.expansion, _SKIP_CHANNELS)
        self.skip_project = nn.Sequential(OrderedDict(skip_project=skip))
        self.aspp = ASPP(512 * block.expansion, channels, _RATES, branches="concurent", pool="gap")
        decoder = nn.Sequential(
            separable(channels + _SKIP_CHANNELS, channels),
            separable(channels, channels),
            nn.Conv2d(channels, channels, 1),
        )
        self.head = nn.Sequential(OrderedDict(block=decoder))


class DeepLabClickNet(nn.Module):
    """f-BRS with a DeepLabV3+.

    Args:
        depths: blocks per stage of the ResNet.
        channels: of pyramid and decoder (128 or 256 in the published files).
        bottleneck: bottleneck blocks behind a stem of three convolutions (ResNet-50 and deeper).
    """

    coding = ClickCoding("rounded", 260.0, with_previous=False)
    places: tuple[Place, ...] = ("A", "B", "C")

    def __init__(
        self, depths: Sequence[int] = (3, 4, 6, 3), channels: int = 128, *, bottleneck: bool = True
    ) -> None:
        super().__init__()
        self.rgb_conv = rgb_conv(self.coding.num_planes)
        self.feature_extractor = DeepLabV3Plus(depths, channels, bottleneck=bottleneck)
        hidden = channels // 2
        layers = nn.Sequential(separable(channels, hidden), separable(hidden, hidden), nn.Conv2d(hidden, 1, 1))
        self.head = nn.Sequential(OrderedDict(layers=layers))

    def encode(self, image: Tensor, planes: Tensor, place: Place) -> Cut:
        """The network up to `place`.

        Args:
            image: [B, 3, H, W], normalised.
            planes: [B, 2, H, W], see `ClickCoding`.
        """
        stages = self.feature_extractor.backbone.stages(self.rgb_conv(torch.cat([image, planes], 1)))
        return self._advance(Cut(stages[3], stages[0]), "A", place)

    def decode(self, cut: Cut, place: Place) -> Tensor:
        """The rest of it: [B, 1, H/4, W/4] logits."""
        return self.head(self._advance(cut, place, "C").features)

    def _advance(self, cut: Cut, start: Place, stop: Place) -> Cut:
        features, low = cut
        parts = self.feature_extractor
        if start == "A" and stop != "A":
            assert low is not None
            skip = parts.skip_project(low)
            features = torch.cat([resize(parts.aspp(features), size_of(skip)), skip], 1)
            low, start = None, "B"
        if start == "B" and stop == "C":
            features = parts.head(features)
        return Cut(features, low)

    def forward(self, image: Tensor, planes: Tensor) -> Tensor:
        """[B, 1, H, W] logits; arguments as in `encode`."""
        return resize(self.decode(self.encode(image, planes, "C"), "C"), size_of(image))
