"""propagate.py --list: many videos, resumable, shared by processes; one bad video does not stop the others."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import propagate
from interact.headless_done import DONE_NAME
from storage.mask_io import read_mask, write_mask
from tests.synthetic import NUM_FRAMES, SyntheticVideo

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, synthetic_video: SyntheticVideo) -> Path:
    """Three videos `a`, `b`, `c` of the same frames, each with its first mask."""
    for name in "abc":
        synthetic_video.write_frames(tmp_path / name)
        (tmp_path / f"{name}-masks").mkdir()
        write_mask(tmp_path / f"{name}-masks" / "00000.png", synthetic_video.masks[0])
    return tmp_path


def write_list(folder: Path, *jobs: dict[str, object] | str) -> Path:
    file = folder / "jobs.jsonl"
    file.write_text("\n".join(job if isinstance(job, str) else json.dumps(job) for job in jobs))
    return file


def job(name: str, **more: object) -> dict[str, object]:
    return {"images": name, "masks": f"{name}-masks", "output": f"out/{name}", **more}


@pytest.fixture
def run(folder: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """The program on the list, with more flags: exit code, stdout, stderr."""

    def call(*more: str) -> tuple[int, str, str]:
        code = propagate.main(["--list", str(folder / "jobs.jsonl"), "--engine", "static", *more])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return call


def times(folder: Path) -> dict[str, int]:
    return {str(file): file.stat().st_mtime_ns for file in (folder / "out").rglob("*.png")}


def test_every_video_of_the_list(folder: Path, run: Run, synthetic_video: SyntheticVideo) -> None:
    (folder / "out").mkdir()
    write_list(folder, "# three videos", job("a"), "", job("b", range="0:4"), job("c", stats="c.json"))
    code, out, err = run()
    assert (code, err) == (0, "")
    assert [len(list((folder / "out" / name).glob("*.png"))) for name in "abc"] == [NUM_FRAMES, 4, NUM_FRAMES]
    assert np.array_equal(read_mask(folder / "out" / "a" / "00003.png"), synthetic_video.masks[0])
    assert json.loads((folder / "c.json").read_text())["frames"] == NUM_FRAMES
    table = out.splitlines()[-5:]
    assert [line.split()[:3] for line in table[1:4]] == [
        [str(folder / "out/a"), "done", "12"], [str(folder / "out/b"), "done", "4"],
        [str(folder / "out/c"), "done", "12"],
    ]  # fmt: skip
    assert table[4] == "3 videos: 3 done"


def test_what_is_done_is_not_done_again(folder: Path, run: Run) -> None:
    write_list(folder, job("a"), job("b"))
    run()
    before = times(folder)
    code, out, _ = run("--mem_profile", "3")
    assert code == 0
    assert times(folder) == before
    assert out.splitlines()[-1] == "2 videos: 2 done before"


@pytest.mark.parametrize("change", ["annotation", "setting", "result", "note"])
def test_what_has_changed_is_done_again(
    folder: Path, run: Run, change: str, synthetic_video: SyntheticVideo
) -> None:
    write_list(folder, job("a"), job("b"))
    run()
    if change == "annotation":
        write_mask(folder / "b-masks" / "00000.png", synthetic_video.masks[2])
    elif change == "setting":
        write_list(folder, job("a"), job("b", partial=True))
    elif change == "result":
        (folder / "out" / "b" / "00005.png").unlink()
    else:
        (folder / "out" / "b" / DONE_NAME).write_text("{")
    code, out, _ = run()
    assert code == 0
    assert out.splitlines()[-1] == "2 videos: 1 done, 1 done before"
    assert np.array_equal(
        read_mask(folder / "out" / "b" / "00005.png"), synthetic_video.masks[2 if change == "annotation" else 0]
    )


def test_a_bad_video_does_not_stop_the_others(folder: Path, run: Run) -> None:
    (folder / "noise.mp4").write_bytes(b"no video" * 100)
    shutil.rmtree(folder / "c-masks")
    bad: dict[str, object] = {"video": "noise.mp4", "masks": "a-masks", "output": "out/noise"}
    write_list(folder, bad, job("c"), job("b"))
    code, out, err = run()
    assert code == 2
    assert "noise.mp4" in err and "c-masks" in err
    lines = out.splitlines()
    assert lines[-1] == "3 videos: 1 done, 2 failed"
    assert "failed" in lines[-4] and "noise.mp4" in lines[-4]
    assert not (folder / "out" / "noise").exists()
    assert len(list((folder / "out" / "b").glob("*.png"))) == NUM_FRAMES


def test_our_own_mistake_in_one_job_does_not_stop_the_others(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = propagate.plan_stops
    calls = iter((True, False))

    def fails_once(*args: object, **options: object) -> object:
        if next(calls):
            raise ZeroDivisionError("a defect")
        return real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(propagate, "plan_stops", fails_once)
    write_list(folder, job("a"), job("b"))
    code, out, err = run()
    assert code == 2
    assert "Traceback" in err and "ZeroDivisionError" in err
    assert out.splitlines()[-1] == "2 videos: 1 done, 1 failed"


def test_ctrl_c_ends_the_list_and_the_same_command_goes_on(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = propagate.carry

    def stopped(*args: object) -> object:
        return propagate.Done([], {}, 0, 0.1, True) if "out/b" in str(args[0].output) else real(*args)  # type: ignore

    write_list(folder, job("a"), job("b"), job("c"))
    with monkeypatch.context() as patch:
        patch.setattr(propagate, "carry", stopped)
        code, out, _ = run()
    assert code == 130
    assert out.splitlines()[-1] == "2 videos: 1 done, 1 stopped"
    code, out, _ = run()
    assert (code, out.splitlines()[-1]) == (0, "3 videos: 2 done, 1 done before")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", ["line 2", "no JSON"]),
        ("[1]", ["line 2", "no JSON object"]),
        ('{"images": "b", "masks": "b-masks"}', ["line 2", "--output"]),
        ('{"images": "b", "output": "o"}', ["line 2", "--masks"]),
        ('{"images": "b", "video": "v", "masks": "m", "output": "o"}', ["line 2", "exclude each other"]),
        ('{"images": "b", "masks": "m", "output": "o", "rnage": "0:3"}', ["line 2", "'rnage'", "range"]),
        ('{"images": "b", "masks": "m", "output": "o", "range": "3"}', ["line 2", "'range'", "A:B"]),
        ('{"images": "b", "masks": "m", "output": "o", "partial": "yes"}', ["line 2", "'partial'", "true or false"]),
        ('{"images": "b", "masks": "m", "output": 3}', ["line 2", "'output'", "text"]),
        ('{"images": "b", "masks": "m", "output": "out/../out/a"}', ["line 2", "line 1"]),
    ],
)
def test_a_list_with_a_bad_line_is_not_begun(folder: Path, run: Run, line: str, words: list[str]) -> None:
    write_list(folder, job("a"), line)
    code, out, err = run()
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert all(word in err for word in words)
    assert not (folder / "out").exists()


def test_a_list_that_is_missing_or_empty(folder: Path, run: Run) -> None:
    assert "jobs.jsonl" in run()[2]
    write_list(folder, "# nothing")
    assert "holds no job" in run()[2]


def test_the_list_names_all_files(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        propagate.main(["--list", "jobs.jsonl", "--output", "out"])
    assert stop.value.code == 2
    assert "leave out --output" in capfd.readouterr().err


def test_a_run_of_its_own_takes_the_note_away(folder: Path, run: Run) -> None:
    write_list(folder, job("a"))
    run()
    argv = ["--images", folder / "a", "--masks", folder / "a-masks", "--output", folder / "out/a", "--engine", "static"]
    assert propagate.main([*map(str, argv), "--range", "0:3"]) == 0
    assert not (folder / "out" / "a" / DONE_NAME).exists()


def test_two_processes_share_a_list_and_wait_for_each_other(folder: Path, repository: Path) -> None:
    """torchrun ends all processes when one fails: a bad video of one must not cost the good ones of the other."""
    missing: dict[str, object] = {"images": "absent", "masks": "a-masks", "output": "out/absent"}
    file = write_list(folder, job("a"), missing, job("b"))
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         str(repository / "propagate.py"), "--list", str(file), "--engine", "static"],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert done.stdout.count("3 videos: 2 done, 1 failed") == 1, done.stderr[-3000:]
    assert "absent" in done.stderr
    assert all((folder / "out" / name / DONE_NAME).exists() for name in "ab")
