"""RVOS with and without masks against outputs recorded from the published program, frame by frame."""
from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from model.rvos import LEVELS, RVOS, Hidden, RvosSettings, Skips
from tests.golden_weights import Golden, golden_cases, golden_frames, golden_onehot, golden_state, require_golden

CASES = golden_cases(re.compile(r"RVOS (one|zero)-shot.*"))
NO_PADDING = (0, 0, 0, 0)
KNOWN = ("base_model", "hidden_size", "kernel_size", "skip_mode", "only_temporal", "only_spatial", "maxseqlen")


def load_network(golden: Golden) -> RVOS:
    meta = golden.meta
    settings = RvosSettings(**{name: meta[name] for name in KNOWN if name in meta})
    network = RVOS(settings, takes_mask=meta["system"].startswith("RVOS one-shot")).eval()
    for part, name in ((network.encoder, "overrides_encoder"), (network.decoder, "overrides_decoder")):
        assert isinstance(part, nn.Module)
        part.load_state_dict(golden_state(part, meta["weight_seed"], meta.get(name), meta.get("weight_gain", 1.0)))
    return network


def check_skips(golden: Golden, skips: Skips) -> None:
    golden.check("feat5", skips.f32[:, ::8])
    golden.check("feat4", skips.f16[:, ::8])
    golden.check("feat3", skips.f8[:, ::8, ::2, ::2])
    golden.check("feat2", skips.f4[:, ::8, ::2, ::2])


@pytest.mark.golden
@pytest.mark.parametrize("golden", CASES)
@torch.inference_mode()
def test_golden_rvos(golden: Golden | Path) -> None:
    """The steps of the recording, as its `meta["steps"]` tells them."""
    golden = require_golden(golden)
    network = load_network(golden)
    images = golden_frames(golden.arrays["frames"], NO_PADDING)
    count = network.settings.maxseqlen
    # Planes beyond the objects of the mask stay empty.
    masks = golden_onehot(golden.arrays["mask0"], count, NO_PADDING)[1:]
    hidden: Hidden | None = None
    for frame in range(len(images)):
        skips = network.encoder(images[frame : frame + 1])
        if frame == 0:
            check_skips(golden, skips)
        given = masks if network.decoder.takes_mask else None
        logits, hidden = network.decoder(skips, images.shape[-2:], count, given, hidden)
        golden.check(f"prob_{frame}", logits.sigmoid()[:, ::2, ::2])
        if frame > 0:
            masks = logits.sigmoid()
    assert hidden is not None
    for level in range(LEVELS):
        golden.check(f"hidden_last_obj0_s{level}", hidden[level][:1, ::4])
