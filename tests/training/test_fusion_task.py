"""Training of the fusion network: what it is shown is what the program would give it, and it can be learnt from."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inference_core.api import KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.engine_setup import EngineSetup
from inference_core.fusion import FusionInput, NetworkFuser
from inference_core.policy import CompatPolicy
from inference_core.propagators import light
from model.light import IMAGE_MEAN, IMAGE_STD
from model.light_fusion import LightFusionNet
from tests.synthetic import make_synthetic_video
from tests.training.erring_light import write_erring_light
from tests.training.trainings import CPU, PRESET
from training import fusion_samples
from training.fusion import DIFFERENT, FusionTask, cut_out, turned
from training.fusion_files import FusionSamples, load_fusion_samples
from training.fusion_rounds import Clip, FusionFrame, SecondRounds, spoilt
from training.fusion_samples import SampleOrder, SamplePlayer, Scene, main
from training.preset import Stage
from util.config import NATIVE_SIZE
from util.errors import AppError

SIDE = 32
CLIPS = 3
FUSION_PRESET = replace(PRESET, batch=4, frames=1, stages=(Stage(1.0, SIDE),))


@pytest.fixture(scope="module")
def light_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_erring_light(tmp_path_factory.mktemp("light") / "light.safetensors")


@pytest.fixture(scope="module", autouse=True)
def _small_clips() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        scenes = Scene(64, 6, 0.5), Scene(48, 7, 1.0, near=1.0, turning=0.5)
        patch.setattr(fusion_samples, "_SCENES", scenes)
        yield


def make(packs: Path, light_weights: Path, out: Path) -> None:
    given = ("--weights", str(light_weights), "--count", str(CLIPS), "--threads", "1")
    assert main(["--pack", str(packs / "train.npz"), "--out", str(out), *given]) == 0


@pytest.fixture(scope="module")
def samples(packs: Path, light_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of samples, made by the program."""
    folder = tmp_path_factory.mktemp("samples") / "made"
    make(packs, light_weights, folder)
    return folder


@pytest.fixture
def task(samples: Path) -> FusionTask:
    return FusionTask(FUSION_PRESET, samples, samples, torch.device("cpu"))


def synthetic_clip(length: int = 6) -> Clip:
    video = make_synthetic_video()
    return Clip(np.stack(video.frames[:length])[:, :64, :96], np.stack(video.masks[:length])[:, :64, :96])


def same(a: FusionFrame, b: FusionFrame) -> bool:
    names = ("image", "old", "new", "attention")
    return torch.equal(a.truth, b.truth) and all(torch.equal(getattr(a.given, n), getattr(b.given, n)) for n in names)


def test_samples_are_the_rounds_of_the_program(samples: Path, packs: Path, light_weights: Path) -> None:
    """Every file holds what the rounds gave, rounded to bytes, and nothing of clips on which both results agree."""
    player = SamplePlayer(SampleOrder(packs / "train.npz", light_weights, 1, "cpu"))
    names = {path.name for path in samples.iterdir()}
    assert names
    for number in range(CLIPS):
        kept = player.play(number)
        assert (f"clip_{number:04d}.npz" in names) == (kept is not None)
    clip = load_fusion_samples(samples)[0]
    number = int(sorted(names)[0][5:9])
    again = player.play(number)
    assert again is not None
    assert all(np.array_equal(getattr(clip, name), getattr(again, name)) for name in vars(clip))
    assert len(clip) and set(np.unique(clip.labels)) <= set(range(clip.old.shape[1] + 1))


def test_rounding_keeps_a_frame() -> None:
    labels = np.zeros((8, 16), np.uint8)
    labels[2:5, 3:9], labels[6, 1] = 1, 2
    truth = torch.from_numpy(np.stack([labels == 1, labels == 2])).float()
    image = (torch.rand(1, 3, 8, 16) - torch.tensor(IMAGE_MEAN).view(-1, 1, 1)) / torch.tensor(IMAGE_STD).view(-1, 1, 1)
    given = FusionInput(image, torch.rand(2, 8, 16), torch.rand(2, 8, 16), torch.rand(2, 2, 8, 16), 0.25, 0.75)
    found = FusionSamples.of([FusionFrame(given, truth)]).frame(0)
    assert torch.equal(found.truth, truth)
    assert (found.given.old_distance, found.given.new_distance) == (0.25, 0.75)
    torch.testing.assert_close(found.given.image, image, rtol=0, atol=0.009)
    for name in ("old", "new", "attention"):
        torch.testing.assert_close(getattr(found.given, name), getattr(given, name), rtol=0, atol=0.0021)


def test_making_samples_goes_on(
    samples: Path, packs: Path, light_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in samples.iterdir()}
    make(packs, light_weights, samples)
    assert {path: path.stat().st_mtime_ns for path in samples.iterdir()} == before
    assert f"{sum(map(len, load_fusion_samples(samples)))} frames" in capsys.readouterr().out


def test_what_is_refused(samples: Path, packs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AppError, match="holds no samples"):
        load_fusion_samples(tmp_path)
    clip = load_fusion_samples(samples)[0]
    replace(clip, old=clip.old[0]).save(tmp_path / "x.npz")
    with pytest.raises(AppError, match=r"x\.npz holds no samples"):
        load_fusion_samples(tmp_path)
    assert main(["--pack", str(tmp_path / "none.npz"), "--out", str(tmp_path / "out")]) == 2
    assert "none.npz" in capsys.readouterr().err
    large = replace(FUSION_PRESET, stages=(Stage(1.0, 64),))
    with pytest.raises(AppError, match="frames with a side of 48; windows have 64"):
        FusionTask(large, samples, samples, torch.device("cpu"))
    for wrong in (("--threads", "0"), ("--seed", "-1"), ("--device", "toaster"), ("--count", "0")):
        with pytest.raises(SystemExit) as stopped:
            main(["--pack", str(packs / "train.npz"), "--out", str(tmp_path / "out"), *wrong])
        assert stopped.value.code == 2
    (tmp_path / "file").write_text("")
    assert main(["--pack", str(packs / "train.npz"), "--out", str(tmp_path / "file" / "out"), "--count", "1"]) == 2


def test_batch_is_a_function_of_its_number(task: FusionTask, samples: Path) -> None:
    late = task.batch(5, 4, SIDE)
    fresh = FusionTask(FUSION_PRESET, samples, samples, torch.device("cpu"))
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
        assert ((given.old - given.new).abs() > DIFFERENT).any()
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
    fuser = Listening(LightFusionNet().eval(), CPU)
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


def test_turning_turns_everything_alike() -> None:
    planes = torch.arange(6.0).view(1, 2, 3)
    given = FusionInput(planes.expand(3, -1, -1)[None], planes, planes, planes.expand(2, -1, -1)[None], 0.25, 0.75)
    seen = set()
    for seed in range(40):
        frame = turned(FusionFrame(given, planes), np.random.default_rng(seed))
        own = frame.given
        assert torch.equal(own.old, own.new) and torch.equal(own.old, frame.truth)
        assert torch.equal(own.image[0, :1], own.old) and torch.equal(own.attention[0, 1:], own.old)
        seen.add((tuple(frame.truth.shape), tuple(frame.truth.flatten().tolist())))
    assert len(seen) == 8


def test_training_starts_from_log_odds_by_distance(task: FusionTask) -> None:
    network = task.build().eval()
    old, new = torch.rand(2, 2, 16, 32).clamp(0.01, 0.99).unbind()
    for share in (0.1, 0.4, 0.8):
        with torch.no_grad():
            logits = network(torch.rand(1, 3, 16, 32), old, new, torch.rand(2, 2, 16, 32), share, 1 - share)
        torch.testing.assert_close(logits, share * torch.logit(new) + (1 - share) * torch.logit(old))


@pytest.mark.usefixtures("one_thread")
def test_the_loss_falls(task: FusionTask) -> None:
    torch.manual_seed(0)
    network = task.build()
    loss = task.loss_module(network)
    frames, gen = task.batch(0, 4, SIDE), torch.Generator()
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    values = []
    for step in range(30):
        parts = loss(frames, 0.0, gen)
        assert set(parts) == {"cross_entropy", "dice"}
        total = parts["cross_entropy"] + parts["dice"]
        optimiser.zero_grad()
        total.backward()
        # The last layer starts at zero, so that nothing behind it learns in the first step.
        assert step == 0 or all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
        optimiser.step()
        values.append(total.item())
    assert values[-1] < 0.9 * values[0]


def test_score_compares_with_simpler_fusion(task: FusionTask, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = task.score(task.build().eval())
    assert set(scores) == {"J", "F", "J&F", "J&F linear", "J&F newest", "J&F old"}
    assert all(0 <= value <= 100 for value in scores.values())
    clip = task._heldout[0]
    number = np.arange(1, clip.old.shape[1] + 1, dtype=np.uint8)[:, None, None]
    truth = np.where(clip.labels[:, None] == number, 255, 0).astype(np.uint8)
    # A network that is told nothing but the truth would be right everywhere: the scores are of the fused masks.
    monkeypatch.setattr(task, "_heldout", [replace(clip, old=truth, new=truth)])
    assert task.score(task.build().eval())["J&F"] == 100


def test_no_more_frames_of_a_clip_are_kept_than_teach_something_new(
    samples: Path, packs: Path, light_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fusion_samples, "_KEPT", 2)
    player = SamplePlayer(SampleOrder(packs / "train.npz", light_weights, 1, "cpu"))
    for path in samples.iterdir():
        made, few = FusionSamples.load(path), player.play(int(path.stem[5:]))
        assert few is not None and len(few) == min(2, len(made))
        at = [next(i for i, old in enumerate(made.old) if np.array_equal(old, kept)) for kept in few.old]
        assert at == sorted(at) and np.array_equal(made.new[at], few.new)
