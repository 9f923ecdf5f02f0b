"""What the published frame recommendation answered to plain numbers: `ivosw_rules.json` beside the recorded cases."""
from __future__ import annotations

import json
from typing import Any

import pytest

from tests.golden_weights import golden_folder


def golden_rules() -> dict[str, Any]:
    """The recorded answers; the test is skipped where there are none."""
    path = golden_folder() / "ivosw_rules.json"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    answers: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return answers
