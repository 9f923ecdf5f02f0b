"""The adaptive feature bank, and how the engine makes it anew from the key frames."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from inference_core.api import BankFill, PropagationRequest
from inference_core.api import KeyFrame as Key
from inference_core.core import InferenceCore
from inference_core.factory import build_core
from inference_core.feature_bank import FeatureBank
from inference_core.fusion import LinearFuser
from inference_core.geometry import Geometry
from inference_core.policy import CompatPolicy
from inference_core.propagator import Memory
from inference_core.propagators.afb_urr import AfbUrrPropagator, BankSettings
from model.afb_urr import AfbUrr
from tests.inference_core.engines import FLOAT32, random_network
from tests.inference_core.fakes import ArrayFrames
from tests.synthetic import make_synthetic_video
from util.config import AppConfig
from util.errors import AppError

VIDEO = make_synthetic_video()
FRAMES = ArrayFrames(np.stack(VIDEO.frames))


def axes(*columns: int, length: float = 1.0) -> Tensor:
    """Keys along the axes named: [8, len(columns)]."""
    return torch.eye(8)[:, list(columns)] * length


def test_known_features_are_merged_and_new_ones_added() -> None:
    bank = FeatureBank(3, budget=300, update_rate=0.1)
    bank.absorb(0, axes(0, 1, length=2), axes(4, 5), 0)
    bank.absorb(0, axes(0, 0, 2), axes(6, 6, 7), 1)
    cells = bank.cells[0]
    torch.testing.assert_close(cells.key, torch.cat([axes(0, 1, length=2), axes(2)], 1))
    torch.testing.assert_close(cells.value[:, 0], 0.9 * axes(4)[:, 0] + 0.1 * axes(6)[:, 0])
    torch.testing.assert_close(cells.value[:, 1:], axes(5, 7))
    assert cells.born.tolist() == [0, 0, 1]
    assert bank.fill == BankFill(cells=3, budget=300, merged=2, removed=0)


def test_cells_that_are_not_looked_at_make_room() -> None:
    bank = FeatureBank(3, budget=9)
    bank.absorb(0, axes(0, 1, 2, length=40), axes(0, 1, 2), 0)
    for _ in range(5):
        bank.read(0, axes(1, 1, 1, 1, length=40))
    bank.absorb(0, axes(3), axes(3), 1)
    torch.testing.assert_close(bank.cells[0].key, torch.cat([axes(1, length=40), axes(3)], 1))
    assert bank.fill == BankFill(cells=2, budget=9, merged=0, removed=2)


def test_reading_may_leave_no_trace() -> None:
    bank = FeatureBank(3)
    bank.absorb(0, axes(0, 1), axes(0, 1), 0)
    bank.read(0, axes(1), count_usage=False)
    assert bank.cells[0].usage.tolist() == [0, 0]


def test_nothing_is_dropped_for_what_only_fills_up() -> None:
    bank = FeatureBank(3, budget=9)
    bank.absorb(0, axes(0, 1), axes(0, 1), 0)
    tilted = torch.nn.functional.normalize(axes(0) + axes(2), dim=0)
    bank.absorb(0, torch.cat([tilted, axes(3), axes(0)], 1), axes(2, 3, 0), 0, evict=False)
    torch.testing.assert_close(bank.cells[0].key, axes(0, 1, 3))


def test_two_objects_leave_a_fifth_of_the_budget() -> None:
    assert FeatureBank(2, budget=101).share == 40
    assert FeatureBank(3, budget=101).share == 33


def afb(budget: int = 300_000) -> AfbUrrPropagator:
    geometry = Geometry.padded(VIDEO.size, None)
    return AfbUrrPropagator(random_network(AfbUrr), geometry, FLOAT32, BankSettings(budget), mem_every=2)


@torch.inference_mode()
def test_key_frames_fill_the_budget_and_leave_it_untouched() -> None:
    """The anchor's cells are all there, whatever other key frames there are; at most they move a little."""
    engine = afb(budget=0)
    engine.set_objects([1])
    prob = engine.to_working(torch.full((2, *VIDEO.size), 0.5))
    for frame in (5, 0):
        engine.memorize(frame, engine.encode(VIDEO.frames[frame]), prob, [0], Memory.PINNED)
    for anchor in (0, 5):
        engine.begin_pass(anchor, prob)
        engine.segment(3, engine.encode(VIDEO.frames[3]), [0])
        assert engine.bank is not None
        expected = engine.snapshot()[1][anchor][1].key
        torch.testing.assert_close(engine.bank.cells[1].key, expected, rtol=0, atol=0.1 * float(expected.abs().max()))


@torch.inference_mode()
def test_background_is_learned_where_all_carried_objects_are_fixed() -> None:
    engine = afb()
    engine.set_objects([1, 2])
    prob = engine.to_working(torch.full((3, *VIDEO.size), 1 / 3))
    features = engine.encode(VIDEO.frames[0])
    for frame, slots in ((0, [0]), (4, [0, 1])):
        engine.memorize(frame, features, prob, slots, Memory.PINNED)
    cells_of_a_frame = 5 * 7
    for slots, frames in (([0], 2), ([0, 1], 1)):
        engine.begin_pass(4, prob)
        engine.segment(3, features, slots)
        bank = engine.bank
        assert bank is not None
        assert bank.cells[0].count + bank.merged[0] == frames * cells_of_a_frame
        assert bank.cells[1].count + bank.merged[1] == 2 * cells_of_a_frame
        engine.end_pass()


@torch.inference_mode()
def test_objects_that_rest_are_background_to_those_carried() -> None:
    engine = afb()
    engine.set_objects([1, 2])
    features = engine.encode(VIDEO.frames[0])
    planes = torch.rand(2, *VIDEO.size)
    with_second = torch.stack([planes[0] / 2, 1 - planes[0], planes[0] / 2])
    without = torch.stack([planes[0], 1 - planes[0], torch.zeros(VIDEO.size)])
    for frame, prob in ((0, with_second), (1, without)):
        engine.memorize(frame, features, engine.to_working(prob), [0], Memory.PINNED)
    first, second = (engine.snapshot()[1][frame] for frame in (0, 1))
    assert first.keys() == second.keys() == {0, 1}
    for object_id in (0, 1):
        torch.testing.assert_close(first[object_id].key, second[object_id].key)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_the_core_reports_how_full_the_bank_is(direction: str) -> None:
    engine = afb()
    core = InferenceCore(
        FRAMES, engine, LinearFuser(), lambda frame: VIDEO.masks[frame] * 0,
        policy=CompatPolicy.product(),
    )
    core.sync([Key(6, VIDEO.masks[6], frozenset(VIDEO.object_ids))])
    reports = []
    for result in core.propagate(PropagationRequest(6, direction, 2, 10)):
        assert set(result.mask.flat) <= {0, *VIDEO.object_ids}
        reports.append(core.memory())
    assert [report.rolling_frames for report in reports] == [0, 1, 1, 1]
    per_frame = 5 * 7 * (1 + len(VIDEO.object_ids))  # cells of a frame of 65x97 in steps of 16
    fills = [report.bank for report in reports]
    assert fills[0] == BankFill(per_frame, 300_000, 0, 0)
    assert fills[3] is not None and fills[3].cells + fills[3].merged == 2 * per_frame
    assert core.memory().bank is None, "between passes there is no bank"
    assert core.memory().key_frames == 1


@pytest.mark.parametrize("setting", [{"budget": 500}, {"update_rate": 0.5}])
def test_settings_of_the_bank_are_for_engines_that_have_one(
    setting: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    weights = tmp_path / "afb_urr.pth"
    with torch.device("meta"):
        state = AfbUrr().state_dict()
    torch.save({"model": {k: torch.full((), 0.01).to(t.dtype).expand(t.shape) for k, t in state.items()}}, weights)
    config = AppConfig(engine="afb-urr", weights=weights, device="cpu", **setting)
    core = build_core(config, FRAMES, lambda frame: VIDEO.masks[frame])
    assert {"budget": 300_000, "update_rate": 0.1, **setting}.items() <= core.settings.items()
    with pytest.raises(AppError, match=f"--{next(iter(setting))}.*light"):
        build_core(AppConfig(engine="light", device="cpu", **setting), FRAMES, lambda frame: VIDEO.masks[frame])
