"""Object-contextual representations (Yuan, Chen, Wang, ECCV 2020) on HRNet: the click networks of f-BRS and RITM."""
from __future__ import annotations

import torch
from torch import Tensor, nn

from model.aspp import conv_norm_relu
from model.click.distance_maps import ClickCoding
from model.click.hrnet import HRNet, HRNetShape
from model.click.parts import Cut, Place, maps_transform, resize, rgb_conv, size_of


def _transform(in_channels: int, *channels: int) -> nn.Sequential:
    """1x1 convolutions, each with normalisation and ReLU as one child after it."""
    layers: list[nn.Module] = []
    for count in channels:
        conv, norm, active = conv_norm_relu(in_channels, count)
        layers += [conv, nn.Sequential(norm, active)]
        in_channels = count
    return nn.Sequential(*layers)


class ObjectAttention(nn.Module):
    """What each pixel takes from the objects' representations."""

    def __init__(self, in_channels: int, key_channels: int) -> None:
        super().__init__()
        self.f_pixel = _transform(in_channels, key_channels, key_channels)
        self.f_object = _transform(in_channels, key_channels, key_channels)
        self.f_down = _transform(in_channels, key_channels)
        self.f_up = _transform(key_channels, in_channels)

    def forward(self, pixels: Tensor, objects: Tensor) -> Tensor:
        """pixels [B, C, h, w], objects [B, C, K, 1] -> [B, C, h, w]."""
        query = self.f_pixel(pixels).flatten(2)
        key, value = self.f_object(objects).flatten(2), self.f_down(objects).flatten(2)
        weight = (query.mT @ key * key.shape[1] ** -0.5).softmax(-1)
        return self.f_up((value @ weight.mT).unflatten(2, size_of(pixels)))


class Distribution(nn.Module):
    """Adds to each pixel the context of the object it belongs to."""

    def __init__(self, channels: int, key_channels: int) -> None:
        super().__init__()
        self.object_context_block = ObjectAttention(channels, key_channels)
        self.conv_bn_dropout = nn.Sequential(*_transform(2 * channels, channels), nn.Dropout2d(0.05))

    def forward(self, pixels: Tensor, objects: Tensor) -> Tensor:
        return self.conv_bn_dropout(torch.cat([self.object_context_block(pixels, objects), pixels], 1))


def gather(features: Tensor, logits: Tensor) -> Tensor:
    """Mean feature of each object, weighted by a softmax of its logits over the pixels.

    Args:
        features: [B, C, h, w].
        logits: [B, K, h, w].

    Returns:
        [B, C, K, 1].
    """
    weight = logits.flatten(2).softmax(-1)
    return (features.flatten(2) @ weight.mT)[..., None]


class HRNetOCR(HRNet):
    """HRNet with a first guess, the context it gives, and the answer."""

    def __init__(self, shape: HRNetShape, ocr_width: int) -> None:
        super().__init__(shape)
        channels = 2 * ocr_width
        context = nn.Conv2d(self.out_channels, channels, 3, padding=1)
        self.conv3x3_ocr = nn.Sequential(context, nn.BatchNorm2d(channels), nn.ReLU())
        self.ocr_distri_head = Distribution(channels, ocr_width)
        self.cls_head = nn.Conv2d(channels, 1, 1)
        self.aux_head = nn.Sequential(
            nn.Conv2d(self.out_channels, self.out_channels, 1),
            nn.BatchNorm2d(self.out_channels),
            nn.ReLU(),
            nn.Conv2d(self.out_channels, 1, 1),
        )

    def context(self, features: Tensor) -> Tensor:
        """[B, 15 width, h, w] -> [B, 2 ocr_width, h, w], what `cls_head` decides from."""
        pixels = self.conv3x3_ocr(features)
        return self.ocr_distri_head(pixels, gather(pixels, self.aux_head(features)))


class HRNetClickNet(nn.Module):
    """HRNet + OCR for clicks: f-BRS's with `rgb_conv`, RITM's with `maps_transform` or its own `rgb_conv`.

    Args:
        coding: the planes it sees.
        adds_maps: planes become features that are added after the first convolution, instead of being mixed into the
            image.
        norm_first: order within `rgb_conv`.
        leaky: activations among the planes.
    """

    places: tuple[Place, ...] = ("A", "C")

    def __init__(
        self,
        shape: HRNetShape,
        ocr_width: int,
        coding: ClickCoding,
        *,
        adds_maps: bool = False,
        norm_first: bool = False,
        leaky: bool = True,
    ) -> None:
        super().__init__()
        self.coding = coding
        self._adds_maps = adds_maps
        if adds_maps:
            self.maps_transform = maps_transform(coding.num_planes, leaky=leaky)
        else:
            self.rgb_conv = rgb_conv(coding.num_planes, norm_first=norm_first, leaky=leaky)
        self.feature_extractor = HRNetOCR(shape, ocr_width)

    def encode(self, image: Tensor, planes: Tensor, place: Place) -> Cut:
        """The network up to `place`: A after HRNet, C after OCR.

        Args:
            image: [B, 3, H, W], normalised.
            planes: [B, 2 or 3, H, W], see `ClickCoding`.
        """
        if self._adds_maps:
            features = self.feature_extractor.features(image, self.maps_transform(planes))
        else:
            features = self.feature_extractor.features(self.rgb_conv(torch.cat([image, planes], 1)))
        return Cut(features if place == "A" else self.feature_extractor.context(features))

    def decode(self, cut: Cut, place: Place) -> Tensor:
        """The rest of it: [B, 1, H/4, W/4] logits."""
        features = self.feature_extractor.context(cut.features) if place == "A" else cut.features
        return self.feature_extractor.cls_head(features)

    def forward(self, image: Tensor, planes: Tensor) -> Tensor:
        """[B, 1, H, W] logits; arguments as in `encode`."""
        return resize(self.decode(self.encode(image, planes, "C"), "C"), size_of(image))
