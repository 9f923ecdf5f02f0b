"""Two people on one video: what is taken over, what stays, where it says that it comes from; undo; refusals."""
from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

import export
from interact.merging import MergeReport
from storage.exchange.other_work import OtherWork, open_other_work
from storage.frame_source import open_source
from storage.mask_io import write_mask
from storage.workspace import Workspace
from tests.interact.scene import NUM_FRAMES, SIZE, Driver, write_frames
from util.errors import AppError
from util.types import IndexMask, Size

T = TypeVar("T")


def end_of(steps: Generator[int, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            value: T = stop.value
            return value


def block(x: int, object_id: int, *others: tuple[int, int]) -> IndexMask:
    """4 pixels wide at `x`, and others likewise."""
    mask = np.zeros(SIZE, np.uint8)
    for left, number in ((x, object_id), *others):
        mask[4:20, left : left + 4] = number
    return mask


class Pair:
    """Ours and theirs: two projects of one video, both with a dog (1); theirs has a cat (2), too."""

    def __init__(self, folder: Path) -> None:
        self.ours = Driver(folder / "ours")
        theirs = Driver(folder / "theirs")
        session = theirs.session
        session.add_object("dog")
        session.add_object("cat")
        session.set_category(2, "animal")
        session.import_masks({2: block(8, 1, (20, 2))})
        session.seek(2)
        theirs.propagate("forward")
        session.set_marks("verified", [2], [5], on=True)
        self.theirs_at = {frame: session.masks.get(frame) for frame in range(NUM_FRAMES)}
        self.sources = {frame: session.provenance.on(frame, 1) for frame in range(NUM_FRAMES)}
        session.close()
        self.path = theirs.workspace
        self.ours.session.add_object("dog")

    def open(self) -> OtherWork:
        return end_of(open_other_work(self.path, self.ours.session.frames))

    def merge(self, mapping: dict[int, int], frames: range = range(NUM_FRAMES)) -> MergeReport:
        report = self.ours.session.merge_work(self.open(), mapping, frames)
        assert report is not None
        return report


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.ours.session.close()


def test_frames_in_the_range_are_taken_over_and_say_from_where(pair: Pair) -> None:
    session, before = pair.ours.session, pair.ours.state()
    report = pair.merge({1: 1, 2: 2}, range(4, 8))
    for frame in range(NUM_FRAMES):
        expected = pair.theirs_at[frame] if 4 <= frame < 8 else np.zeros(SIZE, np.uint8)
        assert np.array_equal(session.masks.get(frame), expected)
    assert (report.taken, report.changed, report.kept) == (set(range(4, 8)), 4, set())
    assert pair.ours.messages[-1] == "Merge 2 objects from workspace: 4 frames, 4 changed."
    assert [(i.name, i.category) for i in session.objects.items] == [("dog", ""), ("cat", "animal")]
    source, original = session.provenance.on(6, 1), pair.sources[6]
    assert source is not None and original is not None
    assert source.origin == str(pair.path) and (source.kind, source.engine) == ("propagated", original.engine)
    assert dict(session.marks["verified"]) == {5: {2}}, "what they verified is verified"
    assert session.undo() == report.label
    assert pair.ours.state() == before and session.provenance.on(6, 1) is None
    session.redo()
    pair.ours.reopen()
    again = pair.ours.session.provenance.on(6, 1)
    assert again is not None and again.origin == str(pair.path)


def test_frames_nobody_worked_on_there_stay(pair: Pair) -> None:
    session = pair.ours.session
    session.import_masks({0: block(2, 1)})
    pair.merge({1: 1})
    assert np.array_equal(session.masks.get(0), block(2, 1)), "they never worked on frame 0"
    assert np.array_equal(session.masks.get(3) == 1, pair.theirs_at[3] == 1)
    assert session.key_frames.on(2) == {1}, "their key frame is ours now"
    assert not (session.masks.get(3) == 2).any(), "only the dog was asked for"


def test_what_is_protected_here_stays(pair: Pair) -> None:
    session = pair.ours.session
    session.import_masks({3: block(14, 1), 5: block(15, 1), 6: block(16, 1), 7: block(19, 1)})
    session.set_marks("key", [1], [5, 6, 7], on=False)
    session.set_marks("verified", [1], [5], on=True)
    session.set_marks("locked", [1], [6], on=True)
    report = pair.merge({1: 1, 2: 2})
    dog = [np.array_equal(session.masks.get(f) == 1, pair.theirs_at[f] == 1) for f in range(2, NUM_FRAMES)]
    assert dog == [f not in (3, 5, 6) for f in range(2, NUM_FRAMES)]
    assert report.kept == {3, 5, 6} and "On 3 frames something is locked" in report.text
    assert pair.ours.questions == [] and np.array_equal(session.masks.get(5) == 1, block(15, 1) == 1)
    assert (session.masks.get(4) == 2).any(), "the cat comes everywhere"
    wide = session.masks.get(6)
    assert np.array_equal(wide == 1, block(16, 1) == 1)


def test_an_object_that_is_gone_there_goes_here(pair: Pair) -> None:
    session = pair.ours.session
    session.import_masks({frame: block(2, 1) for frame in range(9, NUM_FRAMES)})
    session.set_marks("key", [1], range(9, NUM_FRAMES), on=False)
    theirs = Driver(pair.path.parent)
    theirs.session.seek(9)
    theirs.session.mark_absent(1)
    theirs.session.close()
    pair.merge({1: 1}, range(9, NUM_FRAMES))
    assert not any((session.masks.get(frame) == 1).any() for frame in range(9, NUM_FRAMES))
    assert session.marks["verified"].on(10) == {1}


def test_masks_without_a_project(pair: Pair, tmp_path: Path) -> None:
    folder = tmp_path / "png"
    folder.mkdir()
    for frame in (4, 5):
        write_mask(folder / f"{frame:05d}.png", block(8, 3))
    session = pair.ours.session
    other = end_of(open_other_work(folder, session.frames))
    session.merge_work(other, {3: 7}, range(5, NUM_FRAMES))
    assert session.masks.frames() == [5] and session.objects.order == (1, 7)
    source = session.provenance.on(5, 7)
    assert source is not None and (source.kind, source.origin) == ("imported", str(folder))


def test_another_video_is_refused_with_the_difference(pair: Pair, tmp_path: Path) -> None:
    for name, size, count, difference in (
        ("size", Size(12, 16), NUM_FRAMES, "12 frames of 16x12, not 12 of 32x24"),
        ("count", SIZE, 5, "5 frames of 32x24, not 12 of 32x24"),
    ):
        other = Driver(tmp_path / name, size=size, num_frames=count)
        other.session.close()
        with pytest.raises(AppError, match=difference) as caught:
            end_of(open_other_work(other.workspace, pair.ours.session.frames))
        assert "same video" in caught.value.hint
    frames = write_frames(tmp_path / "content" / "frames", SIZE, NUM_FRAMES)
    shutil.copy(frames / "00003.png", frames / "00000.png")
    other = Driver(tmp_path / "content")
    other.session.close()
    with pytest.raises(AppError, match="but other content"):
        end_of(open_other_work(other.workspace, pair.ours.session.frames))


def test_one_that_is_open_or_was_left_unsaved_is_refused(pair: Pair) -> None:
    theirs = Driver(pair.path.parent)
    with pytest.raises(AppError, match="in use"):
        pair.open()
    theirs.session.rename_object(1, "wolf")
    killed = pair.path.with_name("killed")
    theirs.session.workspace.flush()
    shutil.copytree(pair.path, killed)
    shutil.copy(killed / "project.json.bak", killed / "project.json")
    theirs.session.close()
    with pytest.raises(AppError, match="crash left its last actions unsaved"):
        end_of(open_other_work(killed, pair.ours.session.frames))


def run(*argv: object) -> int:
    return export.main(["merge", *map(str, argv)])


def test_headless(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    ours = pair.ours.workspace
    pair.ours.session.close()
    assert run("--project", ours, "--other", pair.path, "--survey") == 0
    text = capsys.readouterr().out
    assert "1: dog, on 10 frames, becomes 1: dog" in text and "2: cat, on 10 frames, becomes new object 2" in text
    assert run("--project", ours, "--other", pair.path, "--range", "4:8", "--map", "cat=new") == 0
    assert "Merge 1 object from workspace: 4 frames, 4 changed." in capsys.readouterr().out
    source = open_source(pair.ours.frames)
    workspace = Workspace.open(source, ours)
    assert [info.name for info in workspace.project.objects] == ["dog", "cat"]
    assert workspace.masks.frames() == [4, 5, 6, 7]
    workspace.close()
    assert run("--project", ours, "--other", pair.path, "--map", "cow=1") == 2
    assert "there is no object cow" in capsys.readouterr().err
    assert run("--project", ours, "--other", ours) == 2
    assert "in use" in capsys.readouterr().err
    pair.ours.session = pair.ours._open()
    assert pair.ours.session.undo() == "merge 1 object from workspace", "the window can take it back"
