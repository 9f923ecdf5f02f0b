"""The dialog that asks what of somebody else's work on the same video is taken over, and where. GUI thread."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PyQt5.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from gui.import_dialog import ImportDialog
from storage.exchange.import_masks import Found
from storage.project_parts import ObjectInfo

Kept = Callable[[frozenset[int], range], int]
"""Objects and frames -> on how many of these frames something of them is protected."""


class MergeDialog(ImportDialog):
    """Args:
        frames: proposed.
        num_frames: of the video.
        kept: see `Kept`.
        merged: called with value -> object id, and the frames, when the user confirms.
        the others: as `ImportDialog`.
    """

    def __init__(
        self,
        parent: QWidget,
        text: str,
        found: Sequence[Found],
        objects: Sequence[ObjectInfo],
        suggested: Mapping[int, int],
        frames: range,
        num_frames: int,
        kept: Kept,
        merged: Callable[[dict[int, int], range], None],
    ) -> None:
        self._kept = kept
        self.first, self.last = QSpinBox(), QSpinBox()
        super().__init__(parent, text, found, objects, suggested, lambda mapping: merged(mapping, self.frames))
        self.setObjectName("merge_dialog")
        self.setWindowTitle("Merge another project")
        self.import_button.setText("Merge")
        row = QHBoxLayout()
        row.addWidget(QLabel("Frames"))
        boxes = ((self.first, frames.start, "The first frame that is taken over, counted from 0"),
                 (self.last, frames.stop - 1, "The last frame that is taken over"))  # fmt: skip
        for box, value, tooltip in boxes:
            box.setRange(0, num_frames - 1)
            box.setValue(value)
            box.setToolTip(tooltip)
            box.valueChanged.connect(self._update)
        for part in (self.first, QLabel("to"), self.last):
            row.addWidget(part)
        row.addStretch(1)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertLayout(layout.indexOf(self.hint), row)
        self.hint.setWordWrap(True)
        self._update()

    @property
    def frames(self) -> range:
        """As the dialog stands; empty when the last one lies before the first."""
        return range(self.first.value(), self.last.value() + 1)

    def _update(self, *values: object) -> None:
        mapping, frames = self.mapping, self.frames
        self.import_button.setEnabled(bool(mapping) and bool(frames))
        kept = self._kept(frozenset(mapping.values()), frames)
        text = "One step, which can be undone. Frames that nobody worked on there stay as they are."
        if kept:
            number = f"{kept} of these frames" if kept > 1 else "one of these frames"
            text += f" On {number} something is locked, verified or marked by hand here; it stays as it is."
        self.hint.setText(text)
