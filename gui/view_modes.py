"""The ways of showing a frame with its masks, and what each means for the canvas. GUI thread."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from gui.canvas_picture import Fill

ViewMode = Literal["overlay", "contour", "mask", "cutout", "side"]
MODES: tuple[ViewMode, ...] = get_args(ViewMode)
"""In the order in which one key goes through them."""

CAPTIONS: Mapping[ViewMode, str] = {
    "overlay": "", "contour": "contours", "mask": "masks only", "cutout": "cut-out", "side": "side by side"
}
"""What the canvas says beside the frame number; empty for the usual mode."""

_FILLS: Mapping[ViewMode, Fill] = {"mask": "mask", "cutout": "cutout"}


@dataclass(frozen=True)
class Look:
    """What the user chose.

    Args:
        opacity: 0..1, of the masks' colours; the mode "contour" shows none.
        contour: whether lines are drawn around objects; the mode "contour" always has them.
    """

    mode: ViewMode = "overlay"
    opacity: float = 0.5
    contour: bool = True

    @property
    def fill(self) -> Fill:
        return _FILLS.get(self.mode, "blend")

    @property
    def shown_opacity(self) -> float:
        return 0.0 if self.mode == "contour" else self.opacity

    @property
    def has_lines(self) -> bool:
        return self.contour or self.mode == "contour"
