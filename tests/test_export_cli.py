"""export.py as it is called: workspaces and masks in, formats out, a report, and exit codes that mean something."""
from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import export
from storage.exchange.format import Format
from storage.exchange.formats import BY_NAME, FORMATS
from storage.exchange.import_masks import open_masks
from storage.exchange.index_png import IndexPng
from storage.frame_source import open_source
from storage.mask_io import read_mask
from storage.mask_writer import MaskWriter
from storage.project_parts import ObjectInfo
from storage.workspace import Workspace
from tests.interact.scene import Driver
from tests.synthetic import SyntheticVideo

OBJECTS = [ObjectInfo(1, "disc", "ball"), ObjectInfo(2, "box", "", (10, 200, 30)), ObjectInfo(3, "bar")]


@pytest.fixture
def project(synthetic_folder: Path, synthetic_video: SyntheticVideo) -> Path:
    workspace = Workspace.open(open_source(synthetic_folder))
    workspace.project.objects = list(OBJECTS)
    for frame, mask in enumerate(synthetic_video.masks):
        workspace.masks.set(frame, mask)
    workspace.close()
    return workspace.folder


def run(*argv: object) -> int:
    return export.main([str(argument) for argument in argv])


def fail(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    assert run(*argv) == 2
    text = capsys.readouterr().err
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize("name", list(BY_NAME))
def test_a_workspace_in_every_format(
    project: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"out{BY_NAME[name].suffix}"
    assert run("--project", project, "--format", name, "--output", target, "--range", "3:6", "--objects", "disc,3") == 0
    text = capsys.readouterr().out
    assert target.exists() and "3 frames (00003 to 00005)" in text and "1: disc, class ball, on 3 of 3" in text
    assert "3: bar" in text and "2: box" not in text and "also hold the objects 2" in text


def test_masks_of_one_format_become_another(
    synthetic_folder: Path, synthetic_video: SyntheticVideo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = synthetic_video.write_masks(tmp_path / "masks")
    common = ("--images", synthetic_folder)
    assert run("--masks", masks, *common, "--format", "coco", "--output", tmp_path / "coco") == 0
    assert run("--masks", tmp_path / "coco", *common, "--format", "mots", "--output", tmp_path / "mots") == 0
    assert "COCO JSON, on 12 of 12 frames" in capsys.readouterr().err
    assert run("--masks", tmp_path / "mots", *common, "--format", "index-png", "--output", tmp_path / "png") == 0
    for frame, mask in enumerate(synthetic_video.masks):
        assert np.array_equal(read_mask(tmp_path / "png" / f"{frame:05d}.png"), mask)


def test_names_classes_and_colours_come_from_the_workspace(project: Path, tmp_path: Path) -> None:
    assert run("--project", project, "--format", "coco", "--output", tmp_path / "coco", "--with_frames") == 0
    content = json.loads((tmp_path / "coco" / "annotations.json").read_text())
    assert [entry["name"] for entry in content["categories"]] == ["ball", "box", "bar"]
    assert content["info"]["fps"] == 24 and (tmp_path / "coco" / "images" / "00011.jpg").exists()
    assert run("--project", project, "--format", "index-png", "--output", tmp_path / "png") == 0
    with Image.open(tmp_path / "png" / "00000.png") as image:
        assert image.getpalette()[6:9] == [10, 200, 30]


def test_feather_and_grow(project: Path, tmp_path: Path) -> None:
    areas = []
    for number, flags in enumerate(((), ("--feather", "0"), ("--feather", "0", "--grow", "2"))):
        target = tmp_path / str(number)
        command = ("--project", project, "--format", "matte-png16", "--output", target, "--range", ":1", *flags)
        assert run(*command, "--objects", "1") == 0
        with Image.open(target / "001_disc" / "00000.png") as image:
            matte = np.asarray(image)
        assert matte.max() == 65535
        areas.append((len(np.unique(matte)), int((matte > 0).sum())))
    assert areas[0][0] > 5 and areas[1][0] == areas[2][0] == 2 and areas[2][1] > areas[1][1]


def test_what_is_there_is_replaced_only_when_told(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("--project", project, "--format", "index-png", "--output", tmp_path / "png", "--range", ":2")
    assert run(*command) == 0
    assert "holds something" in fail(capsys, *command)
    assert run(*command, "--replace") == 0


def test_wrong_input_is_one_message(
    project: Path, synthetic_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--format", "index-png", "--output", tmp_path / "out")
    assert "is not a workspace" in fail(capsys, "--project", tmp_path, *out)
    assert not (tmp_path / "workspace.lock").exists() and not (tmp_path / "masks").exists()
    assert "no object cat" in fail(capsys, "--project", project, *out, "--objects", "cat")
    assert "reaches beyond" in fail(capsys, "--project", project, *out, "--range", "3:99")
    assert "workspace" in fail(capsys, "--project", project, *out[:3], project / "masks" / "x")
    assert "holds the frames" in fail(capsys, "--project", project, *out[:3], synthetic_folder)
    assert "no such file" in fail(capsys, "--masks", tmp_path / "none", "--images", synthetic_folder, *out)
    (project / "masks" / "00004.png").write_bytes(b"damaged")
    assert "00004.png" in fail(capsys, "--project", project, *out)
    assert not (tmp_path / "out").exists()
    (project / "project.json").write_text("{")
    (project / "project.json.bak").write_text("{")
    assert "project.json" in fail(capsys, "--project", project, *out)


def test_a_video_that_moved(
    project: Path, synthetic_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--format", "index-png", "--output", tmp_path / "out", "--range", ":1")
    moved = synthetic_folder.rename(tmp_path / "elsewhere")
    assert "--images" in fail(capsys, "--project", project, *out)
    assert run("--project", project, "--images", moved, *out) == 0


def test_a_workspace_that_is_open_is_refused(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = Workspace.open(open_source(project.with_name("synthetic")), project)
    assert "in use" in fail(capsys, "--project", project, "--format", "coco", "--output", tmp_path / "out")
    workspace.close()


def test_what_a_crash_left_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(MaskWriter, "DELAY", 3600.0)
    hand = Driver(tmp_path, num_frames=3)
    hand.session.add_object()
    hand.session.save()
    hand.session.workspace.flush()
    hand.drag("brush", (4, 4), (9, 4))
    crashed = Path(shutil.copytree(hand.session.workspace.folder, tmp_path / "crashed"))
    source = hand.session.frames.source.path
    hand.session.close()
    command = ("--project", crashed, "--images", source, "--format", "coco", "--output", tmp_path / "out")
    for _ in range(2):
        assert "left the last 1 actions unsaved" in fail(capsys, *command)


def test_interrupted(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write = IndexPng.write

    def interrupt(self: Format, *arguments: object) -> object:
        for frame in write(self, *arguments):  # type: ignore[arg-type]
            if frame == 4:
                os.kill(os.getpid(), signal.SIGINT)
            yield frame

    monkeypatch.setattr(IndexPng, "write", interrupt)
    assert run("--project", project, "--format", "index-png", "--output", tmp_path / "out") == 130
    assert "nothing was written" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_an_export_that_is_not_right_is_exit_code_2(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(IndexPng, "check", lambda self, material, target: iter(["frame 0 is missing"]))
    text = fail(capsys, "--project", project, "--format", "index-png", "--output", tmp_path / "out")
    assert "frame 0 is missing" in text and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "--project DIR or --masks"),
        (["--project", "a", "--masks", "b"], "--project DIR or --masks"),
        (["--masks", "b"], "--video FILE or --images DIR"),
        (["--project", "a", "--output", "b"], "--format"),
        (["--project", "a", "--format", "gif", "--output", "b"], "index-png"),
        (["--project", "a", "--format", "coco"], "--output"),
        (["--project", "a", "--format", "coco", "--output", "b", "--feather", "x"], "pixels"),
        (["--project", "a", "--format", "coco", "--output", "b", "--objects", ","], "objects"),
        (["--project", "a", "--format", "coco", "--output", "b", "--video", "c", "--images", "d"], "exclude"),
    ],
)
def test_flags_that_make_no_sense(argv: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        export.main(argv)
    assert end.value.code == 2
    text = capsys.readouterr().err
    assert message in text and text.count("\n") == 1


def test_the_list_of_formats_loads_no_torch(repository: Path) -> None:
    code = "import sys, export; export.main(['--formats']); assert not {'torch', 'PyQt5'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == [entry.name for entry in FORMATS]


def test_a_lone_picture_is_for_the_first_frame_of_the_range(
    synthetic_folder: Path, synthetic_video: SyntheticVideo, tmp_path: Path
) -> None:
    Image.fromarray(synthetic_video.masks[0]).save(tmp_path / "start.png")
    command = ("--masks", tmp_path / "start.png", "--images", synthetic_folder, "--format", "youtube-vos")
    assert run(*command, "--output", tmp_path / "yv", "--range", "2:4") == 0
    reader = None
    steps = open_masks(tmp_path / "yv", open_source(synthetic_folder), 0)
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        reader = stop.value
    assert np.array_equal(reader.mask(2), synthetic_video.masks[0]) and not reader.mask(3).any()
