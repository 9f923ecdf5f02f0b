"""A workspace from its first opening to the accidents it has to survive."""
from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from storage import workspace as workspace_module
from storage.lock import LOCK_NAME
from storage.mask_io import read_mask, write_mask
from storage.mask_writer import MaskWriter
from storage.project import VERSION, Project
from storage.project_parts import ObjectInfo
from storage.workspace import (
    BACKUP_NAME,
    DAMAGED_NAME,
    MASKS_NAME,
    PROJECT_NAME,
    Workspace,
    default_folder,
    user_folder,
)
from tests.storage.fake_source import FakeSource
from util.errors import AppError
from util.types import IndexMask, Size


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MaskWriter, "DELAY", 0.0)


@pytest.fixture
def source(tmp_path: Path) -> FakeSource:
    (tmp_path / "clip.mp4").write_bytes(b"video")
    return FakeSource(tmp_path / "clip.mp4")


def mask_of(value: int) -> IndexMask:
    mask = np.zeros(Size(9, 13), np.uint8)
    mask[2:5, 3:8] = value
    return mask


def annotate(workspace: Workspace, frame: int, object_id: int) -> None:
    if object_id not in {info.object_id for info in workspace.project.objects}:
        workspace.project.objects.append(ObjectInfo(object_id, f"object {object_id}"))
    workspace.project.key_frames.setdefault(frame, set()).add(object_id)
    workspace.project.current_frame = frame
    workspace.masks.set(frame, mask_of(object_id))
    workspace.save()


def annotated(source: FakeSource, folder: Path | None = None) -> Path:
    """A closed workspace with objects 1 on frame 3 and 2 on frame 5, saved in two steps."""
    workspace = Workspace.open(source, folder)
    annotate(workspace, 3, 1)
    workspace.flush()
    annotate(workspace, 5, 2)
    workspace.close()
    return workspace.folder


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


# ---- the ordinary course ---------------------------------------------------------------------------------------------


def test_close_and_resume(source: FakeSource) -> None:
    folder = annotated(source)
    assert folder == source.path.with_name("clip.mp4.masks")
    assert names(folder) == {
        PROJECT_NAME, BACKUP_NAME, LOCK_NAME, MASKS_NAME, f"{MASKS_NAME}/00003.png", f"{MASKS_NAME}/00005.png"
    }  # fmt: skip
    workspace = Workspace.open(source)
    assert workspace.notice == ""
    project = workspace.project
    assert project.objects == [ObjectInfo(1, "object 1"), ObjectInfo(2, "object 2")]
    assert project.key_frames == {3: {1}, 5: {2}}
    assert (project.current_frame, project.next_object_id) == (5, 3)
    assert workspace.masks.frames() == [3, 5]
    np.testing.assert_array_equal(workspace.masks.get(5), mask_of(2))
    workspace.close()
    workspace.close()


def test_folder_of_images_has_its_workspace_beside_it(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    workspace = Workspace.open(FakeSource(tmp_path / "frames" / ".." / "frames"))
    assert workspace.folder == tmp_path / "frames.masks"
    workspace.close()


def test_chosen_folder(source: FakeSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.open(source, Path("a/b"))
    assert workspace.folder == tmp_path / "a" / "b" and workspace.notice == ""
    workspace.close()
    assert not default_folder(source).exists()


def test_reopening_writes_nothing(source: FakeSource) -> None:
    folder = annotated(source)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if path.name != LOCK_NAME}
    Workspace.open(source).close()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if path.name != LOCK_NAME} == before


def test_saving_an_unchanged_project_costs_nothing(source: FakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.open(source)
    written: list[str] = []
    write = workspace_module.write_atomic

    def record(path: Path, data: bytes, *, durable: bool = False) -> None:
        written.append(path.name)
        write(path, data, durable=durable)

    monkeypatch.setattr(workspace_module, "write_atomic", record)
    for frame in (4, 4, 4):
        workspace.project.current_frame = frame
        workspace.save()
        workspace.flush()
    assert written == [BACKUP_NAME, PROJECT_NAME]
    workspace.close()


def test_project_file_follows_its_masks(source: FakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever project.json names a key frame, that frame's mask is on disk."""
    workspace = Workspace.open(source)
    seen: list[int] = []
    write = workspace_module.write_atomic

    def check(path: Path, data: bytes, *, durable: bool = False) -> None:
        if path.name == PROJECT_NAME:
            frames = Project.from_json(data.decode(), path).key_frames
            assert all((workspace.folder / MASKS_NAME / f"{frame:05d}.png").exists() for frame in frames)
            seen.append(len(frames))
        write(path, data, durable=durable)

    monkeypatch.setattr(workspace_module, "write_atomic", check)
    for frame in range(12):
        annotate(workspace, frame, 1)
    workspace.close()
    assert seen[-1] == 12


def test_deleted_object_keeps_its_id(source: FakeSource) -> None:
    folder = annotated(source)
    workspace = Workspace.open(source, folder)
    workspace.project.objects.pop()
    workspace.close()
    workspace = Workspace.open(source, folder)
    assert workspace.project.next_object_id == 3
    workspace.close()


def test_moved_video_is_the_same_video(source: FakeSource, tmp_path: Path) -> None:
    folder = annotated(source)
    moved = FakeSource(tmp_path / "elsewhere" / "renamed.mp4")
    workspace = Workspace.open(moved, folder)
    assert workspace.masks.frames() == [3, 5]
    workspace.close()
    assert Project.from_json((folder / PROJECT_NAME).read_text(), folder).source_path == moved.path


# ---- refusals --------------------------------------------------------------------------------------------------------


def refused(source: FakeSource, folder: Path | None, pattern: str) -> None:
    """Opening is refused with a message, a hint, and the folder as it was."""
    where = folder or default_folder(source)
    before = {path: path.read_bytes() for path in where.rglob("*") if path.is_file() and path.name != LOCK_NAME}
    with pytest.raises(AppError, match=pattern) as caught:
        Workspace.open(source, folder)
    assert caught.value.hint
    after = {path: path.read_bytes() for path in where.rglob("*") if path.is_file() and path.name != LOCK_NAME}
    assert after == before


def test_second_opening_in_this_process(source: FakeSource) -> None:
    workspace = Workspace.open(source)
    refused(source, None, rf"clip\.mp4\.masks: .* in use by process {os.getpid()} ")
    workspace.close()
    Workspace.open(source).close()


def test_second_process(source: FakeSource, repository: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from storage.workspace import Workspace; from tests.storage.fake_source import FakeSource\n"
        "from util.errors import AppError\n"
        "try: Workspace.open(FakeSource(Path(sys.argv[1])))\n"
        "except AppError as error: print(error)\n"
    )
    command = [sys.executable, "-c", script, str(source.path)]
    workspace = Workspace.open(source)
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True, timeout=60)
    workspace.close()
    assert f"in use by process {os.getpid()} " in done.stdout and str(workspace.folder) in done.stdout


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({"num_frames": 13}, "another video.*12 frames of 13x9, not 13 of 13x9"),
        ({"size": Size(10, 13)}, "another video.*12 frames of 13x9, not 12 of 13x10"),
        ({"content": "other"}, "another video.*other content"),
    ],
)
def test_workspace_of_another_video(source: FakeSource, change: dict[str, object], pattern: str) -> None:
    annotated(source)
    refused(FakeSource(source.path, **change), None, rf"project\.json.*{pattern}")  # type: ignore[arg-type]


def test_newer_version(source: FakeSource) -> None:
    folder = annotated(source)
    (folder / PROJECT_NAME).write_text(f'{{"version": {VERSION + 1}}}')
    refused(source, None, r"project\.json: was saved by a newer version")


@pytest.mark.parametrize("name", ["notes.txt", f"{MASKS_NAME}/00003.png"])
def test_folder_of_somebody_else(source: FakeSource, tmp_path: Path, name: str) -> None:
    path = tmp_path / "dataset" / name
    path.parent.mkdir(parents=True)
    write_mask(path, mask_of(1))
    refused(source, tmp_path / "dataset", f"is not a workspace.*{name}")


def test_empty_folder_with_a_desktop_file_is_taken(source: FakeSource, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ".DS_Store").write_bytes(b"")
    with closing(Workspace.open(source, tmp_path / "new")) as workspace:
        assert workspace.folder == tmp_path / "new"
    assert (tmp_path / "new" / ".DS_Store").exists()


def test_folder_that_is_a_file(source: FakeSource, tmp_path: Path) -> None:
    refused(source, source.path, r"clip\.mp4")


def test_unreadable_project(source: FakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = annotated(source)
    (folder / PROJECT_NAME).unlink()
    (folder / PROJECT_NAME).mkdir()
    refused(source, None, r"project\.json: cannot be read")


# ---- damage ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b'{"version": 1}', None])
def test_damaged_project_is_recovered_from_its_backup(source: FakeSource, damage: bytes | None) -> None:
    folder = annotated(source)
    if damage is None:
        (folder / PROJECT_NAME).unlink()
    else:
        (folder / PROJECT_NAME).write_bytes(damage)
    workspace = Workspace.open(source)
    assert PROJECT_NAME in workspace.notice and BACKUP_NAME in workspace.notice
    assert workspace.project.key_frames == {3: {1}}  # as saved before the last change
    assert workspace.project.objects == [ObjectInfo(1, "object 1"), ObjectInfo(2, "object 2")]  # 2: from its mask
    assert workspace.masks.frames() == [3, 5]
    if damage is not None:
        assert (folder / DAMAGED_NAME).read_bytes() == damage
    workspace.close()
    workspace = Workspace.open(source)
    assert workspace.notice == "" and len(workspace.project.objects) == 2
    workspace.close()


def test_damaged_without_backup_is_refused(source: FakeSource) -> None:
    folder = annotated(source)
    (folder / PROJECT_NAME).write_text("{")
    (folder / BACKUP_NAME).unlink()
    refused(source, None, r"project\.json: is damaged")


def test_both_damaged_is_refused(source: FakeSource) -> None:
    folder = annotated(source)
    (folder / PROJECT_NAME).write_text("{")
    (folder / BACKUP_NAME).write_text("{")
    refused(source, None, r"project\.json\.bak: is damaged")


def test_backup_of_another_video_is_refused(source: FakeSource) -> None:
    folder = annotated(source)
    (folder / PROJECT_NAME).write_text("{")
    refused(FakeSource(source.path, content="other"), None, r"project\.json\.bak: .*another video")


def test_stray_and_damaged_masks_do_not_prevent_opening(source: FakeSource) -> None:
    folder = annotated(source)
    write_mask(folder / MASKS_NAME / "99999.png", mask_of(1))
    (folder / MASKS_NAME / "00007.png").write_bytes(b"damaged")
    (folder / PROJECT_NAME).write_text("{")
    workspace = Workspace.open(source)
    assert "99999.png" in workspace.notice and "00007.png" in workspace.notice
    workspace.close()
    assert (folder / MASKS_NAME / "00007.png").read_bytes() == b"damaged"


def test_full_disk_keeps_the_workspace_open(source: FakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.open(source)
    annotate(workspace, 3, 1)
    workspace.flush()
    text = (workspace.folder / PROJECT_NAME).read_text()

    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_space)
        annotate(workspace, 5, 2)
        for attempt in (workspace.flush, workspace.close):
            with pytest.raises(AppError, match="disk is full"):
                attempt()
        assert workspace.masks.has_unsaved
        assert (workspace.folder / PROJECT_NAME).read_text() == text
        np.testing.assert_array_equal(read_mask(workspace.folder / MASKS_NAME / "00003.png"), mask_of(1))
        refused(source, None, "in use")
    workspace.close()
    workspace = Workspace.open(source)
    assert workspace.masks.frames() == [3, 5] and workspace.project.key_frames == {3: {1}, 5: {2}}
    workspace.close()


def test_full_disk_at_the_first_opening_leaves_nothing(source: FakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_space)
        with pytest.raises(AppError, match="disk is full"):
            Workspace.open(source)
    assert [path.name for path in source.path.parent.iterdir()] == ["clip.mp4"]


# ---- places that cannot be written -----------------------------------------------------------------------------------


def forbid(monkeypatch: pytest.MonkeyPatch, place: Path, code: int) -> None:
    """Let every creation below `place` fail as a read-only mount does (permissions do not stop root)."""
    touch, mkdir = Path.touch, Path.mkdir

    def check(path: Path) -> None:
        if path.is_relative_to(place):
            raise OSError(code, os.strerror(code), str(path))

    def guarded_touch(path: Path, mode: int = 0o666, exist_ok: bool = True) -> None:
        check(path)
        touch(path, mode, exist_ok)

    def guarded_mkdir(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        if not (path.is_dir() and exist_ok):
            check(path)
        mkdir(path, mode, parents, exist_ok)

    monkeypatch.setattr(Path, "touch", guarded_touch)
    monkeypatch.setattr(Path, "mkdir", guarded_mkdir)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_read_only_place_moves_to_the_user_folder(
    source: FakeSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    media, home = tmp_path / "media", tmp_path / "home"
    media.mkdir()
    monkeypatch.setattr(workspace_module.platformdirs, "user_data_path", lambda *_, **__: home)
    forbid(monkeypatch, media, code)
    source = FakeSource(media / "clip one.mp4")
    folder = annotated(source)
    assert folder.is_relative_to(home) and folder == user_folder(source) and folder.name.startswith("clip_one-")
    assert not list(media.iterdir())
    workspace = Workspace.open(source)
    assert str(folder) in workspace.notice and os.strerror(code) in workspace.notice
    assert workspace.masks.frames() == [3, 5]
    workspace.close()
    assert user_folder(FakeSource(source.path, content="other")) != folder


def test_masks_left_in_a_read_only_place_are_mentioned(
    source: FakeSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = annotated(source)
    monkeypatch.setattr(workspace_module.platformdirs, "user_data_path", lambda *_, **__: tmp_path / "home")
    forbid(monkeypatch, folder, errno.EROFS)
    workspace = Workspace.open(source)
    assert f"The masks in {folder} are not used" in workspace.notice
    workspace.close()


def test_user_folder_is_the_platforms(source: FakeSource) -> None:
    folder = user_folder(source)
    assert folder.is_absolute() and "video-masks" in folder.parts and not folder.exists()


def test_chosen_read_only_folder_is_refused(
    source: FakeSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(monkeypatch, tmp_path / "media", errno.EROFS)
    refused(source, tmp_path / "media" / "work", "work.*cannot be written")


def test_full_disk_does_not_move_the_workspace(source: FakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch, default_folder(source), errno.ENOSPC)
    refused(source, None, r"clip\.mp4\.masks.*disk is full")


def test_abandoned_workspace_can_be_opened_again_at_once(source: FakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.open(source)
    mask = np.ones(source.size, np.uint8)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", full)
        workspace.masks.set(0, mask)
        with pytest.raises(AppError):
            workspace.close()
        workspace.abandon()
    Workspace.open(source).close()
