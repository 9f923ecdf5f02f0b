"""The history by itself, and through the session: random work undone and redone leads to the states it came from."""
from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interact.commands import MaskChange, Scene, Step
from interact.undo_stack import UndoStack
from storage.mask_delta import diff
from tests.interact.scene import SIZE, Driver

NUM_FRAMES = 4


@dataclass
class Note:
    """A step that changes nothing."""

    label: str
    nbytes: int = 10
    frame: int | None = None
    log: list[str] = field(default_factory=list)

    def apply(self, scene: Scene) -> None:
        self.log.append("apply")

    def revert(self, scene: Scene) -> None:
        self.log.append("revert")

    def touches(self, frame: int) -> bool:
        return False


def test_labels_follow_the_steps() -> None:
    stack = UndoStack(100)
    changes = []
    stack.changed.connect(lambda: changes.append((stack.undo_label, stack.redo_label)))
    stack.push(Note("a"))
    stack.push(Note("b"))
    stack.step_back()
    stack.step_back()
    stack.step_forward()
    stack.push(Note("c"))
    assert changes == [("a", None), ("b", None), ("a", "b"), (None, "a"), ("a", "b"), ("c", None)]
    assert stack.nbytes == 20


def test_empty_stack_has_nothing_to_give() -> None:
    stack = UndoStack(100)
    assert stack.next_undo is None and stack.next_redo is None
    with pytest.raises(IndexError):
        stack.step_back()
    with pytest.raises(IndexError):
        stack.step_forward()


def test_oldest_steps_go_over_the_limit_and_are_named() -> None:
    stack = UndoStack(35)
    dropped: list[str] = []
    stack.dropped.connect(dropped.append)
    for label in "abcde":
        stack.push(Note(label))
    assert dropped == ["a", "b"] and stack.nbytes == 30
    stack.push(Note("big", nbytes=1000))
    assert dropped == ["a", "b", "e"]
    assert stack.undo_label == "big" and stack.nbytes == 1000


def test_a_step_reverts_its_changes_backwards(tmp_path: Path) -> None:
    hand = Driver(tmp_path, num_frames=1)
    masks = [np.full(SIZE, value, np.uint8) for value in (0, 1, 2)]
    step = Step("two on one frame", 0, tuple(MaskChange(diff(0, a, b)) for a, b in pairwise(masks)))
    step.apply(hand.session)
    assert (hand.session.masks.get(0) == 2).all()
    step.revert(hand.session)
    assert hand.session.masks.is_empty(0)
    hand.session.close()


coordinate = st.integers(0, 23)
WORK = st.one_of(
    st.tuples(st.sampled_from(["click", "exclude", "brush", "eraser", "polygon"]), coordinate, coordinate),
    st.tuples(st.sampled_from(["seek", "select", "delete"]), st.integers(0, 3)),
    st.tuples(st.sampled_from(["add", "rename", "clear", "import", "propagate", "stop", "undo", "redo"])),
)


def work(hand: Driver, name: str, *numbers: int) -> None:
    """One thing that a user may do."""
    session = hand.session
    order = session.objects.order
    match name, *numbers:
        case "click" | "exclude", x, y:
            hand.click(x, y, right=name == "exclude")
        case "brush" | "eraser", x, y:
            hand.drag(name, (x, y), (y, x))
        case "polygon", x, y:
            hand.drag("polygon", (x, y))
            for corner in ((x + 7, y), (x, y + 7), (x + 1, y)):
                hand.press(*corner)
            session.tool.reset()
        case "seek", frame:
            session.seek(frame)
        case "select", place if order:
            session.select_object(order[place % len(order)])
        case "delete", place if len(order) > 1:
            session.delete_object(order[place % len(order)])
        case "add",:
            session.add_object()
        case "rename", if order:
            session.rename_object(order[0], session.objects.name(order[0]) + "'")
        case "clear",:
            session.clear_frame()
        case "import",:
            session.import_masks({1: np.full(SIZE, 3, np.uint8), 2: np.eye(*SIZE, dtype=np.uint8)})
        case "propagate" | "stop", if session.key_frames.on(session.frame) or not session.masks.is_empty(session.frame):
            hand.propagate(cancel_at=2 if name == "stop" else None)


@settings(max_examples=60)
@given(st.lists(WORK, max_size=14))
def test_undo_and_redo_lead_to_the_states_of_the_work(script: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hand = Driver(Path(folder), num_frames=NUM_FRAMES)
        session = hand.session
        session.add_object()
        session.history = UndoStack(1 << 24)
        pushed: list[str | None] = []
        session.history.changed.connect(lambda: pushed.append(session.history.undo_label))
        states, place = [hand.state()], 0
        for name, *numbers in script:
            if name == "undo":
                place -= session.undo() is not None
            elif name == "redo":
                place += session.redo() is not None
            else:
                pushed.clear()
                work(hand, name, *numbers)
                assert len(pushed) <= 1
                if pushed:
                    place += 1
                    states[place:] = [hand.state()]
            assert hand.state() == states[place]
        while session.undo() is not None:
            place -= 1
            assert hand.state() == states[place]
        assert place == 0
        while session.redo() is not None:
            place += 1
            assert hand.state() == states[place]
        assert place == len(states) - 1
        session.close()
