"""The image classifiers that RVOS can stand on, with their key names.

The published networks stand on ResNet-101. Their files hold the whole classifier, so a ResNet here keeps its last
layer, although no frame passes through it: state dicts then agree to the key in both directions.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from model.encoders import BasicBlock, Bottleneck, ResNet

_WIDTHS = (64, 128, 256, 512)
_CLASSES = 1000
_RESNETS: Mapping[str, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, ...]]] = {
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
}
_VGG16 = "vgg16"
BASES: tuple[str, ...] = (*_RESNETS, _VGG16)


class ClassifierResNet(ResNet):
    """A ResNet of four stages with the classifier that ends it.

    `channels`: of the maps at 1/4, 1/8, 1/16 and 1/32.
    """

    def __init__(self, block: type[BasicBlock] | type[Bottleneck], depths: Sequence[int]) -> None:
        super().__init__(block, depths, widths=_WIDTHS)
        self.channels = tuple(width * block.expansion for width in _WIDTHS)
        self.fc = nn.Linear(self.channels[-1], _CLASSES)


class Vgg16(nn.Module):
    """The convolutions of VGG-16 (Simonyan, Zisserman, ICLR 2015); a file's classifier is left aside.

    What counts of each block is what comes out of its pooling: only that has the size of the masks' levels.
    """

    channels: tuple[int, ...] = (128, 256, 512, 512)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(depth):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        self.features = nn.Sequential(*layers)

    def stages(self, x: Tensor) -> list[Tensor]:
        """x [B, 3, H, W] -> the maps at 1/4, 1/8, 1/16 and 1/32."""
        outputs = []
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.MaxPool2d):
                outputs.append(x)
        return outputs[1:]


def make_base(name: str) -> ClassifierResNet | Vgg16:
    """The classifier of this name, one of `BASES`, with random weights."""
    return Vgg16() if name == _VGG16 else ClassifierResNet(*_RESNETS[name])
