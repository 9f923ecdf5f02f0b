"""Suggestions of a network: which are shown, and what accepting, renaming and dropping them does."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inference_core.api import Proposal
from interact.suggestions import MIN_SHARE, Region, Suggestion, SuggestionList, outlines, worth_showing
from tests.interact.scene import SIZE, Driver
from util.errors import AppError
from util.raster import polygon


def box(x0: int, y0: int, x1: int, y1: int) -> Region:
    region = np.zeros(SIZE, np.bool_)
    region[y0:y1, x0:x1] = True
    return region


def proposal(number: int, region: Region, sure: float) -> Proposal:
    return Proposal(number, np.where(region, np.float32(sure), np.float32(0.1)), sure)


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    driver = Driver(tmp_path)
    yield driver
    driver.session.close()


def test_the_surest_come_first_and_the_same_object_once() -> None:
    left, right = box(0, 0, 8, 8), box(16, 0, 24, 8)
    again = box(0, 0, 8, 7)
    shown = worth_showing([proposal(1, left, 0.7), proposal(2, right, 0.9), proposal(3, again, 0.8)],
                          np.zeros(SIZE, np.uint8))
    assert [(one.number, one.score) for one in shown] == [(2, 0.9), (3, 0.8)]
    assert np.array_equal(shown[0].region, right)


def test_what_is_tiny_or_known_is_left_out_and_pixels_of_objects_stay_theirs() -> None:
    mask = np.zeros(SIZE, np.uint8)
    mask[box(0, 0, 8, 8)] = 4
    assert MIN_SHARE * mask.size < 1
    proposals = [
        proposal(1, box(0, 0, 8, 6), 0.9),  # inside object 4
        proposal(2, np.zeros(SIZE, np.bool_), 0.6),
        proposal(3, box(6, 0, 16, 8), 0.7),  # a fifth of it is object 4's
    ]
    (only,) = worth_showing(proposals, mask)
    assert only.number == 3 and np.array_equal(only.region, box(8, 0, 16, 8))


def test_outlines_enclose_the_region_and_its_holes() -> None:
    region = box(4, 4, 20, 18)
    region[8:12, 8:12] = False
    outer, hole = sorted(outlines(region), key=lambda line: min(line))
    patch = polygon(outer, SIZE)
    filled = np.zeros(SIZE, np.bool_)
    filled[patch.rect.slices] = patch.inside
    # An outline runs through the middle of the pixels at the edge.
    assert (filled ^ box(4, 4, 20, 18)).sum() <= 2 * (16 + 14) and filled[10, 10]
    assert all(7 <= x <= 13 and 7 <= y <= 13 for x, y in hole)
    assert outlines(np.zeros(SIZE, np.bool_)) == []


def test_an_accepted_suggestion_is_an_object_with_a_key_frame_in_one_step(driver: Driver) -> None:
    session = driver.session
    session.seek(3)
    region = box(2, 3, 9, 8)
    before = session.masks.get(3)
    assert session.accept_suggestion(Suggestion(7, region, 0.9, "fox"))
    (item,) = session.objects.items
    assert item.name == "fox" and session.objects.selected == item.object_id
    assert np.array_equal(session.masks.get(3) == item.object_id, region)
    assert session.key_frames.on(3) == {item.object_id} and session.history.undo_label == "accept fox"
    session.undo()
    assert not len(session.objects) and np.array_equal(session.masks.get(3), before) and not session.key_frames.on(3)
    session.redo()
    assert session.objects.items == (item,) and session.key_frames.on(3) == {item.object_id}


def test_other_objects_keep_their_pixels(driver: Driver) -> None:
    session = driver.session
    assert session.accept_suggestion(Suggestion(1, box(0, 0, 8, 8), 0.9))
    first = session.masks.get(0) == 1
    assert session.accept_suggestion(Suggestion(2, box(4, 0, 12, 8), 0.8))
    assert [item.name for item in session.objects.items] == ["object 1", "object 2"]
    assert np.array_equal(session.masks.get(0) == 1, first)
    assert np.array_equal(session.masks.get(0) == 2, box(8, 0, 12, 8))
    next_id = session.objects.next_id
    with pytest.raises(AppError, match="Other objects have all pixels"):
        session.accept_suggestion(Suggestion(3, box(2, 2, 6, 6), 0.8))
    assert session.objects.next_id == next_id and len(session.objects) == 2


def test_nothing_is_accepted_while_editing_is_locked(driver: Driver) -> None:
    driver.session.lock("Wait.")
    assert not driver.session.accept_suggestion(Suggestion(1, box(0, 0, 8, 8), 0.9))
    assert not len(driver.session.objects) and driver.messages == ["Wait."]


def test_the_list_is_selected_renamed_and_dropped() -> None:
    suggestions, heard = SuggestionList(), []
    suggestions.changed.connect(lambda: heard.append(suggestions.selected))
    suggestions.show(5, [Suggestion(4, box(0, 0, 4, 4), 0.9), Suggestion(2, box(8, 8, 12, 12), 0.8)])
    suggestions.select(2)
    suggestions.rename(2, "  cup ")
    assert suggestions.find(2).name == "cup" and suggestions.find(4).name == ""
    suggestions.drop(2)
    assert suggestions.frame == 5 and [one.number for one in suggestions.items] == [4]
    suggestions.drop(4)
    assert suggestions.frame is None and suggestions.selected is None and suggestions.items == ()
    assert heard == [4, 2, 2, 4, None]
    with pytest.raises(KeyError):
        suggestions.select(4)
