"""Strays: parts of a mask far from where the object was are left out, as long as the object is still there."""
from __future__ import annotations

import torch
from torch import Tensor

from inference_core.strays import without_strays
from util.types import Rect

HEIGHT, WIDTH = 100, 200
HERE, FAR = Rect(20, 40, 40, 60), Rect(150, 40, 170, 60)


def mask(*rects: Rect) -> Tensor:
    plane = torch.zeros(HEIGHT, WIDTH)
    for rect in rects:
        plane[rect.slices] = 0.9
    return plane


def prob_of(*planes: Tensor) -> Tensor:
    objects = torch.stack(planes)
    return torch.cat([1 - objects.sum(0, keepdim=True), objects])


def test_a_look_alike_far_away_is_left_out() -> None:
    prob = prob_of(mask(HERE, FAR))
    found = without_strays(prob, mask(HERE)[None])
    assert torch.equal(found[1], mask(HERE))
    torch.testing.assert_close(found.sum(0), torch.ones(HEIGHT, WIDTH))


def test_a_part_near_by_stays() -> None:
    part = Rect(43, 40, 50, 60)  # 3 pixels away, 5 are near
    prob = prob_of(mask(HERE, part))
    assert torch.equal(without_strays(prob, mask(HERE)[None]), prob)


def test_a_part_inside_the_box_around_the_object_stays() -> None:
    """A thing that is seen on both sides of a post comes into sight again between them."""
    left, right, between = Rect(20, 40, 40, 60), Rect(100, 40, 120, 60), Rect(65, 45, 75, 55)
    prob = prob_of(mask(left, right, between))
    assert torch.equal(without_strays(prob, mask(left, right)[None]), prob)


def test_an_object_that_jumped_is_kept() -> None:
    prob = prob_of(mask(FAR))
    assert torch.equal(without_strays(prob, mask(HERE)[None]), prob)


def test_a_rest_where_the_object_was_does_not_hide_that_it_jumped() -> None:
    prob = prob_of(mask(FAR, Rect(20, 40, 25, 45)))
    assert torch.equal(without_strays(prob, mask(HERE)[None]), prob)


def test_an_object_that_was_away_is_found_anywhere() -> None:
    prob = prob_of(mask(HERE, FAR))
    assert torch.equal(without_strays(prob, mask()[None]), prob)


def test_two_bodies_of_one_object_both_stay() -> None:
    prob = prob_of(mask(HERE, FAR))
    assert torch.equal(without_strays(prob, mask(HERE, FAR)[None]), prob)


def test_each_object_has_its_own_surroundings() -> None:
    first, second = mask(HERE), mask(FAR, Rect(60, 10, 70, 20))
    found = without_strays(prob_of(first, second), torch.stack([mask(HERE), mask(FAR)]))
    assert torch.equal(found[1], first)
    assert torch.equal(found[2], mask(FAR))


def test_no_outline_of_a_stray_stays() -> None:
    blurred = mask(HERE, FAR)
    blurred[39:61, 149] = 0.3
    found = without_strays(prob_of(blurred), mask(HERE)[None])
    assert not found[1, :, 100:].any()
