"""Every question and message that opens a window of its own, behind one object that tests replace. GUI thread.

Messages do not wait: they are shown and the call returns, so that jobs and timers go on.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt5.QtCore import QRectF, Qt
from PyQt5.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt5.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from gui import theme
from gui.recovery_dialog import Decided, RecoveryDialog
from gui.widgets import step_of
from util.errors import AppError

WEIGHTS_FILTER = "Weights (*.pth *.pt *.safetensors *.tar *.zip);;All files (*)"
MASKS_FILTER = "Masks (*.json *.txt *.png *.tif *.tiff *.bmp *.webp);;All files (*)"
VIDEO_FILTER = "Videos (*.mp4 *.mov *.avi *.mkv *.webm *.m4v *.mpg *.mpeg *.wmv);;All files (*)"


_SIGNS = {QMessageBox.Warning: ("!", "WARNING"), QMessageBox.Critical: ("!", "NEGATIVE"),
          QMessageBox.Question: ("?", "ACCENT_LIGHT")}
"""Character and colour of the theme."""


def _sign(character: str, color: str, widget: QWidget) -> QPixmap:
    """A disc with a character, in the window's own style."""
    side = 10 * step_of(widget)
    ratio = widget.devicePixelRatioF()
    pixmap = QPixmap(round(side * ratio), round(side * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.Antialiasing)
    painter.setPen(Qt.NoPen)
    painter.setBrush(QColor(getattr(theme, color)))
    disc = QRectF(0.5, 0.5, side - 1, side - 1)
    painter.drawEllipse(disc)
    font = widget.font()
    font.setBold(True)
    font.setPixelSize(round(side * 0.62))
    painter.setFont(font)
    painter.setPen(QColor(theme.FIELD))
    painter.drawText(disc, Qt.AlignCenter, character)
    painter.end()
    return pixmap


class Dialogs:
    """The dialogs of one window. The `ask_` functions return None when the user thinks better of it."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    def show_error(self, title: str, error: AppError) -> None:
        """What is wrong, and below it what to do."""
        self._message(QMessageBox.Warning, title, error.message, error.hint)

    def show_defect(self, error: BaseException) -> None:
        """A defect of the program: it goes on, and says so."""
        self._message(
            QMessageBox.Critical, "Something went wrong",
            f"The program made a mistake: {type(error).__name__}: {error}",
            "It goes on, and finished masks are saved. Details are in the terminal; please report them.",
        )

    def show_about(self, title: str, text: str) -> None:
        """Args: text: rich text."""
        box = self._box(QMessageBox.NoIcon, title, text)
        box.setTextFormat(Qt.RichText)
        box.open()

    def ask_video(self, folder: Path) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self._parent, "Open video", str(folder), VIDEO_FILTER)
        return Path(name) if name else None

    def ask_folder(self, title: str, folder: Path) -> Path | None:
        name = QFileDialog.getExistingDirectory(self._parent, title, str(folder))
        return Path(name) if name else None

    def ask_masks(self, folder: Path) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self._parent, "Import masks from a file", str(folder), MASKS_FILTER)
        return Path(name) if name else None

    def ask_weights(self, folder: Path) -> Path | None:
        name, _ = QFileDialog.getOpenFileName(self._parent, "Take in a weight file", str(folder), WEIGHTS_FILTER)
        return Path(name) if name else None

    def ask_save_video(self, path: Path) -> Path | None:
        """A file name with the ending of `path`. Whoever writes there asks before it replaces a file."""
        suffix = path.suffix
        name, _ = QFileDialog.getSaveFileName(
            self._parent, "Export video", str(path), f"Video (*{suffix})", options=QFileDialog.DontConfirmOverwrite
        )
        if not name:
            return None
        return Path(name) if name.lower().endswith(suffix) else Path(name + suffix)

    def ask_text(self, title: str, label: str, text: str, on_text: Callable[[str], None]) -> None:
        """Ask for a line of text, with a first proposal, and call `on_text` with it; does not wait for the answer."""
        box = QInputDialog(self._parent)
        box.setAttribute(Qt.WA_DeleteOnClose)
        box.setStyleSheet("QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }")
        box.setWindowTitle(title)
        box.setLabelText(label)
        box.setTextValue(text)
        box.textValueSelected.connect(on_text)
        box.open()

    def confirm(self, title: str, text: str, details: str, yes: str, on_yes: Callable[[], None]) -> None:
        """Ask, and call `on_yes` if the button `yes` is pressed; does not wait for the answer."""
        box = self._box(QMessageBox.Question, title, text)
        box.setInformativeText(details)
        button = box.addButton(yes, QMessageBox.AcceptRole)
        cancel = box.addButton(QMessageBox.Cancel)
        cancel.setIcon(QIcon())
        box.setDefaultButton(cancel)
        box.buttonClicked.connect(lambda clicked: on_yes() if clicked is button else None)
        box.open()

    def ask_recovery(self, name: str, unsaved: Sequence[str], decided: Decided) -> None:
        """Ask whether to recover what was left unsaved; calls `decided` once, does not wait for it."""
        RecoveryDialog(self._parent, name, unsaved, decided).open()

    def ask_protected(self, text: str, details: str, answered: Callable[..., None]) -> None:
        """Ask whether protected masks may change; calls `answered(change=...)` once, does not wait for it."""
        box = self._box(QMessageBox.Question, "This is protected", text)
        box.setInformativeText(details)
        change = box.addButton("Change anyway", QMessageBox.DestructiveRole)
        keep = box.addButton("Keep", QMessageBox.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.finished.connect(lambda result: answered(change=box.clickedButton() is change))
        box.open()

    def _message(self, kind: QMessageBox.Icon, title: str, text: str, details: str) -> None:
        box = self._box(kind, title, text)
        box.setInformativeText(details)
        box.setTextInteractionFlags(Qt.TextSelectableByMouse)
        box.open()

    def _box(self, kind: QMessageBox.Icon, title: str, text: str) -> QMessageBox:
        box = QMessageBox(self._parent)
        box.setAttribute(Qt.WA_DeleteOnClose)
        box.setStyleSheet("QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }")
        if kind in _SIGNS:
            box.setIconPixmap(_sign(*_SIGNS[kind], box))
        box.setWindowTitle(title)
        box.setText(text)
        return box
