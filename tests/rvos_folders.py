"""Folders of RVOS as its training saves them, with a small network of random weights."""
from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import pytest
import torch

from model import rvos_bases
from model.encoders import BasicBlock
from model.rvos import RVOS, RvosSettings

SMALL = RvosSettings(base_model="resnet34", hidden_size=16, maxseqlen=4)


def shrink_base(monkeypatch: pytest.MonkeyPatch) -> None:
    """`resnet34` gets narrow stages of one block: reading 85 MB takes longer than a test."""
    monkeypatch.setattr(rvos_bases, "_RESNETS", {**rvos_bases._RESNETS, "resnet34": (BasicBlock, (1, 1, 1, 1))})
    monkeypatch.setattr(rvos_bases, "_WIDTHS", (8, 16, 16, 16))


def write_rvos_folder(
    folder: Path, *, takes_mask: bool, settings: RvosSettings = SMALL, seed: int = 0, gain: float = 1
) -> RVOS:
    """Save a network with random weights; its files have the published names. A large `gain` makes it say yes here and
    no there."""
    torch.manual_seed(seed)
    network = RVOS(settings, takes_mask=takes_mask)
    with torch.no_grad():
        network.decoder.conv_out.weight *= gain
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.encoder.state_dict(), folder / "encoder.pt")
    torch.save(network.decoder.state_dict(), folder / "decoder.pt")
    stored = argparse.Namespace(**vars(settings), model_name="small", lr=1e-3, update_encoder=False, resume=None)
    (folder / "args.pkl").write_bytes(pickle.dumps(stored))
    return network.eval()
