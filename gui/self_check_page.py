"""The self-check as a page: a line per point, with what to do. GUI thread."""
from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QBrush, QColor
from PyQt5.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

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
        self.table = QTreeWidget()
        self.table.setHeaderLabels(("", "What", "Found", "What to do"))
        self.table.setRootIsDecorated(False)
        self.table.setWordWrap(True)
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
        layout.addWidget(self.table, 1)
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
        self.table.clear()
        self.again_button.setEnabled(False)
        self.summary.setText("Checking…")

    def add(self, finding: Finding) -> None:
        self.findings.append(finding)
        sign, color = _SIGNS[finding.state]
        item = QTreeWidgetItem(self.table, [sign, finding.name, finding.text, finding.hint])
        item.setForeground(0, QBrush(QColor(getattr(theme, color))))
        for column in range(4):
            item.setTextAlignment(column, int(Qt.AlignLeft | Qt.AlignTop))
            item.setToolTip(column, finding.text + ("\n" + finding.hint if finding.hint else ""))
        self.table.resizeColumnToContents(0)
        self.table.resizeColumnToContents(1)
        self.table.setColumnWidth(2, round(self.table.width() * 0.52))

    def end(self) -> None:
        self.again_button.setEnabled(True)
        self.summary.setText(_summary(self.findings))

    def _copy(self) -> None:
        QApplication.clipboard().setText(as_text(self.findings))


def _summary(findings: Sequence[Finding]) -> str:
    faults = sum(finding.state == "fault" for finding in findings)
    if faults:
        return f"{faults} {'point keeps' if faults == 1 else 'points keep'} the program from working as it should."
    return "Everything that is needed is here."
