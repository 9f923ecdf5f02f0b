"""Batch normalisation folded into the convolution before it: the same output in fewer steps, for inference."""
from __future__ import annotations

import re
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

_Module = TypeVar("_Module", bound=nn.Module)


def fold_batch_norm(module: _Module) -> _Module:
    """Fold every batch normalisation that directly follows a convolution, in place.

    Two arrangements are folded, the only ones in this project's networks: children `convN` and `bnN`, and a
    convolution followed by a normalisation in a `Sequential`. Load the weights first: afterwards the state dict has
    other tensors.

    Args:
        module: a network in eval mode, since its running statistics become part of the weights.

    Returns:
        `module`.

    Raises:
        ValueError: the network is in training mode.
    """
    if module.training:
        raise ValueError("fold_batch_norm needs a network in eval mode")
    for parent in list(module.modules()):
        for conv_name, norm_name in _pairs(parent):
            conv, norm = getattr(parent, conv_name), getattr(parent, norm_name)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, norm_name, nn.Identity())
    return module


def _pairs(parent: nn.Module) -> list[tuple[str, str]]:
    """Names of children of which the second is applied to the output of the first."""
    names = [name for name, _ in parent.named_children()]
    if isinstance(parent, nn.Sequential):
        return list(zip(names, names[1:], strict=False))
    numbers = [match[1] for name in names if (match := re.fullmatch(r"conv(\d+)", name))]
    return [(f"conv{number}", f"bn{number}") for number in numbers if f"bn{number}" in names]
