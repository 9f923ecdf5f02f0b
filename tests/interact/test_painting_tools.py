"""Lasso, fill, box, painting beside other objects, picking an object and copying one from another frame."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from interact.areas import area_at
from interact.events import PointerEvent
from interact.grabcut import GrabCutPredictor
from interact.interaction import Interaction
from interact.prompts import Box, Point
from interact.seeds import prompt_patch
from tests.interact.scene import Driver
from util.jobs import CancelToken, run_inline
from util.types import Rect, Size


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    driver.session.add_object()
    yield driver
    driver.session.close()


def right_drag(hand: Driver, *points: tuple[float, float]) -> None:
    for kind, point in zip(("press", *["move"] * (len(points) - 2), "release"), points, strict=True):
        hand.session.dispatch(PointerEvent(kind, *point, "right"))


def press(hand: Driver, x: float, y: float, *, right: bool = False, ctrl: bool = False) -> None:
    hand.session.dispatch(PointerEvent("press", x, y, "right" if right else "left", ctrl=ctrl))


def test_lasso_takes_and_erases(hand: Driver) -> None:
    hand.drag("lasso", (4, 4), (14, 4), (14, 14), (4, 14))
    mask = hand.session.masks.get(0)
    assert (mask[4:14, 4:14] == 1).all() and mask.sum() == 100
    right_drag(hand, (4, 4), (9, 4), (9, 14), (4, 14))
    assert hand.session.masks.get(0)[4:14, 4:9].sum() == 0
    assert hand.session.undo() == "erase by lasso on object 1"
    assert hand.session.undo() == "lasso on object 1" and not hand.session.masks.get(0).any()


def test_fill_takes_a_hole_and_gives_up_a_part(hand: Driver) -> None:
    session, said = hand.session, []
    session.message.connect(said.append)
    hand.drag("lasso", (4, 4), (20, 4), (20, 20), (4, 20))
    session.set_tool("lasso")
    right_drag(hand, (8, 8), (12, 8), (12, 12), (8, 12))
    session.set_tool("fill")
    press(hand, 10, 10)
    assert (session.masks.get(0)[4:20, 4:20] == 1).all()
    press(hand, 10, 10)
    assert "already part" in said[-1]
    press(hand, 10, 10, right=True)
    assert not session.masks.get(0).any()
    press(hand, 10, 10, right=True)
    assert "no part" in said[-1]


def test_painting_leaves_other_objects_alone_when_told_to(hand: Driver) -> None:
    session = hand.session
    hand.drag("lasso", (4, 4), (12, 4), (12, 12), (4, 12))
    session.add_object()
    session.keeps_others = True
    hand.drag("lasso", (8, 4), (18, 4), (18, 12), (8, 12))
    hand.drag("brush", (6, 6), (16, 6))
    mask = session.masks.get(0)
    assert (mask[4:12, 4:12] == 1).all() and (mask[4:12, 12:18] == 2).all()
    session.keeps_others = False
    hand.drag("brush", (10, 8), (10, 8))
    assert session.masks.get(0)[8, 10] == 2


def test_control_click_and_the_key_pick_what_lies_there(hand: Driver) -> None:
    session, said = hand.session, []
    session.message.connect(said.append)
    hand.drag("lasso", (4, 4), (12, 4), (12, 12), (4, 12))
    session.add_object()
    before = session.masks.get(0)
    press(hand, 5, 5, ctrl=True)
    assert session.objects.selected == 1 and session.masks.get(0) is before
    session.pick_object(Point(20, 20))
    assert session.objects.selected == 1 and "no object here" in said[-1]


def test_a_mask_is_copied_from_the_key_frames_around(hand: Driver) -> None:
    session, said = hand.session, []
    session.message.connect(said.append)
    hand.drag("lasso", (4, 4), (12, 4), (12, 12), (4, 12))
    session.seek(6)
    hand.drag("lasso", (14, 4), (22, 4), (22, 12), (14, 12))
    session.seek(3)
    session.copy_from_key(-1)
    assert (session.masks.get(3) == session.masks.get(0)).all() and session.key_frames.on(3) == {1}
    session.copy_from_key(1)
    assert (session.masks.get(3) == session.masks.get(6)).all()
    session.seek(6)
    session.copy_from_key(1)
    assert "no key frame after" in said[-1]
    for _ in range(2):
        session.undo()
    assert not session.masks.get(3).any() and session.key_frames.on(3) == frozenset()


def test_a_box_is_asked_of_the_predictor_and_each_box_begins_anew(hand: Driver) -> None:
    class Whole:
        """The whole inside of the box."""

        def predict(self, image: np.ndarray, interaction: Interaction, token: CancelToken) -> np.ndarray:
            assert interaction.kind == "box" and len(interaction.prompts) == 1
            region = np.zeros(image.shape[:2], np.bool_)
            patch = prompt_patch(interaction.prompts[0], Size(*region.shape))
            region[patch.rect.slices] = patch.inside
            return region

    hand.session.predictor = Whole()
    for rect in (Rect(4, 4, 16, 14), Rect(6, 6, 20, 18)):
        job = hand.drag("box", rect[:2], rect[2:])
        assert job is not None
        run_inline(job)
        expected = np.zeros(hand.session.frames.size, np.uint8)
        expected[rect.slices] = 1
        assert (hand.session.masks.get(0) == expected).all()


def test_grabcut_cuts_what_differs_inside_the_box() -> None:
    rng = np.random.default_rng(1)
    image = rng.normal(90, 6, (120, 160, 3))
    inside = np.zeros((120, 160), np.bool_)
    yy, xx = np.mgrid[:120, :160]
    inside[(xx - 80) ** 2 + (yy - 60) ** 2 < 30**2] = True
    image[inside] += (80, -20, 10)
    interaction = Interaction.start(0, 1, Box(45, 25, 116, 96), np.zeros((120, 160), np.uint8))
    region = GrabCutPredictor().predict(np.clip(image, 0, 255).astype(np.uint8), interaction, CancelToken())
    assert (region & inside).sum() / (region | inside).sum() > 0.95
    outside = region.copy()
    outside[25:96, 45:116] = False
    assert not outside.any()


@pytest.mark.parametrize("box", [Box(0, 0, 60, 40), Box(-9, -9, 5, 5), Box(10, 10, 15, 15)])
def test_a_box_of_any_size_has_an_answer(box: Box) -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    interaction = Interaction.start(0, 1, box, np.zeros((40, 60), np.uint8))
    assert GrabCutPredictor().predict(image, interaction, CancelToken()).shape == (40, 60)


def test_areas_are_connected_by_edges() -> None:
    mask = np.zeros((4, 5), np.uint8)
    mask[0, 0] = mask[1, 1] = 3
    patch = area_at(mask, Point(1.5, 1.5))
    assert patch.rect == Rect(1, 1, 2, 2) and patch.inside.all()
    assert area_at(mask, Point(4.9, 3.9)).inside.sum() == 18
