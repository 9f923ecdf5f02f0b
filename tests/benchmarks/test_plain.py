"""The plain formulation computes what the engine computes, so that comparing their speed makes sense."""
from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from benchmarks import engines
from benchmarks.moving_discs import MovingDiscs
from benchmarks.plain import TOP_K, follow, readout
from inference_core.device import open_device
from inference_core.engine_setup import EngineSetup
from inference_core.propagator import Memory
from inference_core.propagators import stcn
from model.stcn import STCN
from storage.frame_store import FrameStore
from util.types import Size


def test_readout_is_an_average_of_the_nearest() -> None:
    gen = torch.Generator().manual_seed(0)
    key, value, query = (torch.randn(shape, generator=gen) for shape in ((8, 50), (3, 50), (8, 4)))
    read = readout(key, value, query)
    for column in range(4):
        weights = -(key - query[:, column : column + 1]).square().sum(0) / 8**0.5
        best = weights.topk(TOP_K)
        expected = value[:, best.indices] @ best.values.softmax(0)
        assert torch.allclose(read[:, column], expected, atol=1e-5)


def test_plain_and_engine_agree(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = STCN().eval().requires_grad_(False)
    video = MovingDiscs(8, Size(64, 96), 2)
    images = read(video)
    masks = np.stack([video.mask(0) == k for k in (1, 2)])
    plain = list(follow(network, torch.from_numpy(np.stack(images)), torch.from_numpy(masks).float()))
    path = tmp_path / "stcn.safetensors"
    save_file(network.state_dict(), path)
    setup = EngineSetup(video.size, path, open_device("cpu", mixed_precision=False), top_k=TOP_K, short_side=-1)
    engine = stcn.build(setup)
    engine.set_objects([1, 2])
    ground = ~masks.any(0, keepdims=True)
    prob = engine.to_working(torch.from_numpy(np.concatenate([ground, masks])).float())
    engine.memorize(0, engine.encode(images[0]), prob, [0, 1], Memory.PINNED)
    engine.begin_pass(0, prob)
    for frame in range(1, len(images)):
        features = engine.encode(images[frame])
        prob = engine.segment(frame, features, [0, 1])
        assert torch.allclose(prob, plain[frame - 1], atol=2e-4), f"frame {frame}"
        if frame % 5 == 0:
            engine.memorize(frame, features, prob, [0, 1], Memory.ROLLING)


def read(video: MovingDiscs) -> list[np.ndarray]:
    with closing(FrameStore(video, budget_bytes=1 << 24)) as frames:
        return [frames.get(number).copy() for number in range(len(frames))]


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    tiny = ["--objects", "1", "--frames", "3", "--videos", "48x32", "--size", "32", "--device", "cpu"]
    assert engines.main(["light", *tiny]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[2].startswith("| light | 1 | 48x32 | cpu | ")
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|")
    with pytest.raises(SystemExit) as stop:
        engines.main(["nothing"])
    assert stop.value.code == 2
