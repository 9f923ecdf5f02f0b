"""Pointer input as the session sees it: image coordinates, no widgets."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PointerKind = Literal["press", "move", "release", "double", "cancel"]
Button = Literal["left", "right", "none"]


@dataclass(frozen=True)
class PointerEvent:
    """One pointer event.

    Args:
        kind: "double" takes the place of the second press of a double click; "cancel" is Escape.
        x, y: image pixels; pixel (c, r) covers [c, c+1) x [r, r+1). Outside the image during a drag.
        button: the button that changed; for a move the one that is held, "none" when hovering.
        time: seconds, any origin.
        pressure: of a pen, 0..1; 1 for what has none.
    """

    kind: PointerKind
    x: float
    y: float
    button: Button = "none"
    shift: bool = False
    ctrl: bool = False
    time: float = 0.0
    pressure: float = 1.0
