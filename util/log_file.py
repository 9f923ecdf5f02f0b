"""The log file: what the program said, also when nobody looked at its terminal."""
from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from util.errors import AppError

MAX_BYTES = 1 << 20
BACKUPS = 3
FILE_FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"


def log_path(folder: Path) -> Path:
    return folder / "window.log"


def start_log(folder: Path) -> RotatingFileHandler:
    """Have everything that is logged written to `window.log` in `folder`, too; older parts are kept as .1 to .3.

    Returns: the handler; its owner takes it from the root logger again and closes it.

    Raises:
        AppError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(log_path(folder), maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    except OSError as error:
        raise AppError(
            f"{log_path(folder)}: the log cannot be written ({error.strerror or error}).",
            "Check the folder's permissions and the disk.",
        ) from error
    handler.setFormatter(logging.Formatter(FILE_FORMAT))
    logging.getLogger().addHandler(handler)
    return handler


def stop_log(handler: RotatingFileHandler) -> None:
    logging.getLogger().removeHandler(handler)
    handler.close()
