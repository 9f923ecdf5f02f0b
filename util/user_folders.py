"""Where the program keeps what belongs to the user and to no video. Pure: makes no folder."""
from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAM = "video-masks"


def user_data_folder(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The folder for the log file, as each system has it."""
    if platform == "win32":
        base = environment.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / PROGRAM
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / PROGRAM
    base = environment.get("XDG_DATA_HOME")
    # The standard says that a relative path there is to be ignored.
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".local" / "share") / PROGRAM
