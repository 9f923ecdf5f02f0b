"""Which click network a set of tensors belongs to: sizes are read off the tensors, so every published variant loads.

RITM's files say in a `config` what the tensors do not show: how clicks are drawn, which activation stands between them.
It is read as plain values; the class and module names in it are compared, never imported.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from model.click.deeplab import DeepLabClickNet
from model.click.distance_maps import ClickCoding, Coding
from model.click.hrnet import HRNetShape
from model.click.ocr import HRNetClickNet
from model.encoders import IMAGENET_MEAN, IMAGENET_STD

ClickNet: TypeAlias = DeepLabClickNet | HRNetClickNet
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]

FBRS_CODING = DeepLabClickNet.coding
_BACKBONE = "feature_extractor.backbone."
_STAGE = "feature_extractor.stage{}."
_HRNET_WIDTH = "feature_extractor.stage2.0.branches.0.0.conv1.weight"
_OCR_WIDTH = "feature_extractor.ocr_distri_head.object_context_block.f_down.0.weight"
_NO_EFFECT = frozenset(
    {"width", "ocr_width", "small", "use_rgb_conv", "with_aux_output", "backbone_lr_mult", "norm_layer"}
)
"""Settings that the tensors show or that only training needs."""
_HRNET_CLASS = "HRNetModel"


@dataclass(frozen=True)
class RitmSettings:
    """What a RITM file says of its network; the defaults are those of its program where the file is silent."""

    use_disks: bool = False
    norm_radius: float = 260.0
    with_prev_mask: bool = False
    use_leaky_relu: bool = False
    cpu_dist_maps: bool = False

    @property
    def coding(self) -> ClickCoding:
        distances: Coding = "rounded" if self.cpu_dist_maps else "exact"
        return ClickCoding("disks" if self.use_disks else distances, self.norm_radius, self.with_prev_mask)


RELEASED = RitmSettings(use_disks=True, norm_radius=5.0, with_prev_mask=True, use_leaky_relu=True)
"""All released iterative models; for tensors that have been taken out of their file."""


def read_config(config: object) -> RitmSettings:
    """The settings in a RITM file.

    Args:
        config: `{"class": dotted name, "params": {name: {"type", "value", "specified"}}}`.

    Raises:
        ValueError: this is not such a config, or asks for a network that this program does not have.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("params"), Mapping):
        raise ValueError("its config has no parameters")
    name = str(config.get("class")).rpartition(".")[2]
    if name != _HRNET_CLASS:
        raise ValueError(f"its config asks for the network {name}; only {_HRNET_CLASS} is known")
    known: dict[str, bool | float] = {}
    for key, entry in config["params"].items():
        value = entry.get("value") if isinstance(entry, Mapping) else entry
        if key in RitmSettings.__dataclass_fields__:
            known[key] = _number(key, value)
        elif key == "norm_mean_std" and _is_imagenet(value):
            continue
        elif key not in _NO_EFFECT and value not in (None, False):
            raise ValueError(f"its config sets {key}, which is not known")
    return RitmSettings(**known)


def _number(key: str, value: object) -> bool | float:
    """A flag for a flag, a positive number for the radius."""
    wanted = float if key == "norm_radius" else bool
    if wanted is bool and isinstance(value, bool):
        return value
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    raise ValueError(f"its config sets {key} to {value!r}")


def _is_imagenet(value: object) -> bool:
    try:
        mean, std = (tuple(part) for part in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return False
    return (mean, std) == (IMAGENET_MEAN, IMAGENET_STD)


def build_click_net(shapes: Shapes, config: object = None) -> ClickNet:
    """A network with these tensors, not yet with their values.

    Args:
        shapes: of the tensors in the file; counters of batches may be missing or there.
        config: of a RITM file, None if it has none.

    Raises:
        ValueError: no click network has such tensors; says why.
    """
    if _HRNET_WIDTH in shapes:
        return _hrnet(shapes, config)
    if f"{_BACKBONE}layer1.0.conv1.weight" in shapes and config is None:
        return _deeplab(shapes)
    raise ValueError("it has neither the backbone of f-BRS nor that of RITM")


def _deeplab(shapes: Shapes) -> DeepLabClickNet:
    depths = [_count(shapes, f"{_BACKBONE}layer{stage}.") for stage in (1, 2, 3, 4)]
    channels = _rows(shapes, "feature_extractor.aspp.project.0.weight")
    return DeepLabClickNet(depths, channels, bottleneck=f"{_BACKBONE}layer1.0.conv3.weight" in shapes)


def _hrnet(shapes: Shapes, config: object) -> HRNetClickNet:
    blocks = _count(shapes, _STAGE.format(2) + "0.branches.0.")
    modules = [_count(shapes, _STAGE.format(stage)) for stage in (2, 3, 4)]
    shape = HRNetShape(_rows(shapes, _HRNET_WIDTH), blocks, (modules[0], modules[1], modules[2]))
    ocr_width = _rows(shapes, _OCR_WIDTH)
    adds_maps = "maps_transform.0.weight" in shapes
    norm_first = "rgb_conv.1.weight" in shapes
    if config is None and not adds_maps and not norm_first:
        return HRNetClickNet(shape, ocr_width, FBRS_CODING)
    settings = RELEASED if config is None else read_config(config)
    return HRNetClickNet(
        shape, ocr_width, settings.coding, adds_maps=adds_maps, norm_first=norm_first, leaky=settings.use_leaky_relu
    )


def _count(shapes: Shapes, prefix: str) -> int:
    """How many numbered children there are below `prefix`."""
    return len({key[len(prefix) :].partition(".")[0] for key in shapes if key.startswith(prefix)})


def _rows(shapes: Shapes, key: str) -> int:
    if not shapes.get(key):
        raise ValueError(f"{key} is missing")
    return shapes[key][0]


PUBLISHED: Mapping[str, Callable[[], ClickNet]] = {
    "fbrs_resnet34_dh128": lambda: DeepLabClickNet((3, 4, 6, 3), 128, bottleneck=False),
    "fbrs_resnet50_dh128": lambda: DeepLabClickNet((3, 4, 6, 3), 128),
    "fbrs_resnet101_dh256": lambda: DeepLabClickNet((3, 4, 23, 3), 256),
    "fbrs_hrnet18s_ocr48": lambda: HRNetClickNet(HRNetShape.of(18, small=True), 48, FBRS_CODING),
    "fbrs_hrnet18_ocr64": lambda: HRNetClickNet(HRNetShape.of(18, small=False), 64, FBRS_CODING),
    "fbrs_hrnet32_ocr128": lambda: HRNetClickNet(HRNetShape.of(32, small=False), 128, FBRS_CODING),
    "ritm_h18s_itermask": lambda: HRNetClickNet(
        HRNetShape.of(18, small=True), 48, RELEASED.coding, adds_maps=True
    ),
    "ritm_h18_itermask": lambda: HRNetClickNet(
        HRNetShape.of(18, small=False), 64, RELEASED.coding, adds_maps=True
    ),
    "ritm_h32_itermask": lambda: HRNetClickNet(
        HRNetShape.of(32, small=False), 128, RELEASED.coding, adds_maps=True
    ),
}
"""The released networks by name."""
