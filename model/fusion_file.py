"""Weight files of fusion networks: the published one, or this project's own."""
from __future__ import annotations

from pathlib import Path

from model.checkpoint import load_into, load_state, shapes_of
from model.fusion_net import FusionNet
from model.light_fusion import LightFusionNet
from model.signatures import recognise


def load_fusion(path: Path) -> FusionNet | LightFusionNet:
    """The network of a weight file; in eval mode, on the CPU, float32. AppError if the file holds something else."""
    state = load_state(path)
    row = recognise(shapes_of(state))
    network = LightFusionNet() if row is not None and row.network == "light_fusion" else FusionNet()
    load_into(network, state, path)
    return network.eval().requires_grad_(False)
