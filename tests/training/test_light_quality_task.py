"""The light quality network: samples are what the program measures, and they can be learnt from."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from evaluation.metrics import region_similarity
from evaluation.rounds import open_clip, played_rounds
from model.light_quality import INPUTS, LightQualityNet
from tests.evaluation.vos_trees import davis_tree
from tests.synthetic import SyntheticVideo, make_synthetic_video
from tests.training.trainings import PRESET
from training.light_quality import LightQualityLoss, LightQualityTask
from training.quality_files import MeasuredSamples, load_samples
from training.quality_samples import main
from util.config import NATIVE_SIZE, AppConfig

FRAMES = 6
ROUND = 3 * (FRAMES - 1)
"""Masks of the first round on a sequence."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return davis_tree(tmp_path_factory.mktemp("tree"), make_synthetic_video(), ("a", "b"))


@pytest.fixture(scope="module")
def folder(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of two sequences that the engine without a network carried."""
    out = tmp_path_factory.mktemp("samples")
    make(tree, out)
    return out


def make(tree: Path, out: Path, *more: str) -> None:
    limits = ("--engine", "static", "--threads", "1", "--frames", str(FRAMES))
    assert main(["--clips", str(tree), "--out", str(out), *limits, *more]) == 0


def task(folder: Path) -> LightQualityTask:
    return LightQualityTask(PRESET, folder, folder, torch.device("cpu"))


def test_samples_are_what_the_running_program_measures(
    tree: Path, folder: Path, synthetic_video: SyntheticVideo
) -> None:
    samples = load_samples(folder, MeasuredSamples)
    assert samples.values.shape == (len(samples), INPUTS) and len(samples) == 2 * (ROUND + 3 * (FRAMES - 2))
    assert sorted(set(samples.clip.tolist())) == [0, 1]
    config = AppConfig(engine="static", size=NATIVE_SIZE)
    images, masks = tree / "JPEGImages" / "480p" / "a", tree / "Annotations" / "480p" / "a"
    with open_clip(images, masks, config, FRAMES) as clip:
        found = list(played_rounds(clip.core, clip.truth, clip.stored))
    assert [one.measure.values for one in found] == [tuple(row) for row in samples.values[: len(found)].tolist()]
    # The engine without a network copies the first mask; so the truth of the first round is known here.
    first = synthetic_video.masks[0]
    for index in range(ROUND):
        truth, object_id = synthetic_video.masks[int(samples.age[index])], index % 3 + 1
        assert samples.region[index] == pytest.approx(region_similarity(truth == object_id, first == object_id))
    assert samples.age[ROUND : len(found)].tolist() == sorted(3 * list(range(1, FRAMES - 1)))


def test_the_command_goes_on_where_it_stopped(
    tree: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tree, tmp_path, "--count", "1")
    capsys.readouterr()
    make(tree, tmp_path)
    said = capsys.readouterr().out
    assert "a: " not in said and "b: 27 masks" in said and "54 samples" in said
    for name in ("a.npz", "b.npz"):
        with np.load(tmp_path / name) as own, np.load(folder / name) as other:
            assert all(np.array_equal(own[key], other[key]) for key in other.files)


def test_batch_is_a_function_of_its_number(folder: Path) -> None:
    late, again, other = task(folder).batch(5, 32, 1), task(folder).batch(5, 32, 1), task(folder).batch(6, 32, 1)
    assert torch.equal(late.values, again.values) and torch.equal(late.target, again.target)
    assert not torch.equal(late.values, other.values)
    assert late.values.shape == (32, INPUTS) and late.target.shape == (32,)


def test_the_network_knows_its_inputs_and_begins_as_the_margin(folder: Path) -> None:
    network, samples = task(folder).build(), load_samples(folder, MeasuredSamples)
    assert isinstance(network, LightQualityNet)
    values = torch.from_numpy(samples.values)
    torch.testing.assert_close(network(values), values[:, 0])
    inputs = network.normalised(values)
    assert inputs.mean(0).abs().max() < 1e-4 and inputs.std(0, correction=0).max() < 1.01
    assert torch.equal(network.low, values.amin(0)) and torch.equal(network.high, values.amax(0))


@pytest.mark.usefixtures("one_thread")
def test_the_order_is_learnt(folder: Path) -> None:
    torch.manual_seed(0)
    own = task(folder)
    network = own.build()
    loss, gen = own.loss_module(network), torch.Generator().manual_seed(0)
    assert isinstance(loss, LightQualityLoss)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    before = own.score(network)
    for number in range(60):
        parts = loss(own.batch(number, 64, 1), 0.0, gen)
        assert set(parts) == {"cross_entropy", "ranking"}
        optimiser.zero_grad()
        torch.stack(list(parts.values())).sum().backward()
        optimiser.step()
    after = own.score(network)
    assert before["rank"] == pytest.approx(before["rank margin"], abs=1)
    assert after["rank"] > 60 and after["rank in clips"] > 60 and after["error"] < before["error"]


def test_the_loss_is_drawn_from_its_generator(folder: Path) -> None:
    own = task(folder)
    loss, batch = own.loss_module(own.build()), own.batch(0, 16, 1)
    torch.nn.init.normal_(loss.network.direct.weight)  # type: ignore[union-attr,arg-type]
    one, again, other = (loss(batch, 0.0, torch.Generator().manual_seed(seed))["ranking"] for seed in (1, 1, 2))
    assert torch.equal(one, again) and not torch.equal(one, other)
