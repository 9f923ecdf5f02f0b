"""RVOS as an engine: what it carries from frame to frame, and that a pass starts from its anchor alone."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from inference_core.api import KeyFrame, PropagationRequest
from inference_core.channels import Channels
from inference_core.core import InferenceCore
from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.fusion import LinearFuser
from inference_core.geometry import Geometry
from inference_core.policy import CompatPolicy
from inference_core.propagator import EmptyMemoryError, Memory
from inference_core.propagators.rvos import RvosPropagator, build
from model.aggregate import aggregate
from tests.inference_core.engines import FLOAT32, make_propagator, random_network, small_rvos
from tests.inference_core.fakes import ArrayFrames
from tests.rvos_folders import shrink_base, write_rvos_folder
from tests.synthetic import make_synthetic_video
from util.errors import AppError
from util.types import Size

VIDEO = make_synthetic_video()
SLOTS = [0, 1, 2]


@pytest.fixture(autouse=True)
def _inference() -> object:
    with torch.inference_mode():
        yield


@pytest.fixture
def engine() -> RvosPropagator:
    made = make_propagator("rvos", VIDEO.size)
    assert isinstance(made, RvosPropagator)
    made.set_objects(VIDEO.object_ids)
    return made


def prob(engine: RvosPropagator, frame: int) -> Tensor:
    return Channels(engine, VIDEO.object_ids).from_mask(VIDEO.masks[frame])


def run(engine: RvosPropagator, frames: list[int], anchor: int = 0) -> list[Tensor]:
    """One pass over these frames."""
    engine.memorize(anchor, engine.encode(VIDEO.frames[anchor]), prob(engine, anchor), SLOTS, Memory.PINNED)
    engine.begin_pass(anchor, prob(engine, anchor))
    results = []
    for frame in frames:
        results.append(engine.segment(frame, engine.encode(VIDEO.frames[frame]), SLOTS))
        engine.follow(results[-1])
    engine.end_pass()
    return results


def test_a_pass_is_the_published_loop(engine: RvosPropagator) -> None:
    """Masks of the first frame for itself and for the next, then each object's own probability; hidden maps always."""
    network, hidden, masks, expected = random_network(small_rvos), None, prob(engine, 0)[1:], []
    for frame in range(4):
        logits, hidden = network.decoder(engine.encode(VIDEO.frames[frame]).maps, VIDEO.size, 3, masks, hidden)
        if frame > 0:
            masks = logits.sigmoid()
            expected.append(aggregate(masks))
    for actual, wanted in zip(run(engine, [1, 2, 3]), expected, strict=True):
        torch.testing.assert_close(actual, wanted)


def test_a_pass_knows_nothing_of_an_earlier_one(engine: RvosPropagator) -> None:
    first = run(engine, [4, 5], anchor=3)
    run(engine, [2, 1, 0], anchor=3)
    assert all(torch.equal(a, b) for a, b in zip(first, run(engine, [4, 5], anchor=3), strict=True))


def test_where_an_object_rests_nothing_is_carried_on(engine: RvosPropagator) -> None:
    engine.memorize(0, engine.encode(VIDEO.frames[0]), prob(engine, 0), SLOTS, Memory.PINNED)
    engine.begin_pass(0, prob(engine, 0))
    everything = prob(engine, 1)
    engine.segment(1, engine.encode(VIDEO.frames[1]), [0, 2])
    engine.follow(everything)
    carried = engine._state
    assert carried.keys() == {VIDEO.object_ids[0], VIDEO.object_ids[2]}
    rests = everything[2] > 0
    assert rests.any() and all((seen.mask[rests] == 0).all() and seen.mask.max() > 0 for seen in carried.values())


def test_objects_that_go_take_their_memory_along(engine: RvosPropagator) -> None:
    run(engine, [1])
    before = engine.memory_bytes()
    engine.set_objects(VIDEO.object_ids[:1])
    assert engine.memory_bytes() * 3 == pytest.approx(before)
    engine.set_objects(VIDEO.object_ids)
    engine.begin_pass(0, prob(engine, 0))
    with pytest.raises(EmptyMemoryError, match="are not in memory on the anchor 0"):
        engine.segment(1, engine.encode(VIDEO.frames[1]), SLOTS)


def test_half_precision_changes_little(engine: RvosPropagator) -> None:
    half = ComputeDevice(torch.device("cpu"), torch.bfloat16)
    rough = RvosPropagator(random_network(small_rvos), Geometry.padded(VIDEO.size, None, multiple=1), half)
    rough.set_objects(VIDEO.object_ids)
    for exact, other in zip(run(engine, [1, 2]), run(rough, [1, 2]), strict=True):
        assert other.dtype == torch.float32
        torch.testing.assert_close(other, exact, atol=0.05, rtol=0)


def test_from_a_folder_through_the_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink_base(monkeypatch)
    write_rvos_folder(tmp_path, takes_mask=True)
    setup = EngineSetup(VIDEO.size, tmp_path, FLOAT32, short_side=48)
    propagator = build(setup)
    assert propagator.working_size() == Size(48, VIDEO.size.width * 48 // VIDEO.size.height)
    core = InferenceCore(
        ArrayFrames(VIDEO.frames), propagator, LinearFuser(), lambda frame: np.zeros(VIDEO.size, np.uint8),
        policy=CompatPolicy.product(),
    )
    core.sync([KeyFrame(5, VIDEO.masks[5], frozenset(VIDEO.object_ids))])
    results = list(core.propagate(PropagationRequest(5, "both")))
    assert [r.frame for r in results] == [6, 7, 8, 9, 10, 11, 4, 3, 2, 1, 0]
    assert all(r.mask.shape == VIDEO.size for r in results)
    assert core.memory().key_frames == 1 and core.memory().nbytes > 0
    core.close()
    assert core.memory().nbytes == 0
    write_rvos_folder(tmp_path, takes_mask=False)
    with pytest.raises(AppError, match="cannot carry given masks"):
        build(setup)
