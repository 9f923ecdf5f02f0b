"""A process that is killed at any moment leaves whole files and a workspace that opens."""
from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from storage.atomic_file import PARTIAL_PREFIX
from storage.mask_io import read_mask
from storage.project import Project
from storage.workspace import Workspace
from tests.storage.fake_source import FakeSource
from util.types import Size

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")

SIZE = Size(240, 320)
NUM_FRAMES = 12

# Every mask is one value all over, so that a mixture of two versions would show.
SCRIPT = """
import os, signal, sys
from pathlib import Path
import numpy as np
from storage.mask_writer import MaskWriter
from storage.project_parts import ObjectInfo
from storage.workspace import Workspace
from tests.storage.fake_source import FakeSource
from util.types import Size

path, function, countdown = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
MaskWriter.DELAY = 0.0

def deadly(name):
    real = getattr(os, name)
    def call(*args):
        global countdown
        countdown -= 1
        if countdown == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args)
    setattr(os, name, call)

workspace = Workspace.open(FakeSource(path, 12, Size(240, 320)))
if function != "-":
    deadly(function)
if not workspace.project.objects:
    workspace.project.objects.append(ObjectInfo(1, "object 1"))
for round in range(1, 250):
    for frame in range(12):
        value = round if (round + frame) % 7 else 0
        workspace.masks.set(frame, np.full((240, 320), value, np.uint8))
        workspace.project.key_frames[frame] = {1}
        workspace.project.current_frame = frame
        workspace.save()
    print(round, flush=True)
"""


def check(source: FakeSource) -> None:
    """Everything on disk is whole; opening removes what was half-written."""
    folder = source.path.with_name(f"{source.path.name}.masks")
    for path in (folder / "masks").glob("*.png"):
        mask = read_mask(path, SIZE)
        assert mask.min() == mask.max() > 0
    Project.from_json((folder / "project.json").read_text(), folder / "project.json")
    workspace = Workspace.open(source)
    assert workspace.notice == ""
    for frame in workspace.masks.frames():
        assert len(np.unique(workspace.masks.get(frame))) == 1
    workspace.close()
    assert not list(folder.rglob(f"{PARTIAL_PREFIX}*"))


def start(source: FakeSource, repository: Path, function: str, countdown: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(source.path), function, str(countdown)],
        cwd=repository,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_killed_at_random_moments(tmp_path: Path, repository: Path) -> None:
    source, rng = FakeSource(tmp_path / "clip.mp4", NUM_FRAMES, SIZE), random.Random(5)
    for _ in range(4):
        with start(source, repository, "-", 0) as process:
            assert process.stdout is not None
            for _ in range(rng.randint(1, 12)):
                assert process.stdout.readline()
            process.kill()
            assert process.wait() == -signal.SIGKILL
        check(source)


@pytest.mark.parametrize(("function", "countdown"), [("fsync", 1), ("replace", 2), ("replace", 15), ("fsync", 30)])
def test_killed_between_writing_and_renaming(tmp_path: Path, repository: Path, function: str, countdown: int) -> None:
    source = FakeSource(tmp_path / "clip.mp4", NUM_FRAMES, SIZE)
    with start(source, repository, function, countdown) as process:
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    folder = tmp_path / "clip.mp4.masks"
    assert len(list(folder.rglob(f"{PARTIAL_PREFIX}*"))) == 1  # the kill hit where it was meant to
    check(source)
