"""`python -m tests.goldens.make`: records the own golden set, for machines without the published programs' recordings.

The set is worth what the code was worth that wrote it, so it is written only by code that reproduces the published
recordings: everything must be committed, and all golden tests must pass on the public cases. Then this project's own
networks run on the inputs of `cases.py`, and `record.json` names the commit and what had passed. The golden tests run
over the own set where the public cases are absent, or with `GOLDENS=tests/goldens`.

Exit codes: 0 written; 2 refused, nothing changed.
"""
from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.golden_weights import NOISE, OWN, PUBLIC, Golden
from tests.goldens.cases import Case, own_cases

EXIT_REFUSED = 2
MAX_BYTES = 400_000
RECORD = "record.json"
REPOSITORY = Path(__file__).resolve().parents[2]


class RefusedError(Exception):
    """The set must not be written now; the message says why."""


@dataclass(frozen=True)
class Recording(Golden):
    """A case whose results are not there yet: what a test would compare is kept."""

    found: dict[str, NDArray[Any]] = field(default_factory=dict)

    def check(self, name: str, actual: Tensor, *, is_optimised: bool = False) -> None:
        """Keep what would be compared. Raises RefusedError for numbers that a wrong network might give as well."""
        values = actual.float().numpy().copy()  # what was given may change in a later step
        if not np.isfinite(values).all():
            raise RefusedError(f"{self.path.stem}, {name}: not all numbers are finite")
        if np.ptp(values) == 0 and not (is_optimised and name.startswith("opt_data")):
            raise RefusedError(f"{self.path.stem}, {name}: all numbers are equal")
        self.found[name] = values

    def check_labels(self, name: str, actual: NDArray[Any]) -> None:
        labels = np.array(actual, np.uint8)
        if len(np.unique(labels)) < 2:
            raise RefusedError(f"{self.path.stem}, {name}: all labels are equal")
        self.found[name] = labels

    def check_equal(self, name: str, actual: Sequence[int]) -> None:
        self.found[name] = np.asarray(actual, np.int64)


def run_once(case: Case) -> dict[str, NDArray[Any]]:
    """The results of one case by name."""
    shapes = {name: np.zeros(shape, np.float32) for name, shape in case.shapes.items()}
    recording = Recording(Path(case.name), case.meta, {**case.inputs, **shapes})
    case.run(recording)
    assert recording.found.keys() >= shapes.keys(), f"{case.name}: {sorted(shapes.keys() - recording.found.keys())}"
    return recording.found


def record(case: Case) -> dict[str, NDArray[Any]]:
    """The arrays of one file. The noise is the difference between two convolution back-ends, as the rule has it."""
    found = run_once(case)
    with torch.backends.mkldnn.flags(enabled=False):
        other = run_once(case)
    noise = {name: _difference(array, other[name]) for name, array in found.items()}
    meta = {**case.meta, NOISE: noise, "steps": "the golden test of this system, see tests/goldens/cases.py"}
    return {"meta": np.asarray(json.dumps(meta)), **case.inputs, **found}


def _difference(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The largest of numbers, the share of labels."""
    return float(np.mean(one != other)) if one.dtype == np.uint8 else float(np.abs(one - other).max())


def run_goldens(folder: Path) -> dict[str, int]:
    """All golden tests on the cases of one folder. Raises RefusedError unless some pass and none fails."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "golden", "tests", f"--junitxml={report}"]
        done = subprocess.run(command, cwd=REPOSITORY, env={**os.environ, "GOLDENS": str(folder)}, check=False)
        if not report.is_file():
            raise RefusedError(f"the golden tests did not run (exit code {done.returncode})")
        (suite,) = ElementTree.parse(report).getroot().iter("testsuite")
    total, skipped, wrong = (
        sum(int(suite.attrib[name]) for name in names) for names in (["tests"], ["skipped"], ["failures", "errors"])
    )
    if done.returncode != 0 or wrong or total <= skipped:
        raise RefusedError(f"of {total} golden tests on {folder} {wrong} failed and {skipped} were skipped")
    return {"passed": total - skipped, "skipped": skipped, "cases": len(list(folder.glob("*.npz")))}


def committed() -> str:
    """The commit that this code is. Raises RefusedError if something in it is not committed."""
    status, head = (
        subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()
        for words in (["status", "--porcelain"], ["rev-parse", "HEAD"])
    )
    changed = [line for line in status.splitlines() if "tests/goldens/" not in line or line.endswith(".py")]
    if changed:
        raise RefusedError(f"not everything is committed: {changed[0].strip()} and {len(changed) - 1} more")
    return head


def make() -> None:
    """Check, record, check what was recorded, and put it in its place. Raises RefusedError."""
    if not PUBLIC.is_dir():
        raise RefusedError(f"the published programs' recordings are not here: {PUBLIC}")
    proof = {"commit": committed(), "torch": torch.__version__, "public": run_goldens(PUBLIC)}
    with tempfile.TemporaryDirectory(dir=OWN) as scratch:
        folder = Path(scratch)
        for case in own_cases():
            np.savez_compressed(folder / f"{case.name}.npz", **record(case))
        size = sum(file.stat().st_size for file in folder.iterdir())
        if size > MAX_BYTES:
            raise RefusedError(f"the files have {size} bytes, allowed are {MAX_BYTES}")
        proof["own"] = run_goldens(folder)
        for old in OWN.glob("*.npz"):
            old.unlink()
        for file in sorted(folder.iterdir()):
            file.replace(OWN / file.name)
    (OWN / RECORD).write_text(json.dumps(proof, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    """The command; returns the exit code."""
    try:
        make()
    except RefusedError as error:
        sys.stderr.write(f"tests.goldens.make: {error}\n")
        return EXIT_REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
