"""The dialog in which the user says how propagation is done. GUI thread."""
from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtGui import QIcon
from PyQt5.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from gui.choice_box import ChoiceBox
from gui.engine_settings import MAX_MEM_EVERY, MAX_TOP_K, SIDES, EngineSettings, missing_weights
from gui.widgets import muted, step_of
from inference_core.registry import ENGINES
from util.config import AUTO, DEVICES, NATIVE_SIZE
from util.memory_budgets import MEMORY_PROFILES

_DEVICE_TITLES = {"auto": "Best that is here", "cpu": "Processor", "cuda": "NVIDIA GPU", "mps": "Apple GPU"}
_PROFILE_TITLES = ("Most: fastest", "Much", "Little", "Least: slowest")


class EngineDialog(QDialog):
    """Signal: `chosen(EngineSettings)`, when the user confirms."""

    chosen = pyqtSignal(object)

    def __init__(self, settings: EngineSettings, native_side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("engine_dialog")
        self.setWindowTitle("Propagation settings")
        self._form = QFormLayout()
        self._add_engine(settings.engine)
        self._add_memory(settings)
        self._add_size(settings.size, native_side)
        self._add_machine(settings)
        note = muted("The engine is loaded anew; masks, prompts and history stay. Key frames are remembered again.")
        note.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        for button in buttons.buttons():
            button.setIcon(QIcon())
        buttons.accepted.connect(self._confirm)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(3 * step_of(self))
        self.setMinimumWidth(110 * step_of(self))
        layout.addLayout(self._form)
        layout.addWidget(note)
        layout.addWidget(buttons)

    @property
    def settings(self) -> EngineSettings:
        """As the dialog stands."""
        return EngineSettings(
            engine=self.engine.currentData(),
            mem_every=self.mem_every.value(),
            top_k=self.top_k.value() or None,
            size=int(self.size_choice.currentData()) or None,
            device=self.device.currentData(),
            no_amp=self.full_precision.isChecked(),
            mem_profile=int(self.mem_profile.currentData()),
        )

    def _confirm(self) -> None:
        self.accept()
        self.chosen.emit(self.settings)

    def _add_engine(self, current: str) -> None:
        entries = [(AUTO, "Best that is here", "STCN where its weights and a GPU are, else the light network")]
        entries += [(engine.name, engine.title, "") for engine in ENGINES]
        missing = {engine.name: why for engine in ENGINES if (why := missing_weights(engine))}
        self.engine = self._choice("Network", "The network that carries masks from frame to frame", entries, current)
        self.engine.set_entries(entries, missing, current)

    def _add_memory(self, settings: EngineSettings) -> None:
        self.mem_every = self._number(
            "Remember every", "Every so many frames the result goes into the memory: a small number follows changes "
            "more closely, and takes more time and memory", 1, MAX_MEM_EVERY, settings.mem_every
        )  # fmt: skip
        self.mem_every.setSuffix(" frames")
        self.top_k = self._number(
            "Look at", "How many places of the memory each pixel listens to; few are sharper, many are steadier", 0,
            MAX_TOP_K, settings.top_k or 0,
        )  # fmt: skip
        self.top_k.setSpecialValueText("what suits the network")
        self.top_k.setSuffix(" best places")

    def _add_size(self, current: int | None, native_side: int) -> None:
        sides = {side for side in SIDES if side < native_side}
        sides |= {current} if current not in (None, NATIVE_SIZE) else set()
        entries = [("0", "What suits the network", "")]
        entries += [(str(side), f"{side} pixels", "") for side in sorted(sides)]
        entries.append((str(NATIVE_SIZE), f"Native: {native_side} pixels", "Slow, and needs much memory"))
        tooltip = "The shorter side at which the network works; masks always have the video's own size"
        self.size_choice = self._choice("Size", tooltip, entries, str(current or 0))

    def _add_machine(self, settings: EngineSettings) -> None:
        devices = [(name, _DEVICE_TITLES[name], "") for name in DEVICES]
        self.device = self._choice("Device", "Where the networks run", devices, settings.device)
        profiles = [(str(n), _PROFILE_TITLES[n], "") for n in range(len(MEMORY_PROFILES))]
        tooltip = "How much memory may be used to save time; the masks are the same"
        self.mem_profile = self._choice("Memory for speed", tooltip, profiles, str(settings.mem_profile))
        self.full_precision = QCheckBox("Full precision")
        self.full_precision.setToolTip("Compute with 32 bits where the device could do with 16: slower, hardly better")
        self.full_precision.setChecked(settings.no_amp)
        self._form.addRow("", self.full_precision)

    def _choice(self, label: str, tooltip: str, entries: Sequence[tuple[str, str, str]], current: str) -> ChoiceBox:
        box = ChoiceBox(tooltip)
        box.set_entries(entries, {}, current)
        self._row(label, tooltip, box)
        return box

    def _number(self, label: str, tooltip: str, low: int, high: int, value: int) -> QSpinBox:
        box = QSpinBox()
        box.setRange(low, high)
        box.setValue(value)
        box.setToolTip(tooltip)
        self._row(label, tooltip, box)
        return box

    def _row(self, label: str, tooltip: str, widget: QWidget) -> None:
        name = QLabel(label)
        name.setToolTip(tooltip)
        name.setBuddy(widget)
        self._form.addRow(name, widget)
