"""What the recorded click cases have in common: which network they ran, and its deterministic weights."""
from __future__ import annotations

import json
import re
from collections.abc import Callable

import torch
from torch import Tensor

from model.click.variants import PUBLISHED, ClickNet
from tests.golden_weights import Golden, golden_frames, golden_state

_NAMES: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"(h18s|h18|h32)_itermask", lambda match: f"ritm_{match[1]}_itermask"),
    (r"resnet_?(34|50|101)", lambda match: next(name for name in PUBLISHED if f"resnet{match[1]}_" in name)),
    (r"hrnet_?(18s|18|32)", lambda match: next(name for name in PUBLISHED if f"hrnet{match[1]}_" in name)),
)


def network_name(golden: Golden) -> str:
    """Which network the case ran: named in its meta, else MiVOS's own, ResNet-50."""
    meta = {key: value for key, value in golden.meta.items() if isinstance(value, str) and key != "steps"}
    for text in (json.dumps(meta), golden.path.stem):
        for pattern, name in _NAMES:
            match = re.search(pattern, text, re.IGNORECASE)
            if match is not None:
                return name(match)
    solution = golden.arrays.get("opt_data_0")  # two numbers per channel of the decoder and of its skip path
    return "fbrs_resnet101_dh256" if solution is not None and len(solution) == 2 * (256 + 32) else "fbrs_resnet50_dh128"


def golden_click_net(golden: Golden) -> ClickNet:
    network = PUBLISHED[network_name(golden)]().eval()
    overrides = {}
    for key, value in golden.meta.items():
        if key.startswith("overrides"):
            overrides.update(value)
    network.load_state_dict(
        golden_state(network, golden.meta["weight_seed"], overrides, golden.meta.get("weight_gain", 1.0))
    )
    return network.requires_grad_(False)


def golden_image(golden: Golden) -> Tensor:
    """float32 [1, 3, H, W], normalised."""
    return golden_frames(golden.arrays["frames"][:1], (0, 0, 0, 0))


def points_of(golden: Golden) -> Tensor:
    """float32 [1, 2P, 2 or 3]."""
    name = next(key for key in golden.meta if key.startswith("points_row_col"))
    return torch.tensor(golden.meta[name], dtype=torch.float32)
