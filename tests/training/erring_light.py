"""A light network that errs, and differently in both directions of time: what fusion needs to have something to do."""
from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from model.light import LightNet


def write_erring_light(path: Path) -> Path:
    """Random weights whose blocks do something and whose logits are far from zero."""
    torch.manual_seed(2)
    network = LightNet(0.125)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    nn.init.normal_(network.pred.weight, std=5.0)
    save_file(network.state_dict(), path)
    return path
