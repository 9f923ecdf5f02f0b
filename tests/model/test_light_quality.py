"""The light quality network: where it starts from, what it makes of unknown inputs, and its files."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from model import zoo
from model.light_quality import INPUTS, LightQualityNet, load_light_quality
from util.errors import AppError


def test_it_begins_as_the_margin() -> None:
    torch.manual_seed(0)
    values = torch.randn(5, INPUTS)
    torch.testing.assert_close(LightQualityNet()(values), values[:, 0])


def test_beyond_what_the_training_saw_nothing_more_is_concluded() -> None:
    torch.manual_seed(0)
    network = LightQualityNet()
    for parameter in network.direct.parameters():
        torch.nn.init.normal_(parameter)
    network.high[3] = 2.0
    values = torch.zeros(3, INPUTS)
    values[:, 3] = torch.tensor([1.0, 2.0, 50.0])
    one, limit, far = network(values).tolist()
    assert one != pytest.approx(limit) and far == pytest.approx(limit)


def test_it_is_small_and_embedded() -> None:
    entry = zoo.find("light_quality")
    assert entry.is_embedded and entry.path.stat().st_size < 20_000
    network = load_light_quality(entry.path)
    assert sum(parameter.numel() for parameter in network.parameters()) < 5_000
    assert not network.training and (network.high > network.low).all()


def test_files(tmp_path: Path) -> None:
    network = LightQualityNet()
    network.mean.fill_(0.5)
    path = tmp_path / "quality.safetensors"
    save_file({name: tensor.half() for name, tensor in network.state_dict().items()}, path)
    loaded = load_light_quality(path)
    assert loaded.mean.dtype == torch.float32 and loaded.mean.tolist() == [0.5] * INPUTS
    with pytest.raises(AppError, match="light network"):
        load_light_quality(zoo.find("light").path)
