"""Random actions in child processes, each killed at a random moment, and what the next start finds.

Run as a program by test_session_kill.py: the imports are paid for once, every child is a fork. A child tells the digest
of its state after every action. What is recovered must be that state, or one action later: the one that was under way.
Prints a line per kill.
"""
from __future__ import annotations

import hashlib
import os
import random
import select
import signal
import sys
from pathlib import Path

from interact.recovery import Opening
from storage.frame_source import open_source
from storage.journal import Journal
from storage.mask_writer import MaskWriter
from storage.workspace import Workspace
from tests.interact.scene import Driver
from tests.interact.test_undo_stack import work

SPOTS = ("click", "exclude", "brush", "eraser", "polygon")
OTHERS = ("rename", "clear", "import", "propagate", "stop", "undo", "undo", "redo")
MOST_ACTIONS = 12
LONGEST = 0.03  # seconds that a child is left alone at most after the action that it was waited for


def digest(hand: Driver) -> str:
    """Of masks, key frames, baselines, objects and sources, eight characters each."""
    masks, keys, *rest = hand.state()
    assert isinstance(masks, dict) and isinstance(keys, dict)
    texts = [{frame: sorted(ids) for frame, ids in keys.items()}, *rest, list(hand.session.provenance)]
    parts = [b"".join(masks.values()), *(repr(text).encode() for text in texts)]
    return "-".join(hashlib.sha1(part).hexdigest()[:8] for part in parts)


def act(hand: Driver, rng: random.Random) -> None:
    kind = rng.random()
    if kind < 0.5:
        work(hand, rng.choice(SPOTS), rng.randrange(24), rng.randrange(24))
    elif kind < 0.6:
        hand.session.seek(rng.randrange(len(hand.session.frames)))
    elif kind < 0.65 and hand.session.objects.next_id < 250:
        work(hand, "add")
    elif kind < 0.7:
        work(hand, "delete", rng.randrange(4))
    else:
        name = rng.choice(OTHERS)
        if name in ("undo", "redo"):
            getattr(hand.session, name)()
        else:
            work(hand, name)


def child(folder: Path, seed: int, pipe: int) -> None:
    """Never returns."""
    rng = random.Random(seed)
    MaskWriter.DELAY = rng.choice([0.0, 0.002, 0.25])
    # Now and then what is meant for large steps and large snapshots: they are written ahead, in two moves.
    Journal.SEGMENT_BYTES, Journal.SMALL_SNAPSHOT = rng.choice([(1 << 20, 1 << 20), (20_000, 1 << 20), (20_000, 0)])
    hand = Driver(folder)
    hand.session.steps.short_pixels = rng.choice([0, 1 << 20])
    if not hand.session.objects.order:
        hand.session.add_object()
    while True:
        os.write(pipe, digest(hand).encode() + b"\n")
        act(hand, rng)


def kill_one(folder: Path, rng: random.Random) -> str:
    """The digest that a child told last."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            child(folder, rng.getrandbits(32), writing)
        finally:
            os._exit(1)  # a defect; the traceback is on stderr
    os.close(writing)
    text = b""  # a line is one write, so none is cut
    with open(reading, "rb", buffering=0) as pipe:
        for _ in range(rng.randint(1, MOST_ACTIONS)):
            text += pipe.readline()
        select.select([], [], [], rng.uniform(0, LONGEST))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        text += pipe.read()
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"child ended by itself: {status}"
    return text.decode().splitlines()[-1]


def look(folder: Path, told: str) -> str:
    """What the next start finds, in a word. AssertionError when that is neither the state told nor one action later."""
    workspace = Workspace.open(open_source(folder / "frames"), folder / "workspace")
    unsaved = len(Opening(workspace).unsaved)
    workspace.close()
    hand = Driver(folder)
    project, journal = workspace.project, workspace.journal
    facts = f"{project.journal_number} of {journal.first_segment}..{journal.last_number}"
    assert hand.session.workspace.notice == "", f"{hand.session.workspace.notice} {facts}"
    found = digest(hand)
    answer = "the state told"
    if found != told:
        answer = "one action later"
        history = hand.session.history
        labels = f"{[ref.label for ref in history.refs_done[-3:]]} {[ref.label for ref in history.refs_undone[-3:]]}"
        if hand.session.undo() is None or digest(hand) != told:
            before = digest(hand)
            hand.session.redo()
            assert digest(hand) == found
            hand.session.redo()
            assert digest(hand) == told, f"lost {told}: found {found}, {before}, {digest(hand)}; {labels}"
    hand.session.close()
    return f"{answer}, {unsaved} unsaved"


def main(folder: Path, num_kills: int, seed: int) -> None:
    rng = random.Random(seed)
    Driver(folder).session.close()
    for _ in range(num_kills):
        told = kill_one(folder, rng)
        print(look(folder, told), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
