"""propagate.py with RVOS: `--zero_shot` (a video in, masks of what the network finds out), and with a given mask."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import propagate
from storage.frame_source import open_source
from storage.mask_io import read_mask
from storage.workspace import Workspace
from tests.rvos_folders import shrink_base, write_rvos_folder
from tests.synthetic import SyntheticVideo


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights that find something."""
    shrink_base(monkeypatch)
    write_rvos_folder(tmp_path / "rvos", takes_mask=False, gain=400)
    return tmp_path / "rvos"


def argv(tmp_path: Path, folder: Path, synthetic_folder: Path, *more: object) -> list[str]:
    usual = ("--images", synthetic_folder, "--output", tmp_path / "out", "--zero_shot", "--size", 32, "--device", "cpu")
    return [str(part) for part in (*usual, "--weights", folder, *more)]


def test_masks_statistics_and_workspace(
    tmp_path: Path, folder: Path, synthetic_folder: Path, synthetic_video: SyntheticVideo,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stats, work = tmp_path / "s.json", tmp_path / "work"
    more = ("--engine", "rvos", "--range", "2:6", "--stats", stats, "--workspace", work)
    assert propagate.main(argv(tmp_path, folder, synthetic_folder, *more)) == 0
    assert capsys.readouterr().out.startswith("4 frames, ")
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == [f"{frame:05d}.png" for frame in range(2, 6)]
    masks = [read_mask(file, synthetic_video.size) for file in files]
    found = {int(i) for i in np.unique(masks)} - {0}
    written = json.loads(stats.read_text())
    assert found and written["objects"] == sorted(found)
    assert written["annotated_frames"] == 0 and written["predictions"] == 4 and len(written["weights"]["sha256"]) == 64
    workspace = Workspace.open(open_source(synthetic_folder), work)
    assert {info.object_id for info in workspace.project.objects} == found
    assert set().union(*workspace.project.key_frames.values()) == found
    assert np.array_equal(workspace.masks.get(3), masks[1])
    workspace.close()


def test_a_given_mask_is_carried_by_the_weights_of_a_folder(
    tmp_path: Path, folder: Path, synthetic_folder: Path, synthetic_video: SyntheticVideo,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = synthetic_video.write_masks(tmp_path / "masks") / "00000.png"
    argv = ["--images", synthetic_folder, "--masks", first, "--output", tmp_path / "out", "--engine", "rvos",
            "--weights", folder, "--device", "cpu", "--size", 32, "--range", ":3"]
    assert propagate.main([str(part) for part in argv]) == 2
    assert "(zero-shot); it cannot carry given masks" in capsys.readouterr().err
    write_rvos_folder(folder, takes_mask=True)
    assert propagate.main([str(part) for part in argv]) == 0
    assert "3 frames, 3 objects" in capsys.readouterr().out
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == ["00000.png", "00001.png", "00002.png"]
    assert np.array_equal(read_mask(files[0], synthetic_video.size), synthetic_video.masks[0])


def test_what_is_refused(
    tmp_path: Path, folder: Path, synthetic_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert propagate.main(argv(tmp_path, folder, synthetic_folder, "--engine", "light")) == 2
    assert "The engine light finds no objects by itself" in capsys.readouterr().err
    assert propagate.main(argv(tmp_path, tmp_path, synthetic_folder)) == 2
    assert "encoder.pt is not in it" in capsys.readouterr().err
    (folder / "args.pkl").write_bytes(b"\x80\x02cos\nsystem\n.")
    assert propagate.main(argv(tmp_path, folder, synthetic_folder)) == 2
    assert "args.pkl was not read: it asks for os.system" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
