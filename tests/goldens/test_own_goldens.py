"""The own golden set and the command that writes it."""
from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from tests import golden_weights
from tests.golden_weights import NOISE, OWN, golden_cases, load_golden, require_golden
from tests.goldens import make
from tests.goldens.cases import own_cases

SYSTEMS = (
    r"MiVOS-STCN modules", r"MiVOS-STCN InferenceCore", r"MiVOS \(STM\) modules", r"MiVOS \(STM\) InferenceCore",
    r"S2M", r"f-BRS DeepLab.*", r"FBRSController .*", r"RITM .*",
)


@pytest.fixture
def without_public_cases(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GOLDENS", raising=False)
    monkeypatch.setattr(golden_weights, "PUBLIC", tmp_path / "absent")


@pytest.mark.usefixtures("without_public_cases")
@pytest.mark.parametrize("system", SYSTEMS)
def test_own_cases_stand_in_for_absent_public_ones(system: str) -> None:
    cases = golden_cases(re.compile(system))
    assert cases
    for case in cases:
        (golden,) = case.values
        assert require_golden(golden).path.parent == OWN


@pytest.mark.usefixtures("without_public_cases")
def test_a_system_without_an_own_case_is_skipped() -> None:
    (case,) = golden_cases("some other system")
    assert [mark.name for mark in case.marks] == ["skip"]


def test_an_empty_folder_of_cases_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOLDENS", str(tmp_path))
    (case,) = golden_cases("S2M")
    with pytest.raises(pytest.fail.Exception, match="holds no recorded case"):
        require_golden(case.values[0])


def test_the_set_is_small_and_what_its_cases_say() -> None:
    files = {file.stem: file for file in OWN.glob("*.npz")}
    assert sum(file.stat().st_size for file in files.values()) <= make.MAX_BYTES
    cases = {case.name: case for case in own_cases()}
    assert files.keys() == cases.keys(), "run python -m tests.goldens.make"
    for name, file in files.items():
        golden = load_golden(file)
        found = golden.meta.keys() - {NOISE, "steps"}
        assert {key: golden.meta[key] for key in found} == json.loads(json.dumps(cases[name].meta))
        assert all(np.array_equal(golden.arrays[key], array) for key, array in cases[name].inputs.items())


def test_the_record_names_the_commit_and_what_passed_there() -> None:
    record = json.loads((OWN / make.RECORD).read_text(encoding="utf-8"))
    assert re.fullmatch(r"[0-9a-f]{40}", record["commit"])
    assert record["public"]["passed"] > 0 and record["own"]["passed"] > 0
    assert record["own"]["cases"] == len(own_cases())


def test_nothing_is_written_without_the_public_cases(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make, "PUBLIC", tmp_path / "absent")
    monkeypatch.setattr(make, "OWN", tmp_path)
    assert make.main() == make.EXIT_REFUSED
    assert "are not here" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_code_that_is_not_committed_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=T", "-c", "user.email=t@example.org")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    monkeypatch.setattr(make, "REPOSITORY", tmp_path)
    (tmp_path / "net.py").write_text("x = 1\n")
    git("init", "-q")
    git("add", "net.py")
    git("commit", "-q", "-m", "one")
    assert re.fullmatch(r"[0-9a-f]{40}", make.committed())
    (tmp_path / "net.py").write_text("x = 2\n")
    with pytest.raises(make.RefusedError, match=r"not everything is committed: M net\.py"):
        make.committed()


@pytest.mark.parametrize("values", [torch.full((2, 2), 0.5), torch.tensor([1.0, float("nan")])])
def test_numbers_that_say_nothing_are_not_recorded(values: torch.Tensor) -> None:
    with pytest.raises(make.RefusedError, match="all"):
        make.Recording(Path("case"), {}, {}).check("prob", values)


def test_what_is_recorded_does_not_change_later() -> None:
    """A test goes on writing to the array that it has had compared."""
    recording = make.Recording(Path("case"), {}, {})
    labels, values = np.arange(4, dtype=np.uint8), torch.arange(4.0)
    recording.check_labels("masks", labels)
    recording.check("prob", values)
    labels[:], values[:] = 0, 0
    assert recording.found["masks"].tolist() == recording.found["prob"].tolist() == [0, 1, 2, 3]


def test_failing_golden_tests_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command that runs pytest is pointed at a project whose only golden test fails."""
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_it.py").write_text("import pytest\n@pytest.mark.golden\ndef test_golden():\n    assert False\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = golden\n")
    monkeypatch.setattr(make, "REPOSITORY", tmp_path)
    with pytest.raises(make.RefusedError, match="of 1 golden tests .* 1 failed"):
        make.run_goldens(tmp_path)
