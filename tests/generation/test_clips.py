"""Rendered clips: repeatable, with masks that exclude each other and a correspondence that is exact."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from generation import clips
from generation.clips import LAYER_GAP, ClipBatch, ClipRenderer
from generation.pack import Pack, build_pack
from generation.photometric import degrade
from tests.generation.pictures import blocks, names, ramp, tiny_pack, write_still

CPU = torch.device("cpu")
SIDE = 64


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return tiny_pack(tmp_path_factory.mktemp("stills"), shapes=4)


@pytest.fixture(scope="module")
def batch(pack: Pack) -> ClipBatch:
    return ClipRenderer(pack, CPU, frames=4).batch(0, 24, SIDE)


def same(one: ClipBatch, other: ClipBatch) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in ("image", "mask", "valid", "point"))


def test_a_batch_is_a_function_of_seed_and_number(pack: Pack) -> None:
    one = ClipRenderer(pack, CPU, seed=3)
    first, second = one.batch(0, 2, SIDE), one.batch(1, 2, SIDE)
    other = ClipRenderer(pack, CPU, seed=3)
    torch.rand(7)  # nothing hangs on the global generator
    assert same(other.batch(1, 2, SIDE), second)
    assert same(other.batch(0, 2, SIDE), first)
    assert not same(first, second)
    assert not same(ClipRenderer(pack, CPU, seed=4).batch(0, 2, SIDE), first)


def test_other_motion_of_the_same_pack(pack: Pack) -> None:
    one = ClipRenderer(pack, CPU, seed=3, frames=2)
    before = one.batch(0, 2, SIDE)
    motion = {"frames": 5, "hard": 0.5, "near": 0.7, "turning": 1.0}
    wanted = ClipRenderer(pack, CPU, seed=3, **motion).batch(0, 2, SIDE)  # type: ignore[arg-type]
    assert same(one.moving(**motion).batch(0, 2, SIDE), wanted)  # type: ignore[arg-type]
    assert same(one.batch(0, 2, SIDE), before)


def test_shapes_and_ranges(batch: ClipBatch) -> None:
    assert batch.image.shape == (24, 4, 3, SIDE, SIDE)
    assert batch.mask.shape == (24, 4, 2, SIDE, SIDE)
    assert batch.valid.shape == (24, 2) and batch.valid.dtype == torch.bool
    assert batch.point.shape == (24, 4, SIDE // 8, SIDE // 8, 2)
    assert batch.image.isfinite().all() and batch.image.min() >= 0 and batch.image.max() <= 1
    assert batch.image.std() > 0.05


def test_masks_exclude_each_other(batch: ClipBatch) -> None:
    assert set(batch.mask.unique().tolist()) == {0.0, 1.0}
    assert batch.mask.sum(2).max() == 1


def test_a_followed_object_is_seen_on_the_first_frame_and_others_never(batch: ClipBatch) -> None:
    area = batch.mask.flatten(3).mean(3)
    assert (area[:, 0][batch.valid] > 0.003).all()
    assert not area.transpose(1, 2)[~batch.valid].any()
    assert batch.valid.any(1).float().mean() > 0.8 and batch.valid.all(1).any()


def test_objects_move_and_some_leave(batch: ClipBatch) -> None:
    area = batch.mask.flatten(3).sum(3).transpose(1, 2)[batch.valid]
    both = (batch.mask[:, 0] * batch.mask[:, -1]).flatten(2).sum(2)[batch.valid]
    iou = both / (area[:, 0] + area[:, -1] - both)
    assert 0.05 < iou.mean() < 0.95
    assert (area[:, 1:] == 0).any()


def test_objects_that_turn_show_more_and_more(pack: Pack) -> None:
    def growing(turning: float) -> float:
        """Share of the followed objects that become larger by a fifth."""
        batch = ClipRenderer(pack, CPU, frames=4, hard=0.01, turning=turning).batch(0, 32, SIDE)
        first, last = (batch.mask[:, frame].flatten(2).sum(2)[batch.valid] for frame in (0, -1))
        return float((last > 1.2 * first).float().mean())

    assert growing(0.0) < 0.1 < 0.2 < growing(1.0)


def at_cells(planes: Tensor, stride: int = 8) -> Tensor:
    """The pixels that `point` is about: [B, T, C, s, s] -> [B, T, h * w, C]."""
    return planes[..., stride // 2 :: stride, stride // 2 :: stride].flatten(3).transpose(2, 3)


def pairs(batch: ClipBatch, first: int, second: int) -> tuple[Tensor, Tensor, Tensor]:
    """Indices (clip, cell of the first frame, cell of the second) that show the same point, to a sixth of a cell."""
    one, other = batch.point[:, first].flatten(1, 2), batch.point[:, second].flatten(1, 2)
    return (torch.cdist(one, other, compute_mode="donot_use_mm_for_euclid_dist") < 1 / 6).nonzero(as_tuple=True)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_equal_points_show_equal_colours(pack: Pack, monkeypatch: pytest.MonkeyPatch, layer: int) -> None:
    monkeypatch.setattr(clips, "degrade", lambda image, gen: image)
    batch = ClipRenderer(pack, CPU, stride=4).batch(5, 48, SIDE)
    color = at_cells(batch.image, 4)
    clip, one, other = pairs(batch, 0, 2)
    on_layer = (batch.point[:, 0].flatten(1, 2)[clip, one, 0] / LAYER_GAP).round() == layer
    chosen = on_layer & (one != other)  # what has moved on to another cell
    clip, one, other = clip[chosen], one[chosen], other[chosen]
    assert len(clip) > 20
    apart = (color[clip, 0, one] - color[clip, 2, other]).abs().amax(1)
    # The ramp changes by about 0.01 over a sixth of a cell; at outlines layers are mixed.
    assert apart.median() < 0.02 and apart.quantile(0.9) < 0.08
    stayed = (color[clip, 0, one] - color[clip, 2, one]).abs().amax(1)
    assert stayed.median() > 3 * apart.median(), "the test would not see a wrong correspondence"


def test_points_of_different_layers_are_far_apart(batch: ClipBatch) -> None:
    layer = (batch.point / LAYER_GAP).round()
    assert (layer[..., 0] == layer[..., 1]).all()
    assert set(layer.unique().tolist()) == {0.0, 1.0, 2.0}
    assert (batch.point - LAYER_GAP * layer).abs().max() < LAYER_GAP / 4


@pytest.mark.parametrize("turning", [0.0, 1.0])
def test_masks_follow_the_points(pack: Pack, turning: float) -> None:
    """What belongs to an object on one frame belongs to it where the same point is seen on another."""
    batch = ClipRenderer(pack, CPU, frames=2, turning=turning).batch(2, 32, SIDE)
    mask = at_cells(batch.mask)
    clip, one, other = pairs(batch, 0, 1)
    first, second = mask[clip, 0, one], mask[clip, 1, other]
    inside = first.any(1)
    assert inside.sum() > 30
    assert (first == second).all(1)[inside].float().mean() > 0.9


def test_twins_and_distractors(pack: Pack) -> None:
    cast = ClipRenderer(pack, CPU)._cast(np.random.default_rng(0), 400)
    are_there = cast.present[:, 2] & cast.present[:, 3]
    twins = are_there & (cast.object[:, 1] == cast.object[:, 2])
    assert twins.mean() > 0.1
    followed = cast.label[twins][:, 2:] > 0
    assert (followed[:, 0] != followed[:, 1]).any(), "of some twins only one is followed"
    assert set(np.unique(cast.label)) == {0, 1, 2}
    assert not cast.label[~cast.present].any()


@pytest.mark.parametrize(("set_name", "one_thing"), [("set", {1, 2}), ("ccp", {3})])
def test_made_up_objects_can_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_name: str, one_thing: set[int]
) -> None:
    """Segments 1 and 2 touch: their union 3 is one thing only where a set's labels are parts of it."""
    for name in names("train", 6, set_name):
        write_still(tmp_path / set_name, name, ramp(), blocks())
    pack = build_pack(tmp_path, "train", side=SIDE, quality=98, scenes=0, shapes=0)
    bits = pack.object_bits >> np.uint64(1)
    assert set(bits.tolist()) == {1, 2, 3}
    for made_up, expected in ((0.0, one_thing), (1.0, {1, 2, 3})):
        cast = ClipRenderer(pack, CPU, made_up=made_up)._cast(np.random.default_rng(0), 200)
        assert set(bits[cast.object].ravel().tolist()) == expected


def test_backgrounds_come_from_the_sets_that_are_asked_for(tmp_path: Path) -> None:
    for set_name in ("coco", "cars"):
        for name in names("train", 4, set_name):
            write_still(tmp_path / set_name, name, ramp(), blocks())
    pack = build_pack(tmp_path, "train", side=SIDE, quality=98, scenes=0, shapes=0)
    cast = ClipRenderer(pack, CPU, base_mix={"coco": 0.0, "cars": 1.0})._cast(np.random.default_rng(0), 50)
    of_set = pack.sets[pack.object_set[cast.object]]
    assert set(of_set[:, 0]) == {"cars"}
    assert set(of_set[:, 1:].ravel()) == {"cars", "coco"}, "what is pasted is chosen as before"


def test_photometric_change_is_repeatable_and_differs_between_frames() -> None:
    grey = torch.full((3, 2, 3, 32, 32), 0.5)
    one, again = (degrade(grey, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(one, again)
    assert one.min() >= 0 and one.max() <= 1
    assert (one[:, 0].mean((1, 2, 3)) - one[:, 1].mean((1, 2, 3))).abs().min() > 1e-4
