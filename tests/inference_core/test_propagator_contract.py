"""What every registered engine promises the core."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from inference_core import registry
from inference_core.channels import Channels
from inference_core.propagator import EmptyMemoryError, Memory, Propagator
from tests.inference_core.engines import has_weights, make_propagator
from tests.synthetic import SyntheticVideo, make_synthetic_video
from util.types import Size

VIDEO: SyntheticVideo = make_synthetic_video()
EVERY_ENGINE = pytest.mark.parametrize("name", registry.available())


class Run:
    """One engine with K objects, frame 0 memorised, inside a pass that starts there."""

    def __init__(self, name: str, num_objects: int) -> None:
        self.engine: Propagator = make_propagator(name, VIDEO.size)
        self.slots = list(range(num_objects))
        ids = VIDEO.object_ids[:num_objects]
        self.engine.set_objects(ids)
        self.channels = Channels(self.engine, ids)
        self.begin()

    def begin(self) -> None:
        self.engine.begin_pass(0, self.prob(0))

    def prob(self, frame: int) -> Tensor:
        return self.channels.from_mask(VIDEO.masks[frame])

    def memorize(self, frame: int, kind: Memory, slots: Sequence[int] | None = None) -> None:
        features = self.engine.encode(VIDEO.frames[frame])
        self.engine.memorize(frame, features, self.prob(frame), slots or self.slots, kind)

    def segment(self, frame: int) -> Tensor:
        return self.engine.segment(frame, self.engine.encode(VIDEO.frames[frame]), self.slots)


@pytest.fixture(autouse=True)
def _inference() -> object:
    with torch.inference_mode():
        yield


@EVERY_ENGINE
@pytest.mark.parametrize("num_objects", [1, 3])
def test_prob_has_one_channel_per_object_and_sums_to_one(name: str, num_objects: int) -> None:
    run = Run(name, num_objects)
    run.memorize(0, Memory.PINNED)
    prob = run.segment(1)
    assert prob.shape == (num_objects + 1, *run.engine.working_size())
    torch.testing.assert_close(prob.sum(0), torch.ones(run.engine.working_size()), rtol=0, atol=1e-4)
    assert prob.min() >= 0
    assert run.engine.to_native(prob).shape[1:] == VIDEO.size


@EVERY_ENGINE
def test_a_subset_of_the_objects_can_be_segmented(name: str) -> None:
    run = Run(name, 3)
    run.memorize(0, Memory.PINNED)
    features = run.engine.encode(VIDEO.frames[1])
    assert len(run.engine.segment(1, features, [0, 2])) == 3
    assert len(run.engine.segment(1, features, [1])) == 2


@EVERY_ENGINE
def test_nothing_memorised_is_an_error(name: str) -> None:
    with pytest.raises(EmptyMemoryError):
        Run(name, 1).segment(1)


@EVERY_ENGINE
def test_same_frame_memorised_twice_is_once(name: str) -> None:
    once, twice = Run(name, 3), Run(name, 3)
    for run, times in ((once, 1), (twice, 2)):
        for _ in range(times):
            run.memorize(0, Memory.PINNED)
    assert torch.equal(once.segment(1), twice.segment(1))
    assert twice.engine.memory_frames(Memory.PINNED) == 1


@EVERY_ENGINE
def test_forget_restores_the_earlier_output(name: str) -> None:
    run = Run(name, 3)
    run.memorize(0, Memory.PINNED)
    before = run.segment(1)
    run.memorize(4, Memory.PINNED)
    run.engine.forget(4)
    torch.testing.assert_close(run.segment(1), before)


@EVERY_ENGINE
def test_end_pass_leaves_only_pinned_frames(name: str) -> None:
    run = Run(name, 3)
    run.memorize(0, Memory.PINNED)
    before = run.segment(3)
    run.begin()
    run.memorize(1, Memory.PREVIOUS)
    run.memorize(2, Memory.ROLLING)
    run.engine.end_pass()
    assert run.engine.memory_frames(Memory.ROLLING) == run.engine.memory_frames(Memory.PREVIOUS) == 0
    run.begin()
    torch.testing.assert_close(run.segment(3), before)


@EVERY_ENGINE
def test_restore_brings_a_snapshot_back(name: str) -> None:
    run = Run(name, 3)
    run.memorize(0, Memory.PINNED)
    before, state = run.segment(1), run.engine.snapshot()
    run.memorize(5, Memory.PINNED)
    run.engine.restore(state)
    torch.testing.assert_close(run.segment(1), before)


@EVERY_ENGINE
def test_two_engines_agree_to_the_bit(name: str) -> None:
    results = []
    for _ in range(2):
        run = Run(name, 3)
        run.memorize(0, Memory.PINNED)
        results.append(run.segment(1))
    assert torch.equal(*results)


@EVERY_ENGINE
def test_memory_interval(name: str) -> None:
    engine = make_propagator(name, Size(64, 96), mem_every=3)
    kept = [engine.wants_memory(frame, 0) is Memory.ROLLING for frame in range(1, 5)]
    assert kept in ([False, False, True, True], [False] * 4)
    assert kept == [engine.wants_memory(-frame, 0) is Memory.ROLLING for frame in range(1, 5)]


@pytest.mark.weights
@EVERY_ENGINE
def test_a_still_video_keeps_its_mask(name: str) -> None:
    if not has_weights(name):
        pytest.skip(f"the weights of {name} are not here")
    run = Run(name, 3)
    run.memorize(0, Memory.PINNED)
    mask = run.channels.to_mask(run.segment(0), VIDEO.object_ids, np.zeros(VIDEO.size, np.uint8))
    assert (mask == VIDEO.masks[0]).mean() > 0.95
