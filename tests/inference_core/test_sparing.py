"""Going on when the memory runs out: what is given up, in which order, what is said, and what stays."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

import inference_core.propagators.banked as banked
from inference_core.api import FrameResult, KeyFrame, MemoryExhausted, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.fusion import LinearFuser
from inference_core.policy import CompatPolicy
from inference_core.propagator import Memory
from inference_core.propagators.light import LightPropagator
from inference_core.sparing import is_out_of_memory
from tests.inference_core.engines import make_propagator
from tests.inference_core.fakes import ArrayFrames
from tests.synthetic import make_synthetic_video

VIDEO = make_synthetic_video()
FIRST = KeyFrame(0, VIDEO.masks[0], frozenset({1, 2, 3}))
ALONG = PropagationRequest(0, "forward", last=8)

Refuses = Callable[[LightPropagator, int], bool]
"""Whether the machine has no memory for this many objects at once."""


class Machine:
    """The light engine where some calls of the network fail for want of memory.

    Args:
        decode, memorise: when they do.
    """

    def __init__(self, decode: Refuses | None = None, memorise: Refuses | None = None) -> None:
        engine = make_propagator("light", VIDEO.size)
        assert isinstance(engine, LightPropagator)
        self.engine = engine
        self.failures = 0
        for name, refuses in (("decode", decode), ("encode_value", memorise)):
            if refuses is not None:
                self._restrict(name, refuses)
        self.masks = [np.zeros(VIDEO.size, np.uint8) for _ in VIDEO.frames]
        self.core = InferenceCore(
            ArrayFrames(np.stack(VIDEO.frames)), engine, LinearFuser(), lambda frame: self.masks[frame],
            policy=CompatPolicy.product(),
        )  # fmt: skip

    def _restrict(self, name: str, refuses: Refuses) -> None:
        network = self.engine._network
        real = getattr(network, name)

        def restricted(*args: torch.Tensor) -> torch.Tensor:
            if refuses(self.engine, len(args[2])):
                self.failures += 1
                raise torch.OutOfMemoryError("CUDA out of memory (injected)")
            result: torch.Tensor = real(*args)
            return result

        setattr(network, name, restricted)

    def run(self, request: PropagationRequest = ALONG) -> list[FrameResult]:
        self.core.sync([FIRST])
        results = []
        for result in self.core.propagate(request):
            self.masks[result.frame] = result.mask
            results.append(result)
        return results


@pytest.fixture(scope="module")
def plain() -> list[FrameResult]:
    """What comes out where there is memory enough."""
    return Machine().run()


def overlap(results: list[FrameResult], others: list[FrameResult]) -> float:
    pairs = [(a.mask == i, b.mask == i) for a, b in zip(results, others, strict=True) for i in (1, 2, 3)]
    return float(np.mean([(a & b).sum() / max(1, (a | b).sum()) for a, b in pairs]))


def test_without_a_shortage_nothing_is_said(plain: list[FrameResult]) -> None:
    assert [result.frame for result in plain] == list(range(1, 9))
    assert not any(result.notice for result in plain)


def test_objects_are_computed_one_at_a_time_first(plain: list[FrameResult]) -> None:
    machine = Machine(decode=lambda _, objects: objects > 1)
    results = machine.run()
    assert [result.frame for result in results] == [result.frame for result in plain]
    assert overlap(results, plain) > 0.99
    assert "memory ran out" in results[0].notice
    assert "1 at a time" in results[0].notice
    assert not any(result.notice for result in results[1:])
    assert machine.core.settings["objects_at_a_time"] == 1
    assert machine.failures == 2, "once with all features kept, once with all objects together"


def test_then_fewer_frames_are_remembered() -> None:
    machine = Machine(decode=lambda engine, _: engine.memory_frames(Memory.ROLLING) >= 3)
    results = machine.run()
    assert [result.frame for result in results] == list(range(1, 9))
    told = [result for result in results if result.notice]
    assert told[0].frame == 7, "three frames are in the memory when every second one is remembered"
    assert "Besides the key frames 1 frame instead of 3" in told[0].notice
    assert len(told) == 1
    assert machine.core.settings["max_rolling"] == 1
    assert machine.core.memory().key_frames == 1


def test_at_last_the_working_size_shrinks(monkeypatch: pytest.MonkeyPatch, plain: list[FrameResult]) -> None:
    monkeypatch.setattr(banked, "MIN_SHORT_SIDE", 32)
    machine = Machine(decode=lambda engine, _: machine_is_small(engine))
    results = machine.run()
    assert [result.frame for result in results] == list(range(1, 9))
    assert all(result.mask.shape == tuple(VIDEO.size) for result in results)
    told = [result for result in results if result.notice]
    assert [result.frame for result in told] == [3]
    assert "The network works at 64x48 pixels" in told[0].notice
    assert machine.core.settings["working_size"] == str(machine.engine.working_size())
    assert overlap(results[:2], plain[:2]) == 1
    assert overlap(results[2:], plain[2:]) > 0.5
    machine.core.sync([FIRST, KeyFrame(8, VIDEO.masks[8], frozenset({1}), machine.masks[8])])
    fused = list(machine.core.propagate(PropagationRequest(8, "backward")))
    assert [result.frame for result in fused] == list(range(7, 0, -1))


def machine_is_small(engine: LightPropagator) -> bool:
    """From the second remembered frame on there is no memory for the full size."""
    return engine.working_size().height > 48 and 2 in engine._bank.frames()


@pytest.mark.parametrize("failing", [2, 3])
def test_a_frame_that_failed_is_done_again_as_if_nothing_had_been(failing: int, plain: list[FrameResult]) -> None:
    """The first two calls memorise the key frame and frame 2; giving up features changes no mask."""
    calls = iter(range(1, 100))
    machine = Machine(memorise=lambda *_: next(calls) == failing)
    results = machine.run()
    assert machine.failures == 1
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(results, plain, strict=True))
    assert sum(bool(result.notice) for result in results) == 1


def test_a_key_frame_may_need_less_too() -> None:
    machine = Machine(memorise=lambda _, objects: objects > 1)
    results = machine.run()
    assert [result.frame for result in results] == list(range(1, 9))
    assert "1 at a time" in results[0].notice


def test_with_nothing_left_to_give_up_the_finished_frames_stay(plain: list[FrameResult]) -> None:
    machine = Machine(decode=lambda engine, _: 4 in engine._bank.frames())
    with pytest.raises(MemoryExhausted, match="no memory left"):
        machine.run()
    assert [bool(mask.any()) for mask in machine.masks[:7]] == [False, True, True, True, True, False, False]
    assert all(np.array_equal(machine.masks[r.frame], r.mask) for r in plain[:4])
    assert machine.core.memory().rolling_frames == 0, "the pass has ended"


def test_a_snapshot_of_another_size_is_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banked, "MIN_SHORT_SIDE", 32)
    machine = Machine(decode=lambda engine, _: engine.working_size().height > 48)
    machine.core.sync([FIRST])
    state = machine.core.snapshot()
    machine.run()
    machine.core.restore(state)
    assert [result.frame for result in machine.core.propagate(ALONG)] == list(range(1, 9))


def test_other_errors_are_not_taken_for_a_shortage() -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        Machine(decode=broken).run()


def test_how_a_processor_says_it() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 62, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("CUDA error: out of memory"))
    assert not is_out_of_memory(ValueError("out of memory"))
