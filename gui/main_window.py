"""The window's layout: which part stands where. What the parts do together is the controller's. GUI thread.

This module, and all that it imports, loads no torch: the window is on the screen before the worker thread does.
"""
from __future__ import annotations

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMenu,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui.action_spec import MENUS
from gui.actions import ACTIONS, ActionSet
from gui.advice_panel import AdvicePanel
from gui.canvas import Canvas
from gui.canvas_area import CanvasArea
from gui.controller import Controller
from gui.dialogs import Dialogs
from gui.engine import BuildCore, build_core
from gui.job_bar import JobBar, PropagationBar
from gui.key_map import KeyMap
from gui.menus.tools import TOOLS
from gui.object_panel import ObjectPanel
from gui.opener import dropped_path
from gui.settings import Settings
from gui.start_page import StartPage
from gui.suggest_panel import SuggestPanel
from gui.timeline import Timeline
from gui.tips import TipsStrip
from gui.tool_panel import ToolPanel
from gui.top_bar import TopBar
from gui.transport import Transport
from gui.widgets import ElidedLabel, flat_button, step_of
from util.config import AppConfig

PROGRAM = "Video masks"
TIMELINE_SHARE = 0.45
"""Of the height that it has in common with the canvas, at most, unless the user wants more."""


class MainWindow(QMainWindow):
    """All parts, reachable as attributes and by their object names.

    Args:
        config: the flags.
        dialogs: None for the real ones.
        build: makes the engine; called on the worker thread.
    """

    def __init__(
        self, config: AppConfig, *, dialogs: Dialogs | None = None, build: BuildCore = build_core
    ) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle(PROGRAM)
        self.setAcceptDrops(True)
        self.actions_by_id = ActionSet(self)
        self.settings = Settings()
        self.key_map = KeyMap(self.actions_by_id, self.settings)
        self.dialogs = dialogs or Dialogs(self)
        self._make_parts()
        self._build_menus()
        self._build_central()
        self._build_status_bar()
        self._restore_geometry()
        self.controller = Controller(self, config, build)

    # -- parts

    def _make_parts(self) -> None:
        actions = self.actions_by_id
        self.canvas = Canvas()
        self.canvas_area = CanvasArea(self.canvas)
        self.timeline = Timeline()
        self.timeline.setObjectName("timeline")
        self.top_bar = TopBar(actions)
        self.transport = Transport(actions)
        self.start_page = StartPage(actions)
        self.tips = TipsStrip(actions)
        self.object_panel = ObjectPanel(actions)
        self.suggest_panel = SuggestPanel()
        self.advice_panel = AdvicePanel(actions)
        self.tool_panel = ToolPanel(actions)
        self.job_bar = PropagationBar(actions["propagate.cancel"])
        self.export_bar = JobBar("Export", actions["file.cancel_export"])
        self.export_bar.hide()
        self.edit_bar = JobBar("Edit", actions["propagate.cancel"])
        self.edit_bar.hide()

    def _build_menus(self) -> None:
        menus = {name: self.menuBar().addMenu(f"&{name}") for name in MENUS}
        for spec in ACTIONS:
            if not spec.in_menu:
                continue
            if spec.separator:
                menus[spec.menu].addSeparator()
            menus[spec.menu].addAction(self.actions_by_id[spec.action_id])
        self.recent_menu = QMenu(self)
        self.actions_by_id["file.open_recent"].setMenu(self.recent_menu)
        self.title_label = QLabel()
        self.title_label.setProperty("muted", True)
        self.title_label.setContentsMargins(0, 0, 3 * step_of(self), 0)
        self.menuBar().setCornerWidget(self.title_label, Qt.TopRightCorner)

    def _build_central(self) -> None:
        self.stack = QStackedWidget()
        self.stack.addWidget(self.start_page)
        self.stack.addWidget(self.canvas_area)
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._tool_rail())
        row.addWidget(self.stack, 1)
        self.side_panel = self._side_panel()
        row.addWidget(self.side_panel)
        self.bottom = QWidget()
        below = QVBoxLayout(self.bottom)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        below.addWidget(self.transport)
        below.addWidget(self.timeline, 1)
        self.splitter = QSplitter(Qt.Vertical)
        self.splitter.addWidget(middle)
        self.splitter.addWidget(self.bottom)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setCollapsible(0, False)
        self.splitter.setCollapsible(1, False)
        self.splitter.splitterMoved.connect(self._keep_split)
        self.timeline.rows_changed.connect(self._share_height)
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.top_bar)
        layout.addWidget(self.tips)
        layout.addWidget(self.splitter, 1)
        self.setCentralWidget(central)

    def _tool_rail(self) -> QWidget:
        rail = QWidget()
        rail.setObjectName("tools")
        step = step_of(self)
        layout = QVBoxLayout(rail)
        layout.setContentsMargins(2 * step, 2 * step, 2 * step, 2 * step)
        layout.setSpacing(step)
        for name in TOOLS:
            layout.addWidget(flat_button(self.actions_by_id[f"tool.{name}"], 5 * step))
        layout.addStretch(1)
        return rail

    def _side_panel(self) -> QWidget:
        step = step_of(self)
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(3 * step, 3 * step, 3 * step, 3 * step)
        layout.setSpacing(5 * step)
        for part in (self.object_panel, self.suggest_panel, self.advice_panel, self.tool_panel):
            layout.addWidget(part)
        layout.addStretch(1)
        area = QScrollArea()
        area.setWidget(column)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.NoFocus)
        # What runs stays in sight, however long the rest is.
        jobs = QWidget()
        jobs.setObjectName("jobs")
        below = QVBoxLayout(jobs)
        below.setContentsMargins(3 * step, 2 * step, 3 * step, 3 * step)
        below.setSpacing(3 * step)
        for bar in (self.job_bar, self.edit_bar, self.export_bar):
            below.addWidget(bar)
        side = QWidget()
        side.setFixedWidth(72 * step)
        whole = QVBoxLayout(side)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(area, 1)
        whole.addWidget(jobs)
        return side

    def _build_status_bar(self) -> None:
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        step = step_of(self)
        self.saved_label = QLabel()
        self.saved_label.setObjectName("saved")
        self.saved_label.setContentsMargins(3 * step, 0, 3 * step, 0)
        self.hint_label = ElidedLabel()
        self.hint_label.setObjectName("hint")
        self.facts_label = QLabel()
        self.facts_label.setObjectName("facts")
        self.facts_label.setContentsMargins(3 * step, 0, 3 * step, 0)
        bar.addWidget(self.saved_label)
        bar.addWidget(self.hint_label, 1)
        bar.addPermanentWidget(self.facts_label)

    # -- what the controller sets

    def show_video(self, title: str | None) -> None:
        """Switch between the start page (None) and the canvas; `title` is `<video> — workspace <folder>`."""
        self.stack.setCurrentWidget(self.start_page if title is None else self.canvas_area)
        self.top_bar.export.setEnabled(title is not None)
        for part in (self.bottom, self.side_panel):
            part.setVisible(title is not None)
        self._share_height()
        self.setWindowTitle(PROGRAM if title is None else title)
        self.title_label.setText(title or "")
        # The menu bar lays its corner out once; without this a longer text would be cut.
        height = self.menuBar().actionGeometry(self.menuBar().actions()[0]).height()
        self.title_label.setFixedSize(self.title_label.sizeHint().width(), height)
        self.menuBar().setCornerWidget(self.title_label, Qt.TopRightCorner)

    # -- events

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        super().showEvent(event)
        self._share_height()

    def _share_height(self) -> None:
        """Canvas and timeline as the user left them; else with room for the lanes and the rest for the canvas.

        The splitter forgets a hidden part, so this is done whenever the timeline appears, and when lanes come or go.
        """
        if not self.bottom.isVisible():
            return
        if self._split is None or not self.splitter.restoreState(self._split):
            whole = self.splitter.height()
            height = max(self.bottom.sizeHint().height(), 52 * step_of(self))
            height = min(height, round(whole * TIMELINE_SHARE))
            self.splitter.setSizes([whole - height, height])

    def _keep_split(self) -> None:
        """The user moved the line between canvas and timeline."""
        self._split = self.splitter.saveState()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        if dropped_path(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        path = dropped_path(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.controller.open(path)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Jobs are told to end first; the window closes by itself when the last one has."""
        if not self.controller.closing.close():
            event.ignore()
            return
        self.settings.keep_bytes("geometry", self.saveGeometry())
        if self._split is not None:
            self.settings.keep_bytes("splitter", self._split)
        self.settings.save()
        super().closeEvent(event)

    def _restore_geometry(self) -> None:
        geometry, self._split = self.settings.bytes_of("geometry"), self.settings.bytes_of("splitter")
        if geometry is None or not self.restoreGeometry(geometry):
            room = self.screen().availableGeometry().size()
            self.resize(QSize(1440, 900).boundedTo(room))
