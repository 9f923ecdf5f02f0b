"""The object list, the key frames and who owns a pixel."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from interact.frame_marks import FrameMarks
from interact.layering import lay_region
from interact.objects import ObjectList, SceneObject
from interact.packed_mask import PackedMask
from util.errors import AppError

ITEMS = tuple(SceneObject(i, f"object {i}") for i in (4, 2, 9))


def test_first_object_is_selected_and_ids_go_on_after_the_highest() -> None:
    objects = ObjectList(ITEMS)
    assert (objects.selected, objects.order, objects.next_id) == (4, (4, 2, 9), 10)
    assert ObjectList((), next_id=6).new() == SceneObject(6, "object 6")
    assert objects.new("cat") == SceneObject(10, "cat") and objects.new().object_id == 11


@pytest.mark.parametrize(("gone", "next_selected"), [(4, 2), (2, 9), (9, 2)])
def test_selection_goes_to_the_neighbour(gone: int, next_selected: int) -> None:
    objects = ObjectList(ITEMS)
    objects.select(gone)
    objects.replace(item for item in ITEMS if item.object_id != gone)
    assert objects.selected == next_selected
    objects.replace(())
    assert objects.selected is None and len(objects) == 0


def test_ids_of_deleted_objects_are_not_given_out_again() -> None:
    objects = ObjectList(ITEMS)
    objects.replace(ITEMS[:2])
    assert objects.new().object_id == 10


def test_ids_end_at_254() -> None:
    objects = ObjectList([SceneObject(254, "last")])
    with pytest.raises(AppError, match="at most 254"):
        objects.new()


@pytest.mark.parametrize("ids", [(1, 1), (0,), (255,)])
def test_impossible_lists_are_refused(ids: tuple[int, ...]) -> None:
    objects = ObjectList(ITEMS)
    with pytest.raises(ValueError, match="1..254"):
        objects.replace(SceneObject(i, "x") for i in ids)
    assert objects.items == ITEMS


def test_unknown_ids() -> None:
    objects = ObjectList(ITEMS)
    with pytest.raises(KeyError):
        objects.select(3)
    with pytest.raises(KeyError):
        objects.name(3)
    assert 9 in objects and 3 not in objects


def test_changes_are_announced_once() -> None:
    objects = ObjectList(ITEMS)
    calls: list[int | None] = []
    objects.changed.connect(lambda: calls.append(objects.selected))
    objects.select(9)
    objects.select(9)
    objects.replace(ITEMS[:1])
    assert calls == [9, 4]


def test_key_frames_are_sorted_and_drop_empty_ones() -> None:
    keys = FrameMarks({5: {1}, 2: {2, 3}, 9: ()})
    calls: list[dict[int, frozenset[int]]] = []
    keys.changed.connect(lambda: calls.append(dict(keys)))
    assert list(keys) == [2, 5] and keys.on(9) == frozenset()
    keys.replace({5: frozenset(), 3: frozenset({1})})
    keys.replace({3: frozenset({1})})
    assert calls == [{2: {2, 3}, 3: {1}}]


ORDER = (3, 1, 2)


@given(arrays(np.uint8, (6, 8), elements=st.sampled_from([0, 1, 2, 3, 255])), arrays(np.bool_, (6, 8)))
def test_objects_above_keep_their_pixels_and_those_below_give_way(base: np.ndarray, region: np.ndarray) -> None:
    before = base.copy()
    result = lay_region(base, 1, region, ORDER)
    assert (base == before).all()
    assert ((result == 3) == (base == 3)).all()
    assert ((result == 1) == (region & (base != 3))).all()
    assert (result[~region & (base != 1)] == base[~region & (base != 1)]).all()
    assert (result[~region & (base == 1)] == 0).all()


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_packed_mask_unpacks_to_the_same(mask: np.ndarray) -> None:
    packed = PackedMask.pack(mask)
    assert (packed.unpack() == mask).all() and packed == PackedMask.pack(np.asfortranarray(mask))
    with pytest.raises(ValueError, match="read-only"):
        packed.unpack()[0, 0] = 1
