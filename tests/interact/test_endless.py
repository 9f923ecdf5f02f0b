"""A video of any length: what is held does not grow with the frames that went by."""
from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.moving_discs import MovingDiscs
from inference_core.core import InferenceCore
from inference_core.factory import build_core
from inference_core.prob_store import CompactProbStore
from interact.annotations import object_ids
from interact.headless import HeadlessRun
from interact.headless_output import OutputMasks
from interact.headless_schedule import plan_stops
from storage.frame_store import FrameStore
from util.config import AppConfig
from util.jobs import CancelToken
from util.process_memory import resident_bytes
from util.types import Size


@dataclass(frozen=True)
class Held:
    """Bytes at one moment."""

    resident: int
    engine: int
    soft: int


@dataclass
class Endless:
    """A job on a video that is drawn while it is read."""

    video: MovingDiscs
    core: InferenceCore
    masks: OutputMasks
    job: HeadlessRun

    def held_every(self, frames: int) -> list[Held]:
        held = []
        for done in self.job.run(CancelToken()):
            if done % frames == 0:
                gc.collect()
                soft = self.core.past.probs
                assert isinstance(soft, CompactProbStore)
                held.append(Held(resident_bytes() or 0, self.core.memory().nbytes, soft.nbytes))
        self.masks.finish(range(len(self.video)))
        return held


@contextmanager
def opened(folder: Path, video: MovingDiscs, config: AppConfig, annotated: tuple[int, ...] = (0,)) -> Iterator[Endless]:
    """With caches so small that they are full soon."""
    everything = range(len(video))
    frames = FrameStore(video, budget_bytes=20 * video.read(0).nbytes)
    masks = OutputMasks(folder, frames, everything, budget_bytes=1 << 16)
    with closing(frames), closing(build_core(config, frames, masks.get)) as core:
        masks.begin()
        given = {frame: video.mask(frame) for frame in annotated}
        stops = plan_stops({frame: object_ids(mask) for frame, mask in given.items()}, everything, is_partial=False)
        yield Endless(video, core, masks, HeadlessRun(core, stops, given, masks, is_partial=False))


def test_thousands_of_frames_need_no_more_than_hundreds(tmp_path: Path) -> None:
    video = MovingDiscs(2001, Size(32, 48), 3)
    with opened(tmp_path / "masks", video, AppConfig(engine="static")) as endless:
        held = endless.held_every(400)
    assert len(held) == 5
    assert len({one.engine for one in held}) == 1
    assert len({one.soft for one in held}) == 1, "only the key frame's"
    assert held[-1].resident <= held[0].resident + (12 << 20)
    assert len(list((tmp_path / "masks").glob("*.png"))) == 2001


def test_the_memory_of_the_light_network_is_full_soon(tmp_path: Path) -> None:
    video = MovingDiscs(61, Size(48, 64), 2)
    config = AppConfig(engine="light", mem_every=2, max_memory_frames=4, no_amp=True)
    with opened(tmp_path / "masks", video, config) as endless:
        held = endless.held_every(15)
        assert endless.core.memory().nbytes > 0
    assert len({one.engine for one in held}) == 1
    assert len({one.soft for one in held}) == 1
    assert held[-1].resident <= held[0].resident + (24 << 20)


def test_soft_results_are_kept_where_fusion_needs_them(tmp_path: Path) -> None:
    """Frames 1 to 29 lie between two annotations; the 270 after them are nobody's business any more."""
    video = MovingDiscs(300, Size(32, 48), 3)
    with opened(tmp_path / "masks", video, AppConfig(engine="static"), annotated=(0, 30)) as endless:
        endless.held_every(100)
        soft = endless.core.past.probs
        known = [frame for frame in range(300) if soft.get(frame, 1, endless.masks.get(frame)) is not None]
    assert set(known) <= set(range(31))
    assert 0 in known and 30 in known


def test_objects_that_are_nowhere_count_too() -> None:
    nothing = np.zeros((32, 48), np.uint8)
    store = CompactProbStore(100_000)
    prob = torch.zeros(4, 32, 48)
    for frame in range(1000):
        store.put(frame, prob, (1, 2, 3), nothing)
    assert store.nbytes <= 100_000
    assert store.get(0, 1, nothing) is None
    assert store.get(999, 1, nothing) is not None


@pytest.mark.parametrize("frame", [0, 2500])
def test_the_generated_video_is_the_same_every_time(frame: int) -> None:
    one, other = (MovingDiscs(2501, Size(32, 48), 3) for _ in range(2))
    assert np.array_equal(one.read(frame), other.read(frame))
    assert object_ids(one.mask(frame)) <= {1, 2, 3}
