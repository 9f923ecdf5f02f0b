"""What the chosen tool does and its settings: hint, model, clicks given, brush size. GUI thread."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PyQt5.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QSlider, QSpinBox, QWidget

from gui.actions import ActionSet
from gui.choice_box import ChoiceBox
from gui.widgets import FactRow, action_check, heading, muted, panel_layout

MIN_BRUSH = 1
MAX_BRUSH = 200


@dataclass(frozen=True)
class ToolHelp:
    """What the panel says about a tool.

    Args:
        has_model: a predictor turns its prompts into masks.
        has_size, has_pressure: it has a width, which a pen's pressure changes.
    """

    title: str
    hint: str
    has_model: bool = False
    has_size: bool = False
    has_pressure: bool = False


TOOL_HELP: Mapping[str, ToolHelp] = {
    "click": ToolHelp(
        "Click", "Left click adds to the object, right click removes from it. More clicks correct the result.",
        has_model=True,
    ),
    "scribble": ToolHelp(
        "Scribble", "Draw with the left button over the object, with the right button over what is not part of it.",
        has_model=True, has_size=True,
    ),
    "box": ToolHelp(
        "Box", "Drag a box around the whole object: what differs from its surroundings is taken. Clicks correct it."
    ),
    "brush": ToolHelp("Brush", "Paint the object pixel by pixel. Ctrl and the wheel change the size.", has_size=True,
                      has_pressure=True),
    "eraser": ToolHelp("Eraser", "Rub out pixels of the selected object.", has_size=True, has_pressure=True),
    "polygon": ToolHelp(
        "Polygon", "Click the corners; double-click, or click the first corner, to close. Esc starts over."
    ),
    "lasso": ToolHelp("Lasso", "Draw around an area: the left button takes it, the right one erases in it."),
    "fill": ToolHelp("Fill", "Left click takes the whole area under the pointer, right click gives it up."),
    "region": ToolHelp(
        "Local region", "Drag a rectangle: prompts and brushes then change nothing outside it. Esc leaves the region."
    ),
}


class ToolPanel(QWidget):
    """Signals: `brush_size_changed(diameter in image pixels)`, by the user; `tool_shown`, another tool's settings."""

    brush_size_changed = pyqtSignal(int)
    tool_shown = pyqtSignal()

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pressure = action_check(actions["tool.pressure"])
        self._title = heading("Click")
        self.hint = muted()
        self.hint.setWordWrap(True)
        self.model = ChoiceBox("What answers here (M)")
        self.model_row = QWidget()
        self.prompts = FactRow("Clicks on this frame")
        self.size_row = QWidget()
        self.size_slider = QSlider(Qt.Horizontal)
        self.size_spin = QSpinBox()
        self.tool = "click"
        self._build_model_row()
        self._build_size_row()
        layout = panel_layout(self)
        for widget in (self._title, self.hint, self.model_row, self.prompts, self.size_row, self.pressure):
            layout.addWidget(widget)
        self.set_tool("click")

    def _build_model_row(self) -> None:
        row = QHBoxLayout(self.model_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Model"))
        row.addWidget(self.model, 1)

    def _build_size_row(self) -> None:
        row = QHBoxLayout(self.size_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Size"))
        row.addWidget(self.size_slider, 1)
        row.addWidget(self.size_spin)
        self.size_slider.setFocusPolicy(Qt.NoFocus)
        self.size_spin.setFocusPolicy(Qt.ClickFocus)
        self.size_spin.setSuffix(" px")
        for control in (self.size_slider, self.size_spin):
            control.setRange(MIN_BRUSH, MAX_BRUSH)
            control.setToolTip("Diameter in pixels of the video ([ and ])")
            control.valueChanged.connect(self._on_size_changed)

    def set_tool(self, name: str) -> None:
        """Args: name: a key of `TOOL_HELP`."""
        self.tool, tool = name, TOOL_HELP[name]
        self._title.setText(tool.title.upper())
        self.hint.setText(tool.hint)
        self.model_row.setVisible(tool.has_model)
        self.prompts.setVisible(tool.has_model)
        self.prompts.name.setText("Strokes on this frame" if name == "scribble" else "Clicks on this frame")
        self.size_row.setVisible(tool.has_size)
        self.pressure.setVisible(tool.has_pressure)
        self.tool_shown.emit()

    def set_prompts(self, positive: int, negative: int) -> None:
        """How many clicks or strokes the frame's interaction has."""
        self.prompts.value.setText(f"{positive} +  ·  {negative} −")

    def set_brush_size(self, diameter: int) -> None:
        """Show a size without announcing it."""
        for control in (self.size_slider, self.size_spin):
            with QSignalBlocker(control):
                control.setValue(diameter)

    def _on_size_changed(self, diameter: int) -> None:
        self.set_brush_size(diameter)
        self.brush_size_changed.emit(diameter)
