"""What the status bar says about saving: saved when, saving, or not saved and why. GUI thread, except where said."""
from __future__ import annotations

import time
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QLabel

from gui import theme
from storage.disk_space import will_fill
from storage.mask_store import MaskStore
from util.errors import AppError

LOOK_EVERY = 10.0
"""Seconds between two looks at the room on the disk."""


def short_reason(error: AppError) -> str:
    """`the disk is full` out of `/videos/a.masks/00001.png: cannot be saved: the disk is full.`"""
    return error.message.rpartition(": ")[2].rstrip(".")


class SaveState(QObject):
    """One per open video; keeps `label` true to the writer of its masks.

    Signal: `failed(AppError)`, once per series of failures, in the GUI thread.
    """

    failed = pyqtSignal(object)
    _saved = pyqtSignal()

    def __init__(self, label: QLabel, masks: MaskStore, folder: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._label = label
        self._masks = masks
        self._folder = folder
        self._error: AppError | None = None
        self._is_nearly_full = False
        self._look_at = 0.0
        masks.saved.connect(self._tell_saved)
        masks.failed.connect(self._tell_failed)
        self._saved.connect(self._on_saved)
        self.failed.connect(self._on_failed)
        self.refresh()

    def close(self) -> None:
        """No more is said."""
        self._masks.saved.disconnect(self._tell_saved)
        self._masks.failed.disconnect(self._tell_failed)
        self._label.clear()
        self._label.setToolTip("")
        self._label.setStyleSheet("")

    def refresh(self) -> None:
        """Something may have been changed."""
        if self._error is not None:
            self._show(f"✖ not saved: {short_reason(self._error)}", theme.WARNING, str(self._error))
        elif self._masks.has_unsaved:
            self._show("saving…", "", f"Written to {self._folder} in a moment")
        elif self._is_nearly_full:
            self._show(
                "✔ saved; disk nearly full", theme.WARNING,
                f"The disk of {self._folder} is nearly full: make room, so that everything can be saved from now on.",
            )
        elif self._masks.last_saved is not None:
            at = time.localtime(self._masks.last_saved)
            self._show(
                time.strftime("✔ saved %H:%M", at), "",
                f"Everything up to {time.strftime('%H:%M:%S', at)} is in {self._folder}.\nYou need not save: every "
                "action is written down at once, and undo reaches back over closing and opening.",
            )

    def _show(self, text: str, color: str, tooltip: str) -> None:
        self._label.setText(text)
        self._label.setToolTip(tooltip)
        self._label.setStyleSheet(f"color: {color};" if color else "")

    def _tell_saved(self) -> None:
        """Writer thread."""
        self._saved.emit()

    def _tell_failed(self, error: AppError) -> None:
        """Writer thread."""
        self.failed.emit(error)

    def _on_saved(self) -> None:
        self._error = None
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_EVERY
            self._is_nearly_full = will_fill(self._folder, 0)
        self.refresh()

    def _on_failed(self, error: AppError) -> None:
        self._error = error
        self.refresh()
