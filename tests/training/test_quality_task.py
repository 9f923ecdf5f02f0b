"""Quality networks: samples are masks that an engine really carried, and they can be learnt from."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluation.metrics import contour_accuracy, region_similarity
from model.light_quality import SIDE, LightQualityNet, cut_out
from model.quality_net import QualityNet
from model.zoo import find
from tests.evaluation.vos_trees import davis_tree
from tests.synthetic import SyntheticVideo, make_synthetic_video
from tests.training.trainings import PRESET
from training import quality_samples
from training.quality import LightQualityLoss, LightQualityTask, PublishedQualityLoss, PublishedQualityTask
from training.quality_samples import load_samples, main
from util.errors import AppError

LIGHT = find("light").path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`light` and `published`: samples of two sequences that the engine without a network carried."""
    root = tmp_path_factory.mktemp("quality")
    tree = davis_tree(root / "tree", make_synthetic_video(), ("a", "b"))
    make(tree, root / "light")
    make(tree, root / "published", "--network", "quality", "--count", "1", "--frames", "3")
    return root


def make(tree: Path, out: Path, *more: str) -> None:
    assert main(["--clips", str(tree), "--out", str(out), "--engine", "static", "--threads", "1", *more]) == 0


def task(folders: Path) -> LightQualityTask:
    return LightQualityTask(PRESET, folders / "light", folders / "light", torch.device("cpu"), LIGHT)


def test_samples_are_carried_masks_with_their_truth(folders: Path, synthetic_video: SyntheticVideo) -> None:
    samples = load_samples(folders / "light", "light-quality")
    assert len(samples) == 2 * 2 * quality_samples.PER_ROUND
    assert samples.clip.tolist() == [0] * 32 + [1] * 32
    # The engine without a network copies the first mask; so the truth of every sample is known here.
    first, frames = synthetic_video.masks[0], synthetic_video.frames
    for index in range(quality_samples.PER_ROUND):
        age = int(samples.age[index])
        found = []
        for object_id in (1, 2, 3):
            truth, carried = synthetic_video.masks[age] == object_id, first == object_id
            image = torch.tensor(frames[age]).permute(2, 0, 1).float() / 255
            seen, plane = cut_out(image, torch.tensor(carried).float())
            if np.abs(plane.numpy() - samples.prob[index] / 255).max() < 0.01:
                picture = samples.image[index].transpose(2, 0, 1) / 255
                assert np.abs(seen.numpy() - picture).max() < 0.01
                found.append((region_similarity(truth, carried), contour_accuracy(truth, carried)))
        assert any(pair == pytest.approx((samples.region[index], samples.contour[index])) for pair in found)
    back = samples.age[quality_samples.PER_ROUND : 2 * quality_samples.PER_ROUND]
    assert back.min() >= 1 and back.max() <= 10


def test_the_command_goes_on_where_it_stopped(
    folders: Path, tmp_path: Path, synthetic_video: SyntheticVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = davis_tree(tmp_path / "tree", synthetic_video, ("a", "b"))
    make(tree, tmp_path / "out", "--count", "1")
    capsys.readouterr()
    make(tree, tmp_path / "out")
    said = capsys.readouterr().out
    assert "a: " not in said and "b: 32 masks" in said and "64 samples" in said
    for name in ("a.npz", "b.npz"):
        with np.load(tmp_path / "out" / name) as own, np.load(folders / "light" / name) as other:
            assert all(np.array_equal(own[key], other[key]) for key in other.files)


def test_what_is_refused(folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AppError, match=r"a\.npz holds samples for light-quality"):
        load_samples(folders / "light", "quality")
    with pytest.raises(AppError, match="holds no samples"):
        load_samples(tmp_path, "quality")
    (tmp_path / "x.npz").write_bytes((folders / "light" / "a.npz").read_bytes()[:5000])
    with pytest.raises(AppError, match=r"x\.npz holds no samples"):
        load_samples(tmp_path, "light-quality")
    samples = load_samples(folders / "light", "light-quality")
    replace(samples, region=samples.region[:3]).save(tmp_path / "x.npz")
    with pytest.raises(AppError, match="region is float32"):
        load_samples(tmp_path, "light-quality")
    assert main(["--clips", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_batch_is_a_function_of_its_number(folders: Path) -> None:
    late = task(folders).batch(5, 8, SIDE)
    again, other = task(folders).batch(5, 8, SIDE), task(folders).batch(6, 8, SIDE)
    assert torch.equal(late.image, again.image) and torch.equal(late.prob, again.prob)
    assert not torch.equal(late.image, other.image)
    assert late.image.shape == (8, 3, SIDE, SIDE) and late.prob.shape == (8, SIDE, SIDE)
    assert late.image.min() >= 0 and late.image.max() <= 1 and late.prob.min() >= 0 and late.prob.max() <= 1
    assert task(folders).batch(5, 8, SIDE // 2).image.shape == (8, 3, SIDE // 2, SIDE // 2)


def test_bad_masks_are_drawn_more_often_than_there_are_of_them(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = load_samples(folders / "light", "light-quality")
    region = np.where(np.arange(len(samples)) < 2, 0.05, 0.95).astype(np.float32)
    replace(samples, region=region).save(tmp_path / "few.npz")
    own = LightQualityTask(PRESET, tmp_path, tmp_path, torch.device("cpu"), LIGHT)
    targets = torch.cat([own.batch(number, 32, SIDE).target for number in range(8)])
    assert 0.15 < (targets < 0.5).float().mean() < 0.4, "half of a half, and two of 64 in the other half"


@pytest.mark.usefixtures("one_thread")
def test_the_loss_falls_and_the_score_rises(folders: Path) -> None:
    torch.manual_seed(0)
    own = task(folders)
    network = own.build()
    assert isinstance(network, LightQualityNet)
    before = own.score(network.eval())
    loss, gen = own.loss_module(network), torch.Generator()
    assert isinstance(loss, LightQualityLoss)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    network.train()
    values = []
    for number in range(12):
        (value,) = loss(own.batch(number % 2, 16, SIDE // 2), 0.0, gen).values()
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(value.item())
    assert values[-1] < values[0]
    network.eval()
    after = own.score(network)
    assert set(after) == {
        f"rank{where}{what}" for where in ("", " in clips") for what in ("", " margin", " confidence")
    } | {"error"}
    assert after["error"] < before["error"]


def test_scores_are_of_what_is_predicted(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = task(folders)
    truth = iter(np.split(own._heldout.region, range(64, len(own._heldout), 64)))
    monkeypatch.setattr(own, "predict", lambda network, image, prob: torch.from_numpy(next(truth)))
    scores = own.score(LightQualityNet())
    assert scores["rank"] == pytest.approx(100) and scores["rank in clips"] == pytest.approx(100)
    assert scores["error"] == 0 and scores["rank confidence"] < 100


def test_the_published_network_learns_j_and_f(folders: Path) -> None:
    own = PublishedQualityTask(PRESET, folders / "published", folders / "published", torch.device("cpu"))
    batch = own.batch(0, 2, 64)
    assert batch.image.shape == (2, 3, 64, 64)
    both = (own._train.region + own._train.contour) / 2
    assert all(np.isclose(both, value).any() for value in batch.target.numpy())
    torch.manual_seed(0)
    network = own.build().eval()
    assert isinstance(network, QualityNet)
    loss = own.loss_module(network)
    assert isinstance(loss, PublishedQualityLoss)
    (value,) = loss(batch, 0.0, torch.Generator()).values()
    expected = (network.judge(batch.image, batch.prob) - batch.target).square().mean()
    torch.testing.assert_close(value, expected)
    value.backward()
    assert network.Encoder.conv1_p.weight.grad is not None
