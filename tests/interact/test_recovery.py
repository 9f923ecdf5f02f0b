"""Closing, crashing and going on: the journal brings back the history, the masks and what was open on the canvas."""
from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interact.recovery import Opening
from interact.session import VideoSession
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.mask_writer import MaskWriter
from storage.workspace import Workspace
from tests.interact.scene import Driver
from tests.interact.test_undo_stack import NUM_FRAMES, WORK, work
from util.errors import AppError


class Survivor(Driver):
    """A session whose workspace can be found as a killed program leaves it. Nothing is saved unless `save` is called.

    The writer thread waits for a flush, which never comes to the folder that is copied.
    """

    def crash(self, saved_frames: Iterable[int] = (), *, recover: bool = True) -> Opening:
        """Go on with a copy of the folder, in which the masks of `saved_frames` happen to be written already."""
        for frame in saved_frames:
            self.session.masks._save(frame)
        left = self.workspace.with_name(f"{self.workspace.name}+")
        shutil.copytree(self.workspace, left)
        self.session.is_locked = False
        self.session.close()
        self.workspace = left
        return self.start(recover=recover)

    def start(self, *, recover: bool = True) -> Opening:
        source = open_source(self.frames)
        workspace = Workspace.open(source, self.workspace)
        opening = Opening(workspace)
        opening.settle(recover=recover)
        self.session = VideoSession(FrameStore(source), workspace, self.predictor, opening=opening)
        self.session.message.connect(self.messages.append)
        self.core.existing = self.session.masks.get
        return opening

    def save(self) -> tuple[object, ...]:
        self.session.workspace.flush()
        return self.everything()

    def everything(self) -> tuple[object, ...]:
        """What a crash must not cost."""
        session = self.session
        history = [[ref.label for ref in refs] for refs in (session.history.refs_done, session.history.refs_undone)]
        return *self.state(), list(session.provenance), history


@pytest.fixture(autouse=True)
def patient_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MaskWriter, "DELAY", 3600.0)


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Survivor]:
    hand = Survivor(tmp_path, num_frames=NUM_FRAMES)
    yield hand
    hand.session.is_locked = False
    hand.session.close()


def test_history_prompts_and_baselines_survive_closing(hand: Survivor) -> None:
    session = hand.session
    session.add_object()
    start = hand.state()
    hand.drag("brush", (4, 4), (9, 4))
    session.seek(2)
    hand.click(10, 10)
    hand.click(20, 12, right=True)
    before, interaction, prompts = hand.everything(), session.interaction, session.provenance.on(2, 1)
    assert prompts is not None and [prompt.positive for prompt in prompts.prompts] == [True, False]
    session = hand.reopen()
    assert hand.everything() == before and session.frame == 2
    assert session.interaction == interaction and session.provenance.on(2, 1) == prompts
    hand.click(12, 20)  # goes on with the same interaction
    assert session.interaction is not None and len(session.interaction.prompts) == 3
    session = hand.reopen()
    while session.history.undo_label != "add object 1":
        session.undo()
    assert hand.state() == start
    session = hand.reopen()
    assert session.history.redo_label == "paint object 1"
    while session.redo():
        pass
    assert session.undo() == "click on object 1" and hand.everything()[:4] == before[:4]


def test_closed_interaction_stays_closed(hand: Survivor) -> None:
    hand.click(10, 10)
    hand.session.seek(1)
    assert hand.reopen().interaction is None and hand.session.frame == 1


def test_crash_loses_nothing_and_says_what_it_found(hand: Survivor) -> None:
    hand.session.add_object()
    saved = hand.save()
    hand.drag("brush", (4, 4), (9, 4))
    hand.click(10, 10)
    hand.session.undo()
    last = hand.everything()
    opening = hand.crash([0])
    assert opening.unsaved == ["paint object 1", "click on object 1", "undo click on object 1"]
    assert hand.everything() == last and last != saved and hand.session.interaction is None
    assert hand.crash().unsaved == [] or hand.everything() == last


def test_what_a_crash_left_can_be_declined(hand: Survivor) -> None:
    hand.drag("brush", (4, 4), (9, 4))
    saved = hand.save()
    hand.session.undo()
    hand.drag("brush", (1, 20), (9, 20))
    hand.session.delete_object(1)
    opening = hand.crash([0], recover=False)
    assert len(opening.unsaved) == 3 and hand.everything() == saved
    assert hand.session.undo() == "paint object 1"
    assert hand.crash().unsaved == ["undo paint object 1"]  # the declined actions do not come back
    assert hand.session.redo() == "paint object 1" and hand.everything() == saved


def test_propagation_cut_off_keeps_its_frames(hand: Survivor) -> None:
    hand.click(10, 10)
    saved = hand.save()
    job = hand.session.propagate_job(lambda: hand.core, "forward")
    from util.jobs import CancelToken

    run = job.run(CancelToken())
    for _ in range(2):
        job.apply(next(run))
    masks = [hand.session.masks.get(frame).copy() for frame in range(NUM_FRAMES)]
    assert masks[2].any() and not masks[3].any()
    run.close()
    opening = hand.crash([1])
    assert opening.unsaved == ["propagate (cut off)"]
    for frame, mask in enumerate(masks):
        np.testing.assert_array_equal(hand.session.masks.get(frame), mask)
    source = hand.session.provenance.on(2, 1)
    assert source is None or source.kind == "propagated"
    assert hand.session.undo() == "propagate (cut off)"
    assert hand.everything()[0] == saved[0]
    hand.session.redo()
    hand.crash()
    hand.session.undo()
    assert hand.everything()[0] == saved[0]


def test_propagation_records_its_engine(hand: Survivor) -> None:
    hand.core.settings = {"weights_sha256": "ab12", "top_k": 20}
    hand.click(10, 10)
    hand.propagate("forward")
    source = hand.session.provenance.on(2, 1)
    assert source is not None and source.kind == "propagated" and source.anchor == 0
    assert (source.engine, source.weights, source.settings) == ("shift", "ab12", (("top_k", 20),))
    own = hand.session.provenance.on(0, 1)
    assert own is not None and own.kind == "hand" and own.prompts[0].kind == "click"
    hand.reopen()
    assert hand.session.provenance.on(2, 1) == source
    hand.session.undo()
    assert hand.session.provenance.on(2, 1) is None and hand.session.provenance.on(0, 1) == own


def test_failed_propagation_leaves_no_trace(hand: Survivor) -> None:
    hand.click(10, 10)
    before = hand.everything()
    hand.core.fail_at = 3
    hand.propagate("forward")
    assert hand.everything() == before
    hand.crash([1, 2])
    assert hand.everything() == before


def test_masks_changed_by_another_program_are_not_undone(hand: Survivor) -> None:
    hand.drag("brush", (4, 4), (9, 4))
    hand.session.close()
    (hand.workspace / "masks" / "00000.png").unlink()
    hand.start()
    with pytest.raises(AppError, match="00000.png is not the mask"):
        hand.session.undo()
    assert hand.session.history.undo_label == "paint object 1" and hand.session.masks.is_empty(0)


def test_lost_journal_is_said_and_work_goes_on(hand: Survivor) -> None:
    hand.drag("brush", (4, 4), (9, 4))
    hand.session.close()
    shutil.rmtree(hand.workspace / "journal")
    hand.start()
    assert "history is missing" in hand.session.workspace.notice and hand.session.undo() is None
    hand.drag("brush", (4, 9), (9, 9))
    state = hand.everything()
    hand.crash()
    assert hand.everything() == state and hand.session.undo() == "paint object 1"


def test_first_work_in_an_opened_workspace_survives_a_crash(hand: Survivor) -> None:
    hand.reopen()
    hand.save()
    hand.drag("brush", (4, 4), (9, 4))
    state = hand.everything()
    hand.crash()
    assert hand.everything() == state and hand.session.workspace.notice == ""


def test_lost_journal_is_said_once(hand: Survivor) -> None:
    hand.drag("brush", (4, 4), (9, 4))
    hand.session.close()
    shutil.rmtree(hand.workspace / "journal")
    hand.start()
    hand.reopen()
    assert hand.session.workspace.notice == ""


def test_full_disk_at_closing_loses_no_history(hand: Survivor, monkeypatch: pytest.MonkeyPatch) -> None:
    hand.drag("brush", (4, 4), (9, 4))
    hand.save()
    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if str(target).endswith(".journal"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(AppError, match="disk is full"):
            hand.session.close()
        hand.session.workspace.abandon()
    hand.start()
    assert hand.session.workspace.notice == "" and hand.session.undo() == "paint object 1"


def test_journal_of_another_workspace_is_set_aside(hand: Survivor, tmp_path: Path) -> None:
    other = Survivor(tmp_path / "other", num_frames=NUM_FRAMES)
    other.drag("brush", (2, 2), (9, 2))
    other.session.close()
    hand.drag("brush", (4, 4), (9, 4))
    before = hand.everything()
    hand.session.close()
    shutil.rmtree(hand.workspace / "journal")
    shutil.copytree(other.workspace / "journal", hand.workspace / "journal")
    hand.start()
    assert "another state" in hand.session.workspace.notice and hand.everything()[:2] == before[:2]
    assert hand.session.undo() is None and list((hand.workspace / "journal").glob("*.damaged"))


EVENTS = st.one_of(
    WORK,
    WORK,
    st.tuples(st.sampled_from(["reopen", "save", "crash", "decline"]), st.sets(st.integers(0, NUM_FRAMES - 1))),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(EVENTS, max_size=12))
def test_random_work_closing_and_crashing(script: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        hand = Survivor(Path(folder), num_frames=NUM_FRAMES)
        hand.session.history._limit_bytes = 500
        start = hand.state()
        saved = hand.save()
        for name, *arguments in script:
            before = hand.everything()
            match name:
                case "reopen":
                    hand.reopen()
                    assert hand.everything() == before
                case "save":
                    assert hand.save() == before
                case "crash":
                    hand.crash(arguments[0])
                    assert hand.everything() == before
                case "decline":
                    hand.crash(arguments[0], recover=False)
                    assert hand.everything() == saved
                case "undo":
                    hand.session.undo()
                case "redo":
                    hand.session.redo()
                case _:
                    work(hand, name, *arguments)
            if name in ("reopen", "save", "crash", "decline"):
                hand.session.history._limit_bytes = 500
                saved = hand.save()
        end = hand.state()
        while hand.session.undo() is not None:
            pass
        assert hand.state() == start
        hand.reopen()
        while hand.session.redo() is not None:
            pass
        assert hand.state()[:2] == end[:2] or hand.session.history.undo_label is not None
        hand.session.close()
