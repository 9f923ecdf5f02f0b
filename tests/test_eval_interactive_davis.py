"""The real program with the official package, from the command line to its summary."""
from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evaluation.vos_trees import davis_tree
from tests.synthetic import SyntheticVideo

needs_package = pytest.mark.skipif(
    importlib.util.find_spec("davisinteractive") is None,
    reason="needs the package davisinteractive: see requirements-eval.txt",
)


def call(repository: Path, *argv: object) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the package changes numpy's names for good, and warns a lot."""
    command = [sys.executable, "eval_interactive_davis.py", *map(str, argv)]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=300, check=False)


@needs_package
def test_the_official_package_counts(tmp_path: Path, repository: Path, synthetic_video: SyntheticVideo) -> None:
    root, output = davis_tree(tmp_path / "set", synthetic_video, ("clip",)), tmp_path / "out"
    done = call(
        repository, "--davis", root, "--output", output, "--engine", "static", "--interaction", "grabcut",
        "--max_nb_interactions", 2, "--frame_selection", "worst", "--setting", "oracle", "--device", "cpu",
    )
    assert done.returncode == 0, done.stderr
    assert "These are not the figures of the DAVIS 2017 benchmark: 1 sequence (clip)" in done.stdout
    assert "AUC" in done.stdout and "by the true J&F" in done.stdout
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    curve = summary["curve"]["J_AND_F"]
    assert len(curve) == 4 and curve[0] == 0 < curve[1] < 1 and curve[3] == curve[2]
    (report,) = output.glob("result_*.csv")
    lines = report.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 2 * 12 * 3  # rounds, frames, objects
    assert not list(output.glob("*.tmp.csv"))

    again = call(repository, "--davis", root, "--output", output)
    assert again.returncode == 2 and "earlier run" in again.stderr


def test_without_the_package_it_says_what_to_install(tmp_path: Path, repository: Path) -> None:
    code = (
        "import sys\nsys.modules['davisinteractive'] = None\n"
        f"import eval_interactive_davis as e\nsys.exit(e.main(['--output', {str(tmp_path / 'out')!r}]))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2 and "requirements-eval.txt" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def read_curve(output: Path) -> list[float]:
    """J&F by round, after the 0 that it begins with."""
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    return list(summary["curve"]["J_AND_F"])


@needs_package
def test_clips_with_binary_masks_are_played_as_one_object(tmp_path: Path, repository: Path, shared: Path) -> None:
    for part, suffix in (("JPEGImages", ".jpg"), ("Annotations", ".png")):
        folder = tmp_path / "set" / part / "480p" / "blackswan"
        folder.mkdir(parents=True)
        for number in range(3):
            name = f"{number:05d}{suffix}"
            shutil.copy(shared / "data" / "clips" / "davis" / part / "480p" / "blackswan" / name, folder / name)
    done = call(
        repository, "--davis", tmp_path / "set", "--output", tmp_path / "out", "--engine", "static",
        "--interaction", "grabcut", "--max_nb_interactions", 3, "--device", "cpu", "--seed", 3,
    )
    assert done.returncode == 0, done.stderr
    assert "1 sequence (blackswan), one object each, first scribbles by the robot" in done.stdout
    curve = read_curve(tmp_path / "out")
    assert 0 < curve[1] < curve[3] < 1


@needs_package
def test_one_seed_gives_one_result(tmp_path: Path, repository: Path, synthetic_video: SyntheticVideo) -> None:
    """The robot breaks ties at random: with seeds 0 and 1 it draws other lines in this video."""
    root = davis_tree(tmp_path / "set", synthetic_video, ("clip",))
    curves = []
    for number, seed in enumerate((0, 0, 1)):
        output = tmp_path / f"out{number}"
        done = call(
            repository, "--davis", root, "--output", output, "--engine", "static", "--interaction", "grabcut",
            "--max_nb_interactions", 3, "--device", "cpu", "--seed", seed,
        )
        assert done.returncode == 0, done.stderr
        curves.append(read_curve(output))
    assert curves[0] == curves[1] != curves[2]
