"""README and requirements say what the program does."""
from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from util.config import AppConfig
from util.davis_config import DavisConfig
from util.download_config import DownloadConfig
from util.export_config import ExportConfig
from util.flags import Flag
from util.merge_config import MergeConfig
from util.score_config import ScoreConfig
from util.vos_config import VosConfig

DOCUMENTS = (
    "README.md", "CHANGELOG.md", "WEIGHTS_LICENSE.md", "NOTICE", "examples/README.md", "docs/performance.md",
    "docs/training.md", "docs/advice.md",
)  # fmt: skip


def flag_names() -> set[str]:
    tables = (AppConfig, ScoreConfig, DownloadConfig, ExportConfig, VosConfig, DavisConfig, MergeConfig)
    rows = [entry.metadata["flag"] for table in tables for entry in fields(table)]
    assert all(isinstance(row, Flag) for row in rows)
    return {name for row in rows for name in row.names}


def test_readme_names_every_flag_and_no_other(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9_]*", text)) - {"--help"}
    assert named == flag_names()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_files_that_exist(repository: Path, document: str) -> None:
    text = (repository / document).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:docs|examples|model|tools|tests|generation|evaluation)/[\w./-]*\w)`", text)
    folder = Path(document).parent
    paths += [str(folder / link) for link in re.findall(r"\]\((?!http)([^)#]+)\)", text)]
    missing = [path for path in paths if not (repository / path).exists()]
    assert not missing, f"{document} names files that are not there: {missing}"


def test_requirements_are_lower_bounds_and_leave_qt_free(repository: Path) -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-train.txt", "requirements-eval.txt"):
        lines = (repository / name).read_text(encoding="utf-8").splitlines()
        for line in (line for line in lines if line and not line.startswith("#")):
            assert re.fullmatch(r"[A-Za-z0-9-]+>=[0-9.]+", line), f"{name}: {line}"
            # Windows has one version of these only; opencv-python brings Qt plugins that break PyQt5.
            assert line.split(">=")[0].lower() not in ("pyqt5-qt5", "opencv-python")
