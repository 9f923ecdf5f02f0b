"""Views of frames: where they lie, that they give back what they show, and that small objects are followed by them."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from inference_core import registry
from inference_core.api import KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.fusion import LinearFuser
from inference_core.policy import CompatPolicy
from inference_core.propagator import FrameFeatures, Memory, SupportsViews
from inference_core.propagators import light
from inference_core.views import View, ViewFinder
from model import zoo
from tests.inference_core.engines import FLOAT32, make_propagator
from tests.inference_core.fakes import ArrayFrames
from util.types import ImageU8, IndexMask, Rect, Size

WORKING = Size(96, 160)
NATIVE = Size(192, 320)


def planes(*rects: Rect) -> Tensor:
    """[A, Hp, Wp], an object on each."""
    found = torch.zeros(len(rects), *WORKING)
    for plane, rect in zip(found, rects, strict=True):
        plane[rect.slices] = 1
    return found


def holds(view: View, rect: Rect) -> bool:
    return view.rect.union(rect) == view.rect


def test_a_view_has_the_shape_of_the_frame_and_room_around_the_object() -> None:
    view = ViewFinder(NATIVE, WORKING).next(planes(Rect(70, 40, 80, 50)))
    assert view is not None
    x0, y0, x1, y1 = view.rect
    assert (x1 - x0) / (y1 - y0) == pytest.approx(160 / 96, rel=0.02)
    assert holds(view, Rect(63, 33, 87, 57))
    assert x1 - x0 < 160 / 2


def test_a_view_keeps_within_the_frame() -> None:
    view = ViewFinder(NATIVE, WORKING).next(planes(Rect(0, 88, 8, 96)))
    assert view is not None
    assert view.rect.clipped(WORKING) == view.rect
    assert holds(view, Rect(0, 88, 8, 96))


def test_a_view_holds_all_objects() -> None:
    rects = Rect(40, 30, 50, 40), Rect(70, 40, 80, 50)
    view = ViewFinder(NATIVE, WORKING).next(planes(*rects))
    assert view is not None
    assert all(holds(view, rect) for rect in rects)


@pytest.mark.parametrize(
    "rects",
    [
        [Rect(10, 5, 150, 90)],
        [Rect(0, 0, 8, 8), Rect(150, 88, 160, 96)],
        [Rect(70, 40, 80, 50), Rect(0, 0, 0, 0)],
    ],
)
def test_large_distant_and_missing_objects_need_the_whole_frame(rects: list[Rect]) -> None:
    assert ViewFinder(NATIVE, WORKING).next(planes(*rects)) is None


def test_nothing_is_enlarged_beyond_what_the_frame_shows() -> None:
    tiny = planes(Rect(80, 48, 83, 51))
    assert ViewFinder(Size(60, 100), Size(96, 160)).next(tiny) is None
    view = ViewFinder(WORKING, WORKING).next(tiny)
    assert view is not None
    assert view.rect.x1 - view.rect.x0 == 100  # 160 / 1.6


def test_the_scale_changes_slowly_and_the_view_leads_a_moving_object() -> None:
    finder = ViewFinder(NATIVE, WORKING)
    first = finder.next(planes(Rect(50, 40, 60, 50)))
    second = finder.next(planes(Rect(54, 41, 58, 49)))  # suddenly smaller, and to the right
    assert first is not None
    assert second is not None
    assert (first.rect.x1 - first.rect.x0) / (second.rect.x1 - second.rect.x0) < 1.06
    moving = ViewFinder(NATIVE, WORKING)
    moving.next(planes(Rect(40, 40, 50, 50)))
    ahead, still = moving.next(planes(Rect(50, 40, 60, 50))), first
    assert ahead is not None
    assert ahead.rect.x0 + ahead.rect.x1 > still.rect.x0 + still.rect.x1 + 10


def test_what_is_enlarged_and_put_back_is_what_it_was() -> None:
    view = View(Rect(40, 24, 120, 72), WORKING)
    prob = torch.rand(1, *WORKING, generator=torch.Generator().manual_seed(0))
    prob = torch.cat([1 - prob, prob])
    seen = view.enlarge(prob)
    assert seen.shape == prob.shape
    back = view.put_back(seen)
    torch.testing.assert_close(back.sum(0), torch.ones(WORKING))
    assert (back[0, :, :40] == 1).all()
    assert (back[1, 72:] == 0).all()
    blurred = (back - prob)[:, 24:72, 40:120]
    assert blurred.abs().mean() < 0.12  # noise, enlarged bilinearly and averaged: half of it stays
    flat = torch.full((2, *WORKING), 0.5)
    torch.testing.assert_close(view.put_back(view.enlarge(flat))[:, 24:72, 40:120], flat[:, 24:72, 40:120])


def test_pixels_and_planes_show_the_same_part() -> None:
    view = View(Rect(40, 24, 120, 72), WORKING)
    image = np.zeros((*NATIVE, 3), np.uint8)
    image[48:144, 80:240] = 200
    assert view.part_of(image).shape == (96, 160, 3)
    assert (view.part_of(image) == 200).all()
    assert view.part_of(image[..., 0]).shape == (96, 160)


def test_an_object_that_leaves_the_view_is_noticed_but_not_one_at_the_frames_border() -> None:
    view = View(Rect(0, 24, 80, 72), WORKING)
    assert not view.loses(planes(Rect(0, 40, 20, 60)))
    assert view.loses(planes(Rect(60, 40, 80, 60)))
    assert view.loses(planes(Rect(20, 40, 30, 60), Rect(0, 0, 0, 0)))


class Watched(light.LightPropagator):
    """Notes what it is shown."""

    seen: list[View | None]

    def segment(self, frame: int, features: FrameFeatures, slots: object) -> Tensor:
        self.seen.append(features.view)  # type: ignore[attr-defined]
        return super().segment(frame, features, slots)  # type: ignore[arg-type]


def video(step: int, length: int = 12) -> tuple[ImageU8, IndexMask]:
    """A small disc on cloth, which moves `step` pixels a frame."""
    rows, columns = np.indices(NATIVE)
    cloth = 90 + 30 * np.sin(rows / 9) * np.cos(columns / 7)
    frames, masks = np.empty((length, *NATIVE, 3), np.uint8), np.zeros((length, *NATIVE), np.uint8)
    for frame in range(length):
        disc = (rows - 90) ** 2 + (columns - 60 - step * frame) ** 2 < 10**2
        masks[frame][disc] = 1
        frames[frame] = np.where(disc[..., None], (230, 120, 20), cloth[..., None])
    return frames, masks


def core_of(frames: ImageU8, masks: list[IndexMask], *, may_zoom: bool = True) -> tuple[InferenceCore, Watched]:
    engine = light.build(
        EngineSetup(NATIVE, zoo.resolve("light"), ComputeDevice(torch.device("cpu"), FLOAT32.half), short_side=96)
    )
    engine.__class__ = Watched
    assert isinstance(engine, Watched)
    engine.seen = []
    core = InferenceCore(
        ArrayFrames(frames), engine, LinearFuser(), masks.__getitem__, policy=CompatPolicy.product(), may_zoom=may_zoom
    )
    return core, engine


def followed(core: InferenceCore, masks: list[IndexMask], anchor: int = 0) -> list[IndexMask]:
    core.sync([KeyFrame(anchor, masks[anchor], frozenset({1}))])
    for result in core.propagate(PropagationRequest(anchor, "both", 0, len(masks) - 1)):
        masks[result.frame] = result.mask
    return masks


def overlap(one: IndexMask, other: IndexMask) -> float:
    return float(((one == 1) & (other == 1)).sum() / ((one == 1) | (other == 1)).sum())


def test_a_small_object_is_followed_by_views_and_found_more_exactly() -> None:
    frames, truth = video(step=5)
    results = {}
    for may_zoom in (True, False):
        masks = [truth[0], *np.zeros_like(truth[1:])]
        core, engine = core_of(frames, masks, may_zoom=may_zoom)
        followed(core, masks)
        results[may_zoom] = np.mean([overlap(*pair) for pair in zip(masks[1:], truth[1:], strict=True)])
        assert all((view is not None) is may_zoom for view in engine.seen)
        assert engine.memory_frames(Memory.PINNED) == 1
    assert results[True] > results[False]
    assert results[True] > 0.85


def test_an_object_too_fast_for_its_view_is_looked_for_on_the_whole_frame() -> None:
    frames, truth = video(step=5)
    frames[6:], truth[6:] = frames[6:, :, ::-1], truth[6:, :, ::-1]  # jumps to the other side
    masks = [truth[0], *np.zeros_like(truth[1:])]
    core, engine = core_of(frames, masks)
    followed(core, masks)
    assert engine.seen[5] is not None
    assert None in engine.seen[6:8]
    assert overlap(masks[8], truth[8]) > 0.6


def test_taking_a_key_frame_back_takes_its_view_back() -> None:
    frames, truth = video(step=5)
    masks = list(truth)
    core, engine = core_of(frames, masks)
    core.sync([KeyFrame(0, truth[0], frozenset({1}))])
    one = engine.snapshot()
    core.sync([KeyFrame(0, truth[0], frozenset({1})), KeyFrame(4, truth[4], frozenset({1}))])
    assert len(engine.snapshot().entries) == 2 * len(one.entries) == 4
    core.sync([KeyFrame(0, truth[0], frozenset({1}))])
    assert engine.snapshot().entries == one.entries
    core.sync([KeyFrame(0, truth[0][:, ::-1].copy(), frozenset({1}))])
    assert len(engine.snapshot().entries) == 2


def test_only_engines_that_say_so_are_shown_views() -> None:
    engines = {name: make_propagator(name, NATIVE) for name in registry.available()}
    assert {name for name, engine in engines.items() if isinstance(engine, SupportsViews)} == {"light"}
