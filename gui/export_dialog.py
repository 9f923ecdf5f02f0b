"""The dialog that says what is to be exported, how and to where, and shows what came of it. GUI thread."""
from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from PyQt5.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt5.QtGui import QHideEvent, QIcon
from PyQt5.QtWidgets import (
    QAction,
    QCheckBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.job_bar import JobBar, format_bytes
from gui.object_dialogs import swatch
from gui.widgets import heading, muted, step_of
from storage.disk_space import free_bytes, will_fill
from storage.exchange.format import Format
from storage.exchange.formats import BY_NAME, FORMATS
from storage.exchange.material import Edge
from storage.project_parts import ObjectInfo
from util.palette import object_color
from util.types import Size

_ID = Qt.UserRole


@dataclass(frozen=True)
class ExportWish:
    """What the user wants. `object_ids`: in order of the list."""

    fmt: Format
    frames: range
    object_ids: tuple[int, ...]
    with_frames: bool
    edge: Edge
    target: Path


class ExportDialog(QDialog):
    """Stays open while an export runs and after it; the window can be used beside it.

    Signals: `wanted(ExportWish)`, `browse_wanted(Format)`, `preview_changed(ExportWish)` when the picture of the soft
    edge is another one, or none; cancelling is an action of the window.
    """

    wanted = pyqtSignal(object)
    browse_wanted = pyqtSignal(object)
    preview_changed = pyqtSignal(object)

    def __init__(self, parent: QWidget, cancel: QAction) -> None:
        super().__init__(parent)
        self.setObjectName("export_dialog")
        self.setWindowTitle("Export")
        step = step_of(self)
        self.resize(230 * step, 175 * step)
        self._size = Size(0, 0)
        self._folder = Path()
        self._name = ""
        self._is_busy = False
        self._has_own_target = False
        self.formats = QListWidget()
        self.formats.setObjectName("export_formats")
        self.about = muted()
        self.about.setWordWrap(True)
        self.about.setAlignment(Qt.AlignTop)
        self.about.setMinimumHeight(2 * self.about.fontMetrics().lineSpacing())
        self.bar = JobBar("Export", cancel)
        self.report = QPlainTextEdit()
        self.report.setObjectName("export_report")
        self.report.setReadOnly(True)
        self.report.setPlaceholderText("The report of the export appears here.")
        self.report.setFixedHeight(9 * self.report.fontMetrics().lineSpacing())
        self._make_form(step)
        self._fill_formats()
        self._lay_out(step)

    def show_video(
        self, num_frames: int, size: Size, frames: range, objects: Sequence[ObjectInfo], folder: Path, name: str
    ) -> None:
        """Begin anew with a video, all objects chosen.

        Args:
            size: of its frames.
            frames: proposed.
            folder, name: where exports go by default, and how the video is called.
        """
        for box, value in ((self.first, frames.start), (self.last, frames.stop - 1)):
            box.setRange(0, num_frames - 1)
            box.setValue(value)
        self.objects.clear()
        side = 4 * step_of(self)
        for info in objects:
            item = QListWidgetItem(f"{info.name} · {info.category}" if info.category else info.name, self.objects)
            item.setIcon(swatch(object_color(info.object_id, info.color), side))
            item.setData(_ID, info.object_id)
            item.setSizeHint(QSize(0, 7 * step_of(self)))
            item.setFlags(Qt.ItemIsEnabled | Qt.ItemIsUserCheckable | Qt.ItemIsSelectable)
            item.setCheckState(Qt.Checked)
        self._size = size
        self._folder, self._name, self._has_own_target = folder, name, False
        self.report.clear()
        self._show_format()

    def choose(self, name: str) -> None:
        """Select a format, unless it is grey."""
        for row in range(self.formats.count()):
            item = self.formats.item(row)
            if item is not None and item.data(_ID) == name and item.flags() & Qt.ItemIsEnabled:
                self.formats.setCurrentRow(row)

    def leave_out(self, object_ids: Collection[int]) -> None:
        """Take the ticks from these objects."""
        for row in range(self.objects.count()):
            item = self.objects.item(row)
            if item is not None and item.data(_ID) in object_ids:
                item.setCheckState(Qt.Unchecked)

    @property
    def fmt(self) -> Format:
        """The selected format."""
        item = self.formats.currentItem()
        return BY_NAME[item.data(_ID)] if item is not None else FORMATS[0]

    @property
    def wish(self) -> ExportWish:
        """As the dialog stands."""
        items = [self.objects.item(row) for row in range(self.objects.count())]
        chosen = tuple(item.data(_ID) for item in items if item is not None and item.checkState() == Qt.Checked)
        return ExportWish(
            self.fmt, range(self.first.value(), self.last.value() + 1), chosen, self.with_frames.isChecked(),
            Edge(self.feather.value(), self.grow.value()), Path(self.target.text()).expanduser(),
        )

    def set_target(self, path: Path) -> None:
        """A place that the user chose."""
        self._has_own_target = True
        self.target.setText(str(path))

    @property
    def proposal(self) -> Path:
        """Where the selected format would go by default."""
        fmt = self.fmt
        return self._folder / f"{self._name}_{fmt.name.replace('-', '_')}{fmt.suffix}"

    def set_busy(self, is_busy: bool) -> None:
        """While an export runs no other one can be started."""
        self._is_busy = is_busy
        self._update()

    def _make_form(self, step: int) -> None:
        self.first, self.last = QSpinBox(), QSpinBox()
        self.first.setToolTip("The first frame that is exported, counted from 0")
        self.last.setToolTip("The last frame that is exported")
        self.objects = QListWidget()
        self.objects.setObjectName("export_objects")
        self.objects.setIconSize(QSize(4 * step, 4 * step))
        self.objects.setToolTip("Objects without a tick count as background")
        self.objects.setMinimumHeight(24 * step)
        self.with_frames = QCheckBox("Also write the frames, as JPEG")
        self.feather = QDoubleSpinBox()
        self.feather.setRange(0, 50)
        self.feather.setSingleStep(0.2)
        self.feather.setValue(Edge().feather)
        self.feather.setSuffix(" px")
        self.feather.setToolTip("How soft the edge is; 0 keeps it hard")
        self.grow = QSpinBox()
        self.grow.setRange(-100, 100)
        self.grow.setSuffix(" px")
        self.grow.setToolTip("How far the masks grow first; negative numbers shrink them")
        self.preview = QCheckBox("show it on the picture")
        self.preview.setObjectName("export_preview")
        self.preview.setChecked(True)
        self.preview.setToolTip("While this dialog is open, the window shows the cut-out that its objects make")
        self.target = QLineEdit()
        self.target.setObjectName("export_target")
        self.room = muted()
        self.room.setObjectName("export_room")
        self.browse = QPushButton("Browse…")
        self.browse.setAutoDefault(False)
        self.start = QPushButton("Export")
        self.start.setDefault(True)
        self.close_button = QPushButton("Close")
        self.close_button.setAutoDefault(False)
        self.close_button.setToolTip("Close this dialog; an export goes on")
        self.first.valueChanged.connect(self._update)
        self.last.valueChanged.connect(self._update)
        self.objects.itemChanged.connect(self._update)
        for signal in (self.feather.valueChanged, self.grow.valueChanged, self.preview.toggled):
            signal.connect(self._update)
        self.target.textEdited.connect(self._on_target_edited)
        self.browse.clicked.connect(lambda: self.browse_wanted.emit(self.fmt))
        self.start.clicked.connect(lambda: self.wanted.emit(self.wish))
        self.close_button.clicked.connect(self.close)

    def _fill_formats(self) -> None:
        with QSignalBlocker(self.formats):
            for fmt in FORMATS:
                item = QListWidgetItem(fmt.title, self.formats)
                item.setData(_ID, fmt.name)
                item.setSizeHint(QSize(0, 7 * step_of(self)))
                reason = fmt.missing()
                item.setToolTip(reason or fmt.about)
                if reason:
                    item.setFlags(Qt.NoItemFlags)
            self.formats.setCurrentRow(0)
        self.formats.currentItemChanged.connect(self._show_format)

    def _lay_out(self, step: int) -> None:
        frames = QHBoxLayout()
        for widget in (self.first, QLabel("to"), self.last):
            frames.addWidget(widget)
        frames.addStretch(1)
        edges = QHBoxLayout()
        for widget in (self.feather, QLabel("grow by"), self.grow, self.preview):
            edges.addWidget(widget)
        edges.addStretch(1)
        place = QHBoxLayout()
        place.addWidget(self.target, 1)
        place.addWidget(self.browse)
        form = QFormLayout()
        form.setSpacing(2 * step)
        form.addRow("Frames", frames)
        form.addRow("Objects", self.objects)
        form.addRow("", self.with_frames)
        form.addRow("Soft edge", edges)
        form.addRow("To", place)
        form.addRow("", self.room)
        right = QVBoxLayout()
        right.setSpacing(2 * step)
        right.addWidget(self.about)
        right.addLayout(form, 1)
        left = QVBoxLayout()
        left.addWidget(heading("Format"))
        left.addWidget(self.formats, 1)
        top = QHBoxLayout()
        top.setSpacing(4 * step)
        top.addLayout(left, 2)
        top.addLayout(right, 3)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.close_button, self.start):
            button.setIcon(QIcon())
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * step, 4 * step, 4 * step, 4 * step)
        layout.setSpacing(3 * step)
        layout.addLayout(top, 1)
        layout.addWidget(self.bar)
        layout.addWidget(self.report)
        layout.addLayout(buttons)

    def _on_target_edited(self, text: str) -> None:
        self._has_own_target = bool(text)
        self._update()

    def _show_format(self, *items: object) -> None:
        fmt = self.fmt
        self.about.setText(f"{fmt.about}.")
        self.with_frames.setEnabled("frames" in fmt.options)
        for box in (self.feather, self.grow, self.preview):
            box.setEnabled("edge" in fmt.options)
        if self._has_own_target and fmt.suffix != Path(self.target.text()).suffix.lower():
            self._has_own_target = False  # a folder is no place for a video file, nor the other way round
        if not self._has_own_target:
            self.target.setText(str(self.proposal))
        self._update()

    def needed(self, wish: ExportWish) -> int:
        """About how many bytes an export writes."""
        return wish.fmt.estimate(self._size, len(wish.frames), len(wish.object_ids), with_frames=wish.with_frames)

    @property
    def shows_preview(self) -> bool:
        """Whether the soft edge is to be seen on the canvas."""
        return self.preview.isChecked() and "edge" in self.fmt.options

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        super().hideEvent(event)
        self.preview_changed.emit(self.wish)

    def _update(self, *values: object) -> None:
        """Export is possible when something is chosen."""
        wish = self.wish
        self.preview_changed.emit(wish)
        needed, free = self.needed(wish), free_bytes(wish.target.absolute())
        there = "" if free is None else f"; {format_bytes(free)} are free there"
        self.room.setText(f"Takes about {format_bytes(needed)}{there}.")
        self.room.setStyleSheet(f"color: {theme.WARNING};" if will_fill(wish.target.absolute(), needed) else "")
        is_ready = bool(wish.object_ids) and bool(wish.frames) and bool(self.target.text().strip())
        self.start.setEnabled(is_ready and not self._is_busy)
        if not wish.frames:
            self.start.setToolTip("The last frame lies before the first")
        elif not wish.object_ids:
            self.start.setToolTip("Choose at least one object")
        else:
            self.start.setToolTip("Write, read back, and put in place what is right")
