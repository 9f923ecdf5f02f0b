"""The preferences: looks and habits on one page, every action's keys on the other; both are searched. GUI thread."""
from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gui.actions import ACTIONS, ActionSet
from gui.colors import THEMES
from gui.key_map import KeyMap
from gui.keys_page import KeysPage
from gui.settings import Settings
from gui.view_modes import MODES
from gui.widgets import muted, step_of

THEME_NAMES = {"dark": "Dark", "light": "Light"}


class PreferenceRow(QWidget):
    """A name, what it means, and the widget to set it with."""

    def __init__(self, name: str, text: str, editor: QWidget) -> None:
        super().__init__()
        self.words = f"{name} {text}".lower()
        step = step_of(self)
        title, note = QLabel(name), muted(text)
        note.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(step // 2)
        words.addWidget(title)
        words.addWidget(note)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, step, 0, step)
        layout.addLayout(words, 1)
        layout.addSpacing(4 * step)
        layout.addWidget(editor, 0, Qt.AlignRight | Qt.AlignVCenter)


class Preferences(QDialog):
    """Everything takes effect at once. Signals are about what no action does."""

    theme_chosen = pyqtSignal(str)
    tips_wanted = pyqtSignal()

    def __init__(self, actions: ActionSet, key_map: KeyMap, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("preferences")
        self.setWindowTitle("Preferences")
        step = step_of(self)
        self.resize(210 * step, 160 * step)
        self._actions = actions
        self.search = QLineEdit()
        self.search.setObjectName("search")
        self.search.setPlaceholderText("Search preferences and keys")
        self.search.setClearButtonEnabled(True)
        self.rows: list[PreferenceRow] = []
        self.theme = QComboBox()
        self.theme.setObjectName("theme")
        for name in THEMES:
            self.theme.addItem(THEME_NAMES[name], name)
        self.theme.setCurrentIndex(self.theme.findData(settings.theme))
        self.mode = QComboBox()
        self.mode.setObjectName("mode")
        for mode in MODES:
            self.mode.addItem(actions[f"view.mode_{mode}"].text(), mode)
        self.tips = QPushButton("Show them")
        self.tips.setAutoDefault(False)
        self.keys = KeysPage(actions, key_map)
        self.tabs = QTabWidget()
        self.tabs.addTab(self._general(), "General")
        self.tabs.addTab(self.keys, "Keys")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * step, 3 * step, 3 * step, 3 * step)
        layout.setSpacing(2 * step)
        layout.addWidget(self.search)
        layout.addWidget(self.tabs, 1)
        self.search.textChanged.connect(self._filter)
        self.theme.activated.connect(lambda index: self.theme_chosen.emit(self.theme.itemData(index)))
        self.mode.activated.connect(lambda index: actions[f"view.mode_{self.mode.itemData(index)}"].trigger())
        self.tips.clicked.connect(lambda checked=False: self.tips_wanted.emit())

    def _general(self) -> QWidget:
        self.rows += [
            PreferenceRow("Look", "Dark is easier on the eyes beside a picture, light in a bright room.", self.theme),
            PreferenceRow("Way of showing masks", "Over the frame, contours, alone, cut out, side by side.", self.mode),
        ]
        self.checks: dict[str, QCheckBox] = {}
        for spec in ACTIONS:
            if spec.is_checkable and not spec.group and not spec.needs:
                check = self.checks[spec.action_id] = QCheckBox()
                action = self._actions[spec.action_id]
                check.clicked.connect(lambda checked=False, action=action: action.trigger())
                action.toggled.connect(check.setChecked)
                self.rows.append(PreferenceRow(spec.text.rstrip("…"), spec.tooltip + ".", check))
        self.rows.append(PreferenceRow("First steps", "Shows the tips for the first video once more.", self.tips))
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 2 * step_of(self), 2 * step_of(self), 0)
        for row in self.rows:
            column.addWidget(row)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        return area

    def refresh(self) -> None:
        """As things are now."""
        for action_id, check in self.checks.items():
            check.setChecked(self._actions[action_id].isChecked())
        for mode in MODES:
            if self._actions[f"view.mode_{mode}"].isChecked():
                self.mode.setCurrentIndex(self.mode.findData(mode))
        self.keys.tree.refresh()

    def _filter(self, text: str) -> None:
        """Hide what does not fit, and turn to the page that has something."""
        words = text.lower().split()
        hits = 0
        for row in self.rows:
            is_hit = all(word in row.words for word in words)
            row.setVisible(is_hit)
            hits += is_hit
        keys = self.keys.tree.filter(text)
        if words and not (hits, keys)[self.tabs.currentIndex()] and (hits or keys):
            self.tabs.setCurrentIndex(0 if hits else 1)
