"""The self-check as a page: a line per point, with what to do. GUI thread."""
from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QApplication, QDialog, QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from gui import theme
from gui.widgets import muted, step_of
from interact.self_check import Finding, as_text

_SIGNS = {"ok": ("✔", "POSITIVE"), "note": ("●", "WARNING"), "fault": ("✖", "NEGATIVE")}


class SelfCheckPage(QDialog):
    """Signal: `again`, when the user wants it done once more."""

    again = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("self_check")
        self.setWindowTitle("Self-check")
        step = step_of(self)
        self.resize(230 * step, 110 * step)
        self.findings: list[Finding] = []
        self.view = QTextBrowser()
        self.summary = muted()
        self.again_button, self.copy_button = QPushButton("Check again"), QPushButton("Copy")
        close = QPushButton("Close")
        self.copy_button.setToolTip("Copy all of it as text, to send it to somebody")
        row = QHBoxLayout()
        row.addWidget(self.again_button)
        row.addWidget(self.copy_button)
        row.addStretch(1)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * step, 3 * step, 3 * step, 3 * step)
        layout.setSpacing(2 * step)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.summary)
        layout.addLayout(row)
        for button in (self.again_button, self.copy_button, close):
            button.setAutoDefault(False)
        self.again_button.clicked.connect(lambda checked=False: self.again.emit())
        self.copy_button.clicked.connect(lambda checked=False: self._copy())
        close.clicked.connect(self.close)

    def begin(self) -> None:
        """Empty the page for a new check."""
        self.findings = []
        self.view.clear()
        self.again_button.setEnabled(False)
        self.summary.setText("Checking…")

    def add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.view.setHtml(f"<table cellpadding='5'>{''.join(map(_row, self.findings))}</table>")

    def end(self) -> None:
        self.again_button.setEnabled(True)
        self.summary.setText(_summary(self.findings))

    def _copy(self) -> None:
        QApplication.clipboard().setText(as_text(self.findings))


def _row(finding: Finding) -> str:
    sign, color = _SIGNS[finding.state]
    hint = f"<br/><span style='color: {theme.TEXT_MUTED}'>{escape(finding.hint)}</span>" if finding.hint else ""
    return (
        f"<tr><td style='color: {getattr(theme, color)}'>{sign}</td>"
        f"<td style='white-space: pre'><b>{escape(finding.name)}</b></td><td>{escape(finding.text)}{hint}</td></tr>"
    )


def _summary(findings: Sequence[Finding]) -> str:
    faults = sum(finding.state == "fault" for finding in findings)
    if faults:
        return f"{faults} {'point keeps' if faults == 1 else 'points keep'} the program from working as it should."
    return "Everything that is needed is here."
