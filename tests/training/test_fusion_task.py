"""Training of the fusion network: what it is shown is what the program would give it, and it can be learnt from."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inference_core.api import KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.engine_setup import EngineSetup
from inference_core.fusion import FusionInput, LinearFuser, NetworkFuser
from inference_core.policy import CompatPolicy
from inference_core.propagators import light
from model.fusion_net import FusionNet
from tests.synthetic import make_synthetic_video
from tests.training.erring_light import write_erring_light
from tests.training.trainings import CPU, PRESET
from training import fusion
from training.fusion import FusionTask, cut_out, is_instructive, start_as_linear
from training.fusion_rounds import Clip, FusionFrame, SecondRounds, spoilt
from util.config import NATIVE_SIZE

SIDE = 32
FUSION_PRESET = replace(PRESET, frames=6, batch=4)


@pytest.fixture(scope="module")
def light_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_erring_light(tmp_path_factory.mktemp("light") / "light.safetensors")


@pytest.fixture
def task(packs: Path, light_weights: Path) -> FusionTask:
    return FusionTask(FUSION_PRESET, packs / "train.npz", packs / "heldout.npz", torch.device("cpu"), light_weights)


def synthetic_clip(length: int = 6) -> Clip:
    video = make_synthetic_video()
    return Clip(np.stack(video.frames[:length])[:, :64, :96], np.stack(video.masks[:length])[:, :64, :96])


def same(a: FusionFrame, b: FusionFrame) -> bool:
    names = ("image", "old", "new", "attention")
    return torch.equal(a.truth, b.truth) and all(torch.equal(getattr(a.given, n), getattr(b.given, n)) for n in names)


@pytest.mark.usefixtures("one_thread")
def test_batch_is_a_function_of_its_number(task: FusionTask, packs: Path, light_weights: Path) -> None:
    task.batch(1, 4, SIDE)
    late = task.batch(5, 4, SIDE)
    fresh = FusionTask(FUSION_PRESET, packs / "train.npz", packs / "heldout.npz", torch.device("cpu"), light_weights)
    assert len(late) == 4
    assert all(same(a, b) for a, b in zip(late, fresh.batch(5, 4, SIDE), strict=True))
    assert not all(same(a, b) for a, b in zip(late, task.batch(9, 4, SIDE), strict=True))


def test_batches_show_differing_results_with_their_truth(task: FusionTask) -> None:
    for frame in task.batch(0, 4, SIDE):
        given = frame.given
        assert given.image.shape == (1, 3, SIDE, SIDE)
        assert given.attention is not None
        assert given.old.shape == given.new.shape == frame.truth.shape == given.attention[:, 0].shape
        assert set(frame.truth.unique().tolist()) <= {0.0, 1.0}
        assert is_instructive(frame)
        assert 0 < given.old_distance < 1
        assert given.old_distance + given.new_distance == pytest.approx(1)


def test_rounds_are_those_of_the_program(light_weights: Path) -> None:
    """Played again by hand through the core with a fusion network: it fuses exactly what was recorded."""
    clip, ids = synthetic_clip(), frozenset({1, 2, 3})
    recorded = SecondRounds(light_weights, CPU).play(clip, np.random.default_rng(0), spoil=False)
    seen: list[FusionInput] = []

    class Listening(NetworkFuser):
        def fuse(self, given: FusionInput) -> torch.Tensor:
            seen.append(given)
            return super().fuse(given)

    masks = [clip.labels[0], *np.zeros_like(clip.labels[1:])]
    engine = light.build(EngineSetup(clip.size, light_weights, CPU, short_side=NATIVE_SIZE))
    fuser = Listening(FusionNet().eval(), CPU)
    core = InferenceCore(clip, engine, fuser, masks.__getitem__, policy=CompatPolicy.product())
    first = KeyFrame(0, clip.labels[0], ids)
    core.sync([first])
    for result in core.propagate(PropagationRequest(0)):
        masks[result.frame] = result.mask
    chosen = len(recorded) + 1
    core.sync([first, KeyFrame(chosen, clip.labels[chosen], ids, baseline=masks[chosen])])
    list(core.propagate(PropagationRequest(chosen, "backward")))
    assert len(seen) == len(recorded) >= 2
    for given, frame in zip(seen, recorded, strict=True):
        torch.testing.assert_close(given.old, frame.given.old)
        torch.testing.assert_close(given.new, frame.given.new)
        torch.testing.assert_close(given.attention, frame.given.attention)
        assert (given.old_distance, given.new_distance) == (frame.given.old_distance, frame.given.new_distance)
    first_back = chosen - 1
    expected = np.stack([clip.labels[first_back] == i for i in (1, 2, 3)])
    assert np.array_equal(recorded[0].truth.numpy() > 0, expected)


def test_a_clip_without_objects_gives_nothing(light_weights: Path) -> None:
    clip = synthetic_clip()
    empty = Clip(clip.frames, np.zeros_like(clip.labels))
    assert SecondRounds(light_weights, CPU).play(empty, np.random.default_rng(0), spoil=True) == []


def test_spoilt_masks_differ_and_keep_every_object() -> None:
    labels = synthetic_clip().labels[0]
    changed = [spoilt(labels, np.random.default_rng(seed)) for seed in range(20)]
    assert all(set(np.unique(mask)) == {0, 1, 2, 3} for mask in changed)
    assert 5 < sum(not np.array_equal(mask, labels) for mask in changed) < 20
    assert np.array_equal(changed[3], spoilt(labels, np.random.default_rng(3)))


def test_window_holds_a_pixel_of_disagreement() -> None:
    old, new = torch.zeros(2, 1, 64, 96).unbind()
    new[0, 50, 90] = 1
    planes = torch.arange(64 * 96.0).view(1, 64, 96)
    given = FusionInput(planes.expand(3, -1, -1)[None], old, new, planes.expand(2, -1, -1)[None], 0.25, 0.75)
    for seed in range(5):
        cut = cut_out(FusionFrame(given, planes), 16, np.random.default_rng(seed))
        assert cut.given.new.shape == (1, 16, 16)
        assert cut.given.new.sum() == 1
        at = int(cut.given.new.argmax())
        assert cut.truth.flatten()[at] == cut.given.image[0, 0].flatten()[at] == 50 * 96 + 90


def test_training_starts_from_fusion_by_distance() -> None:
    torch.manual_seed(0)
    network = FusionNet()
    start_as_linear(network)
    old, new = (torch.rand(2, 2, 16, 16) > 0.5).float()
    for share in (0.1, 0.4, 0.8):
        given = FusionInput(torch.rand(1, 3, 16, 16), old, new, torch.rand(2, 2, 16, 16), share, 1 - share)
        with torch.no_grad():
            logits = network(given.image, old, new, given.attention, share, 1 - share)
        torch.testing.assert_close(logits, 8 * LinearFuser().fuse(given) - 4, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("one_thread")
def test_the_loss_falls(task: FusionTask) -> None:
    torch.manual_seed(0)
    network = task.build()
    loss = task.loss_module(network)
    frames, gen = task.batch(0, 4, SIDE), torch.Generator()
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    values = []
    for _ in range(12):
        parts = loss(frames, 0.0, gen)
        assert set(parts) == {"cross_entropy", "dice"}
        total = parts["cross_entropy"] + parts["dice"]
        optimiser.zero_grad()
        total.backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
        optimiser.step()
        values.append(total.item())
    assert values[-1] < 0.8 * values[0]


def test_score_compares_with_simpler_fusion(task: FusionTask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusion, "_SCORE_CLIPS", 2)
    monkeypatch.setattr(fusion, "_SCORE_SIDE", SIDE)
    scores = task.score(task.build().eval())
    assert set(scores) == {"J", "F", "J&F", "J&F linear", "J&F newest", "J&F old"}
    assert all(0 <= value <= 100 for value in scores.values())
    frame = task._scored[0]
    # A network that is told nothing but the truth would be right everywhere: the scores are of the fused masks.
    monkeypatch.setattr(
        task, "_scored", [FusionFrame(replace(frame.given, old=frame.truth, new=frame.truth), frame.truth)]
    )
    assert task.score(task.build().eval())["J&F"] == 100
