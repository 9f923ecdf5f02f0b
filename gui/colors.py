"""The colours of the dark and of the light look. Plain values; `gui.theme` says which are in use."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ThemeName = Literal["dark", "light"]


@dataclass(frozen=True)
class Colors:
    """Colours as Qt reads them, `#RRGGBB` or `#AARRGGBB`.

    Args:
        CANVAS: behind the image.
        WINDOW: menu bar, tool bars, panels, status bar.
        FIELD: text fields and lists.
        TRACK: empty part of progress bars and sliders.
        TEXT_STRONG: emphasis on the window's own grounds; what stands on ACCENT is ON_ACCENT.
        ACCENT_LIGHT: progress, focus.
        CHIP: behind text on the image.
    """

    CANVAS: str
    WINDOW: str
    TIMELINE: str
    LANE: str
    FIELD: str
    BUTTON: str
    BUTTON_HOVER: str
    BUTTON_PRESSED: str
    BORDER: str
    TRACK: str
    ROW_SELECTED: str
    TEXT: str
    TEXT_STRONG: str
    TEXT_MUTED: str
    TEXT_DISABLED: str
    ACCENT: str
    ACCENT_HOVER: str
    ACCENT_PRESSED: str
    ACCENT_LIGHT: str
    ON_ACCENT: str
    PLAYHEAD: str
    POSITIVE: str
    NEGATIVE: str
    WARNING: str
    CHIP: str


DARK = Colors(
    CANVAS="#121417",
    WINDOW="#22262c",
    TIMELINE="#1f2328",
    LANE="#2a2f36",
    FIELD="#1b1e23",
    BUTTON="#2c3138",
    BUTTON_HOVER="#363d47",
    BUTTON_PRESSED="#262b31",
    BORDER="#3a4049",
    TRACK="#353b44",
    ROW_SELECTED="#2d3542",
    TEXT="#dfe3e8",
    TEXT_STRONG="#ffffff",
    TEXT_MUTED="#98a1ad",
    TEXT_DISABLED="#626a75",
    ACCENT="#2f6fe0",
    ACCENT_HOVER="#4280ec",
    ACCENT_PRESSED="#275cbb",
    ACCENT_LIGHT="#3d8bfd",
    ON_ACCENT="#ffffff",
    PLAYHEAD="#ffd21f",
    POSITIVE="#22c55e",
    NEGATIVE="#ef4444",
    WARNING="#f5a524",
    CHIP="#d916181c",
)

LIGHT = Colors(
    CANVAS="#d3d7dc",
    WINDOW="#f3f4f6",
    TIMELINE="#e9ebee",
    LANE="#dadee3",
    FIELD="#ffffff",
    BUTTON="#ffffff",
    BUTTON_HOVER="#e7eaee",
    BUTTON_PRESSED="#dbdfe4",
    BORDER="#c1c7ce",
    TRACK="#cdd2d9",
    ROW_SELECTED="#d8e5fb",
    TEXT="#1f252c",
    TEXT_STRONG="#000000",
    TEXT_MUTED="#4b535d",
    TEXT_DISABLED="#9aa1ab",
    ACCENT="#2563d4",
    ACCENT_HOVER="#3673e2",
    ACCENT_PRESSED="#1d51b0",
    ACCENT_LIGHT="#1f6feb",
    ON_ACCENT="#ffffff",
    PLAYHEAD="#9a3412",
    POSITIVE="#15803d",
    NEGATIVE="#dc2626",
    WARNING="#b45309",
    CHIP="#e6ffffff",
)

THEMES: Mapping[ThemeName, Colors] = {"dark": DARK, "light": LIGHT}
