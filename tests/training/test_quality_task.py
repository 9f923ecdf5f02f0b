"""The network of IVOS-W: samples are masks that an engine really carried, and they can be learnt from."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluation.metrics import contour_accuracy, region_similarity
from model.quality_net import QualityNet, cut_out
from tests.evaluation.vos_trees import davis_tree
from tests.synthetic import SyntheticVideo, make_synthetic_video
from tests.training.trainings import PRESET
from training import quality
from training.quality import PublishedQualityLoss, PublishedQualityTask, rank_scores
from training.quality_files import ImageSamples, MeasuredSamples, load_samples
from training.quality_samples import main
from util.errors import AppError

FRAMES = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of a sequence that the engine without a network carried."""
    root = tmp_path_factory.mktemp("quality")
    tree = davis_tree(root / "tree", make_synthetic_video(), ("a",))
    make(tree, root / "samples", "--network", "quality")
    return root / "samples"


def make(tree: Path, out: Path, *more: str) -> None:
    limits = ("--engine", "static", "--threads", "1", "--frames", str(FRAMES))
    assert main(["--clips", str(tree), "--out", str(out), *limits, *more]) == 0


def task(folder: Path) -> PublishedQualityTask:
    return PublishedQualityTask(PRESET, folder, folder, torch.device("cpu"))


def test_samples_are_carried_masks_with_their_truth(folder: Path, synthetic_video: SyntheticVideo) -> None:
    samples = load_samples(folder, ImageSamples)
    assert len(samples) == 3 * (FRAMES - 1) + 3 * (FRAMES - 2) and set(samples.clip.tolist()) == {0}
    # The engine without a network copies the first mask; so the truth of every sample is known here.
    first, frames = synthetic_video.masks[0], synthetic_video.frames
    for index in range(3 * (FRAMES - 1)):
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


def test_only_some_are_kept(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.quality_samples.PER_ROUND", 2)
    make(davis_tree(tmp_path / "tree", make_synthetic_video(), ("a",)), tmp_path / "out", "--network", "quality")
    assert len(load_samples(tmp_path / "out", ImageSamples)) == 4


def test_what_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AppError, match=r"a\.npz holds no samples for this network: its arrays are"):
        load_samples(folder, MeasuredSamples)
    with pytest.raises(AppError, match="holds no samples"):
        load_samples(tmp_path, ImageSamples)
    (tmp_path / "x.npz").write_bytes((folder / "a.npz").read_bytes()[:5000])
    with pytest.raises(AppError, match=r"x\.npz holds no samples"):
        load_samples(tmp_path, ImageSamples)
    samples = load_samples(folder, ImageSamples)
    replace(samples, margin=samples.margin[:3]).save(tmp_path / "x.npz")
    with pytest.raises(AppError, match="margin is float32"):
        load_samples(tmp_path, ImageSamples)
    assert main(["--clips", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_batch_is_a_function_of_its_number(folder: Path) -> None:
    side = load_samples(folder, ImageSamples).prob.shape[1]
    late = task(folder).batch(5, 4, side)
    again, other = task(folder).batch(5, 4, side), task(folder).batch(6, 4, side)
    assert torch.equal(late.image, again.image) and torch.equal(late.prob, again.prob)
    assert not torch.equal(late.image, other.image)
    assert late.image.shape == (4, 3, side, side) and late.prob.shape == (4, side, side)
    assert late.image.min() >= 0 and late.image.max() <= 1 and late.prob.min() >= 0 and late.prob.max() <= 1
    assert task(folder).batch(5, 4, side // 2).image.shape == (4, 3, side // 2, side // 2)


def test_bad_masks_are_drawn_more_often_than_there_are_of_them(folder: Path, tmp_path: Path) -> None:
    samples = load_samples(folder, ImageSamples)
    value = np.where(np.arange(len(samples)) < 1, 0.05, 0.95).astype(np.float32)
    replace(samples, region=value, contour=value).save(tmp_path / "few.npz")
    own = task(tmp_path)
    targets = torch.cat([own.batch(number, 32, 8).target for number in range(8)])
    assert 0.15 < (targets < 0.5).float().mean() < 0.4, "half of a half, and one of many in the other half"


def test_scores_are_of_what_is_predicted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "_SCORE_BATCH", 10)
    own = task(folder)
    held = quality.truth(own._heldout)
    parts = iter(np.split(held, range(10, len(held), 10)))
    network = QualityNet().eval()
    monkeypatch.setattr(network, "judge", lambda image, prob: torch.from_numpy(next(parts)))
    scores = own.score(network)
    assert scores["rank"] == pytest.approx(100) and scores["rank in clips"] == pytest.approx(100)
    assert scores["error"] == 0 and scores["rank margin"] < 100


def test_ranks_over_all_and_within_sequences(folder: Path) -> None:
    samples = replace(load_samples(folder, ImageSamples), clip=np.repeat(np.int32([0, 1]), 3))
    truth = np.float32([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    samples = replace(samples, margin=np.float32([0.5, 0.6, 0.7, 0.2, 0.3, 0.4]))
    scores = rank_scores(samples, np.full(6, 0.5, np.float32), truth)
    assert scores["rank in clips margin"] == pytest.approx(100) and scores["rank margin"] < 0
    assert scores["rank"] == scores["rank in clips"] == 0, "what is the same for all orders nothing"


def test_the_published_network_learns_j_and_f(folder: Path) -> None:
    own = task(folder)
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
