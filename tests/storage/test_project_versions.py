"""Files of every version that ever was open as this version would have written them; newer ones are refused."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from storage.frame_source import FrameSource
from storage.project import VERSION, NewerVersionError, Project
from storage.project_parts import ObjectInfo
from storage.provenance import Provenance
from storage.workspace import BACKUP_NAME, PROJECT_NAME, Workspace
from tests.storage.fake_source import FakeSource
from util.errors import AppError
from util.types import Size

EXAMPLES = Path(__file__).with_name("projects")


def example(version: int) -> str:
    return (EXAMPLES / f"version{version}.json").read_text()


def test_there_is_an_example_of_every_older_version() -> None:
    assert {path.stem for path in EXAMPLES.iterdir()} == {f"version{n}" for n in range(1, VERSION)}


@pytest.mark.parametrize("version", range(1, VERSION))
def test_older_file_is_brought_up_to_date(version: int) -> None:
    project = Project.from_json(example(version), Path("project.json"))
    assert project.version == VERSION
    assert [info.name for info in project.objects] == ["dog", "ball"] and project.next_object_id == 4
    assert project.key_frames == {3: {1}, 7: {1, 2}} and project.current_frame == 7
    assert project.settings == {"tool": "brush"}
    assert project.engine == {}
    if version < 3:
        assert (project.journal_id, project.journal_number) == ("", 0) and project.provenance == Provenance()
    else:
        assert (project.journal_id[:4], project.journal_number) == ("0011", 4)
        assert [(s.object_id, s.frames, s.source.kind) for s in project.provenance if s.source] == [
            (1, range(3, 8), "propagated"), (2, range(7, 8), "hand"),
        ]
    assert Project.from_json(project.to_json(), Path("project.json")) == project
    if version == 1:
        assert project.objects[0] == ObjectInfo(2, "dog") and project.locked == project.verified == {}
    else:
        assert project.objects[0] == ObjectInfo(2, "dog", "animal", (1, 2, 3), is_visible=False, is_locked=True)
        assert project.locked == {2: (range(3, 5),)} and project.verified == {1: (range(0, 1), range(5, 12))}


@pytest.mark.parametrize("version", range(1, VERSION))
def test_damage_in_an_older_file_is_named(version: int) -> None:
    content = json.loads(example(version))
    for field in content:
        rest = {name: value for name, value in content.items() if name != field}
        if field != "version":
            with pytest.raises(AppError, match=f"{field} is missing"):
                Project.from_json(json.dumps(rest), Path("project.json"))
    by_object = {"x": [[3, 3]]}, {"1": 3}, {"1": [3]}, {"1": [[3, 99]]}, {"1": [[5, 3]]}
    by_frame = {"x": [1]}, {"03": [1], "3": [1]}, {"3": 1}, {"3": [1, 1]}, {"99": [1]}
    for wrong in by_frame if version < 3 else by_object:
        with pytest.raises(AppError, match=r"key_frames"):
            Project.from_json(json.dumps({**content, "key_frames": wrong}), Path("project.json"))


@pytest.mark.parametrize("version", range(1, VERSION))
def test_workspace_of_an_older_version_opens_and_keeps_the_old_file(version: int, tmp_path: Path) -> None:
    source: FrameSource = FakeSource(tmp_path / "clip.mp4", 12, Size(9, 13))
    folder = tmp_path / "work"
    folder.mkdir()
    old = json.dumps({**json.loads(example(version)), "fingerprint": source.fingerprint()})
    (folder / PROJECT_NAME).write_text(old)
    Workspace.open(source, folder).close()
    assert json.loads((folder / PROJECT_NAME).read_text())["version"] == VERSION
    assert (folder / BACKUP_NAME).read_text() == old
    Workspace.open(source, folder).close()


def test_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    source: FrameSource = FakeSource(tmp_path / "clip.mp4", 12, Size(9, 13))
    folder = tmp_path / "work"
    Workspace.open(source, folder).close()
    newer = json.dumps({**json.loads((folder / PROJECT_NAME).read_text()), "version": VERSION + 1})
    (folder / PROJECT_NAME).write_text(newer)
    with pytest.raises(NewerVersionError, match=f"newer version of this program .format {VERSION + 1}"):
        Workspace.open(source, folder)
    assert (folder / PROJECT_NAME).read_text() == newer


def test_marks_and_sources_of_a_long_video_stay_small() -> None:
    project = Project(Path("/v"), 10_000, Size(9, 13), "abc")
    project.key_frames = {frame: {1, 2} for frame in range(10_000)}
    project.locked = {1: (range(10_000),)}
    assert len(project.to_json()) < 1000
