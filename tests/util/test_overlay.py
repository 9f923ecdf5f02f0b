"""The overlay: colours, contours, hidden and ignored pixels; composed in parts it is the same picture."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from util.overlay import CONTOUR_MARGIN, GROUND, IGNORE_GRAY, compose, cut_out, paint_masks, soft_cut_out
from util.palette import object_color
from util.types import IGNORE, ImageU8, IndexMask, Rect, Size


def gray_image(height: int = 24, width: int = 32, value: int = 100) -> ImageU8:
    return np.full((height, width, 3), value, np.uint8)


def square_mask(object_id: int = 1) -> IndexMask:
    mask = np.zeros((24, 32), np.uint8)
    mask[6:18, 8:22] = object_id
    return mask


def changed(image: ImageU8, drawn: ImageU8) -> np.ndarray:
    return (image != drawn).any(axis=2)


def test_no_objects_is_the_frame_itself() -> None:
    image = gray_image()
    drawn = compose(image, np.zeros((24, 32), np.uint8))
    assert np.array_equal(drawn, image)
    assert not np.shares_memory(drawn, image)


@pytest.mark.parametrize(("opacity", "expected"), [(0.0, (100, 100, 100)), (0.5, (165, 80, 80)), (1.0, (230, 60, 60))])
def test_fill_mixes_the_object_colour(opacity: float, expected: tuple[int, int, int]) -> None:
    drawn = compose(gray_image(), square_mask(), opacity=opacity, contour=False)
    assert tuple(drawn[12, 15]) == expected
    assert tuple(drawn[0, 0]) == (100, 100, 100)


def test_an_object_may_be_fainter_than_the_others() -> None:
    mask = square_mask()
    mask[6:18, 15:22] = 2
    usual, faint = compose(gray_image(), mask, contour=False), compose(
        gray_image(), mask, contour=False, opacities=((1, 0.5), (7, 0.2))
    )
    assert np.array_equal(changed(usual, faint), mask == 1), "no other object, and nothing around it"
    alone = compose(gray_image(), square_mask(), opacity=0.25, contour=False)
    assert tuple(faint[12, 10]) == tuple(alone[12, 10])
    lines = changed(compose(gray_image(), mask, opacity=0), compose(gray_image(), mask, opacity=0, opacities=((1, 0),)))
    assert not lines.any(), "lines stay as strong"


@given(hnp.arrays(np.uint8, (12, 14), elements=st.integers(0, 4)), st.integers(0, 11), st.integers(0, 13))
def test_a_part_with_faint_objects_is_that_part_of_the_whole(mask: IndexMask, y: int, x: int) -> None:
    image = np.arange(12 * 14 * 3, dtype=np.uint8).reshape(12, 14, 3)
    opacities = ((1, 0.5), (2, 0.0), (3, 0.5))
    rect = Rect(x, y, min(x + 5, 14), min(y + 4, 12))
    whole = compose(image, mask, selected=2, opacities=opacities)
    part = compose(image, mask, selected=2, opacities=opacities, rect=rect)
    assert np.array_equal(part, whole[rect.slices])


def test_a_soft_cut_out_mixes_with_the_ground() -> None:
    alpha = np.zeros((24, 32), np.uint8)
    alpha[5:10, 5:10] = 255
    alpha[5:10, 10] = 128
    drawn = soft_cut_out(gray_image(), alpha)
    assert drawn[7, 7, 0] == 100 and drawn[0, 0, 0] == GROUND
    assert drawn[7, 10, 0] == round((100 * 128 + GROUND * 127) / 255)
    rect = Rect(4, 4, 12, 9)
    assert np.array_equal(soft_cut_out(gray_image(), alpha, rect=rect), drawn[rect.slices])
    with pytest.raises(ValueError, match="do not fit"):
        soft_cut_out(gray_image(), alpha[1:])


@pytest.mark.parametrize("mask", [square_mask(), np.ones((24, 32), np.uint8)], ids=["part", "all"])
def test_input_stays_as_it_is(mask: IndexMask) -> None:
    image = gray_image()
    image.setflags(write=False)
    mask.setflags(write=False)
    compose(image, mask, selected=1, hidden={2})
    assert (image == 100).all()


def test_contour_is_the_inner_ring() -> None:
    image = gray_image()
    drawn = changed(image, compose(image, square_mask(), opacity=0))
    ring = square_mask().astype(bool)
    ring[7:17, 9:21] = False
    assert np.array_equal(drawn, ring)


def test_selected_object_has_the_wider_contour() -> None:
    image = gray_image()
    mask = square_mask()
    mask[8:12, 26:32] = 2
    drawn = changed(image, compose(image, mask, opacity=0, selected=1))
    plain = changed(image, compose(image, mask, opacity=0))
    ring = square_mask().astype(bool)
    ring[8:16, 10:20] = False
    ring[8, 10] = ring[8, 19] = ring[15, 10] = ring[15, 19] = drawn[8, 10]
    assert np.array_equal(drawn[:, :24], ring[:, :24])
    assert np.array_equal(drawn[:, 24:], plain[:, 24:])


def test_contour_is_brighter_than_the_fill() -> None:
    for object_id in range(1, 255):
        drawn = compose(gray_image(value=60), square_mask(object_id), opacity=1)
        assert int(drawn[6, 12].sum()) > int(drawn[12, 15].sum())
        assert tuple(drawn[12, 15]) == object_color(object_id)


def test_touching_objects_keep_a_line_each() -> None:
    mask = np.ones((24, 32), np.uint8)
    mask[:, 16:] = 2
    drawn = changed(gray_image(), compose(gray_image(), mask, opacity=0))
    assert drawn[:, 15:17].all()
    assert not drawn[:, :15].any()
    assert not drawn[:, 17:].any()


def test_the_border_of_the_image_is_no_contour() -> None:
    assert not changed(gray_image(), compose(gray_image(), np.ones((24, 32), np.uint8), opacity=0, selected=1)).any()


def test_hidden_objects_are_background() -> None:
    image, mask = gray_image(), square_mask()
    mask[0:4, 0:4] = 3
    only = np.where(mask == 3, 3, 0).astype(np.uint8)
    assert np.array_equal(compose(image, mask, hidden=[1]), compose(image, only))
    assert np.array_equal(compose(image, mask, hidden={1, 3}, selected=1), image)


def test_ignore_is_grey_without_contour() -> None:
    image = gray_image(value=40)
    drawn = compose(image, square_mask(IGNORE), opacity=1)
    assert (drawn[square_mask() == 1] == IGNORE_GRAY).all()
    assert np.array_equal(compose(image, square_mask(IGNORE), opacity=0), image)
    assert np.array_equal(compose(image, square_mask(IGNORE), hidden={IGNORE}), image)


def test_object_beside_ignore_keeps_its_contour() -> None:
    mask = square_mask()
    beside = mask.copy()
    beside[6:18, 22:] = IGNORE
    plain, drawn = (changed(gray_image(), compose(gray_image(), m, opacity=0)) for m in (mask, beside))
    assert np.array_equal(plain, drawn)


@given(
    mask=hnp.arrays(np.uint8, (17, 23), elements=st.sampled_from([0, 0, 0, 1, 2, 255])),
    corner=st.tuples(st.integers(-4, 24), st.integers(-4, 18)),
    extent=st.tuples(st.integers(0, 30), st.integers(0, 25)),
    opacity=st.sampled_from([0.0, 0.31, 0.5, 1.0]),
    selected=st.sampled_from([None, 1, 7]),
    hidden=st.sampled_from([(), (2,), (1, 255)]),
)
def test_a_part_equals_the_same_part_of_the_whole(
    mask: IndexMask,
    corner: tuple[int, int],
    extent: tuple[int, int],
    opacity: float,
    selected: int | None,
    hidden: tuple[int, ...],
) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*mask.shape, 3), np.uint8)
    rect = Rect(corner[0], corner[1], corner[0] + extent[0], corner[1] + extent[1])
    whole = compose(image, mask, opacity=opacity, selected=selected, hidden=hidden)
    part = compose(image, mask, opacity=opacity, selected=selected, hidden=hidden, rect=rect)
    clipped = rect.clipped(Size(*mask.shape))
    expected = whole[clipped.slices] if not clipped.is_empty else np.zeros((0, 0, 3), np.uint8)
    assert part.size == expected.size
    if part.size:
        assert np.array_equal(part, expected)


@given(
    before=hnp.arrays(np.uint8, (17, 23), elements=st.sampled_from([0, 0, 1, 2])),
    edit=st.tuples(st.integers(0, 22), st.integers(0, 16), st.integers(1, 8), st.integers(1, 8)),
    value=st.sampled_from([0, 1, 2, 255]),
    selected=st.sampled_from([None, 1]),
)
def test_margin_covers_everything_an_edit_changes(
    before: IndexMask, edit: tuple[int, int, int, int], value: int, selected: int | None
) -> None:
    image = gray_image(17, 23)
    size = Size(17, 23)
    rect = Rect(edit[0], edit[1], edit[0] + edit[2], edit[1] + edit[3]).clipped(size)
    after = before.copy()
    after[rect.slices] = value
    patched = compose(image, before, selected=selected)
    dirty = rect.grown(CONTOUR_MARGIN).clipped(size)
    patched[dirty.slices] = compose(image, after, selected=selected, rect=dirty)
    assert np.array_equal(patched, compose(image, after, selected=selected))


def test_large_pictures_compose_the_same_in_parts() -> None:
    """Wide enough for the vector code of OpenCV, which small arrays never reach."""
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (301, 517, 3), np.uint8)
    mask = np.kron(rng.integers(0, 4, (44, 74)), np.ones((7, 7))).astype(np.uint8)[:301, :517]
    whole = compose(image, mask, opacity=0.37, selected=2)
    for rect in (Rect(0, 0, 517, 10), Rect(101, 53, 398, 257), Rect(500, 290, 900, 900), Rect(33, 1, 34, 300)):
        part = compose(image, mask, opacity=0.37, selected=2, rect=rect)
        assert np.array_equal(part, whole[rect.clipped(Size(301, 517)).slices])


@pytest.mark.parametrize("opacity", [-0.1, 1.1])
def test_bad_opacity(opacity: float) -> None:
    with pytest.raises(ValueError, match="opacity"):
        compose(gray_image(), square_mask(), opacity=opacity)


def test_sizes_must_fit() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        compose(gray_image(), np.zeros((24, 31), np.uint8))


# -- the other ways of showing masks


def test_masks_alone_are_palette_colours_on_black() -> None:
    mask = square_mask(2)
    mask[0, 0] = IGNORE
    drawn = paint_masks(mask)
    assert tuple(drawn[12, 15]) == object_color(2) and tuple(drawn[0, 0]) == (IGNORE_GRAY,) * 3
    assert tuple(drawn[3, 3]) == (0, 0, 0)
    assert paint_masks(mask, hidden={2})[12, 15].max() == 0


def test_a_cut_out_is_the_frame_inside_the_objects_and_plain_elsewhere() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (24, 32, 3), np.uint8)
    mask = square_mask()
    mask[20:22, 4:9] = 2
    mask[0] = IGNORE
    drawn = cut_out(image, mask, hidden={2})
    shown = mask == 1
    assert np.array_equal(drawn[shown], image[shown]) and set(drawn[~shown].ravel()) == {GROUND}
    with pytest.raises(ValueError, match="do not fit"):
        cut_out(image[:, 1:], mask)


@pytest.mark.parametrize("rect", [Rect(5, 3, 17, 20), Rect(-4, 20, 9, 60)])
def test_a_part_shown_another_way_is_that_part_of_the_whole(rect: Rect) -> None:
    image = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)
    mask = square_mask()
    inside = rect.clipped(Size(24, 32)).slices
    assert np.array_equal(paint_masks(mask, rect=rect), paint_masks(mask)[inside])
    assert np.array_equal(cut_out(image, mask, rect=rect), cut_out(image, mask)[inside])
