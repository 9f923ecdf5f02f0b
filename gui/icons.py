"""The window's icons: line drawings made for this project, kept as SVG so that they are sharp at every size.

`icon(name)` gives a QIcon that draws itself at the size and pixel ratio asked for, in the theme's colours for normal,
disabled and checked. GUI thread only.
"""
from __future__ import annotations

from functools import lru_cache

from PyQt5.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PyQt5.QtSvg import QSvgRenderer

from gui import theme

# Bodies on a 24 x 24 grid. Lines take the icon's colour; class f marks filled parts.
_BODIES = {
    # A pointer's target: where one clicks, and the plus that says what it does.
    "click": '<circle cx="12" cy="12" r="7.5"/><path d="M12 8.8v6.4M8.8 12h6.4"/>',
    "scribble": '<path d="M3.5 15.5c2-6 5.5-9 7-7.8s-3.6 6.6-2 7.8 5.4-7.2 7.2-6-2.6 5.2-1 6.3 3.6-1 5.8-3.6"/>',
    "brush": '<path d="M19.8 4.2c-3.2 1.3-7 4.7-9.3 8l1.8 1.8c3.3-2.3 6.5-6.5 7.5-9.8z"/>'
    '<path d="M10 13.2c-2.6-.5-4 1-4.2 3.1-.1 1.3-.8 2.1-2 2.5 3.4 1.6 8 .6 7.9-3.9"/>',
    "pen": '<path d="M5.500 18.500l1-4L16 5a2.100 2.100 0 0 1 3 3l-9.500 9.500z"/><path d="M14.300 6.700l3 3"/>'
    '<path d="M12.500 20c2.500-1.300 4.500-1.300 7.500 0"/>',
    "eraser": '<path d="M8.6 19.5l-4.4-4.4c-.6-.6-.6-1.6 0-2.2l8.2-8.2c.6-.6 1.6-.6 2.2 0l4.7 4.7'
    'c.6.6.6 1.6 0 2.2l-7.9 7.9z"/><path d="M8.3 8.8l6.9 6.9M8.6 19.5h11"/>',
    "polygon": '<path d="M12 4.2l8 5.9-3.1 9.1H7.1L4 10.1z"/>'
    '<g class="f"><circle cx="12" cy="4.2" r="1.7"/><circle cx="20" cy="10.1" r="1.7"/>'
    '<circle cx="16.9" cy="19.2" r="1.7"/><circle cx="7.1" cy="19.2" r="1.7"/>'
    '<circle cx="4" cy="10.1" r="1.7"/></g>',
    "box": '<rect x="4" y="5.5" width="16" height="13" rx="1.2"/><path d="M12 9.3v5.4M9.3 12h5.4"/>',
    "lasso": '<path d="M12 4.5c4.7 0 8 2.2 8 5.2s-3.3 5.2-8 5.2-8-2.2-8-5.2 3.3-5.2 8-5.2z"/>'
    '<path d="M7.5 14c-1.8.8-2 2.6-.4 3.1 1.9.5 2.2 1.8.9 3.1"/>',
    "fill": '<path d="M11 4.2l7.6 7.6-6.3 6.3c-.8.8-2 .8-2.8 0l-4.8-4.8c-.8-.8-.8-2 0-2.8z"/><path d="M4.4 12h13.4"/>'
    '<path class="f" d="M20.3 15.2c1.2 1.8 1.6 2.6 1.6 3.4a1.6 1.6 0 0 1-3.2 0c0-.8.4-1.6 1.6-3.4z"/>',
    "region": '<path d="M4.5 8V4.5H8M16 4.5h3.5V8M19.5 16v3.5H16M8 19.5H4.5V16" />'
    '<path d="M11 4.5h2M11 19.5h2M4.5 11v2M19.5 11v2"/><circle cx="12" cy="12" r="3"/>',
    "undo": '<path d="M8.5 5L4.5 9l4 4"/><path d="M5 9h9a5 5 0 0 1 0 10H9"/>',
    "redo": '<path d="M15.5 5l4 4-4 4"/><path d="M19 9h-9a5 5 0 0 0 0 10h5"/>',
    "play": '<path class="f" d="M7.5 5.2v13.6L18.5 12z"/>',
    "pause": '<path d="M8.5 5.5v13M15.5 5.5v13" stroke-width="3"/>',
    "previous": '<path d="M14.5 5.5L8 12l6.5 6.5"/>',
    "next": '<path d="M9.5 5.5L16 12l-6.5 6.5"/>',
    "first": '<path d="M17.5 5.5L11 12l6.5 6.5M6.5 5.5v13"/>',
    "last": '<path d="M6.5 5.5L13 12l-6.5 6.5M17.5 5.5v13"/>',
    "backward": '<path class="f" d="M11.5 6.5v11L3.5 12z"/><path d="M12 12h8.5"/>',
    "forward": '<path class="f" d="M12.5 6.5v11l8-5.5z"/><path d="M12 12H3.5"/>',
    "both": '<path class="f" d="M9.5 6.5v11L2.5 12zM14.5 6.5v11l7-5.5z"/>',
    "loop": '<path d="M4.5 12V9.5a3 3 0 0 1 3-3h11M16 3.5l3 3-3 3"/>'
    '<path d="M19.5 12v2.5a3 3 0 0 1-3 3h-11M8 20.5l-3-3 3-3"/>',
    "help": '<circle cx="12" cy="12" r="8.5"/><path d="M9.4 9.6a2.7 2.7 0 1 1 3.9 2.4c-.9.5-1.3 1-1.3 2"/>'
    '<circle class="f" stroke="none" cx="12" cy="16.8" r="1.1"/>',
    "cancel": '<circle cx="12" cy="12" r="8"/><path d="M9 9l6 6M15 9l-6 6"/>',
    "open-video": '<rect x="3.5" y="5" width="17" height="14" rx="2"/><path d="M7.5 5v14M16.5 5v14M3.5 9.7h4'
    'M3.5 14.3h4M16.5 9.7h4M16.5 14.3h4"/>',
    "open-folder": '<path d="M3.5 18V6.5a1.5 1.5 0 0 1 1.5-1.5h4.5l2 2.5H18a1.5 1.5 0 0 1 1.5 1.5v2"/>'
    '<path d="M3.5 18l2.6-6a1.6 1.6 0 0 1 1.5-1h13.2l-2.7 7a1.5 1.5 0 0 1-1.4 1H4.5a1 1 0 0 1-1-1z"/>',
    "export": '<path d="M12 14.5v-10M8 8l4-4 4 4"/><path d="M4.5 13.5v4a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-4"/>',
    "add": '<path d="M12 5v14M5 12h14"/>',
    # A disc that fills up.
    "fainter": '<circle cx="12" cy="12" r="7.500" stroke-dasharray="2.600 2.300"/><path d="M9 12h6"/>',
    "stronger": '<circle cx="12" cy="12" r="7.500"/><path d="M9 12h6M12 9v6"/>',
    "lock": '<rect x="5.5" y="10.5" width="13" height="9" rx="1.8"/><path d="M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5"/>',
    "lock-open": '<rect x="5.5" y="10.5" width="13" height="9" rx="1.8"/>'
    '<path d="M8.5 10.5V7.5a3.5 3.5 0 0 1 6.7-1.4"/>',
    # One of three things in the light.
    "solo": '<circle cx="12" cy="12" r="4.2" class="f"/><path d="M12 3.5v1.6M12 18.9v1.6M3.5 12h1.6M18.9 12h1.6'
    'M6 6l1.1 1.1M16.9 16.9L18 18M6 18l1.1-1.1M16.9 7.1L18 6"/>',
    "verified": '<path d="M4.8 12.8l4.7 4.7L19.2 7"/>',
    "key": '<path class="f" d="M12 5l7 7-7 7-7-7z"/>',
    "merge": '<path d="M5 5.5c0 5 7 4 7 9.5v4.5M19 5.5c0 5-7 4-7 9.5M9 16.8l3 3 3-3"/>',
    "split": '<path d="M12 4.500V9c0 5.500-7 4.500-7 9.500M12 9c0 5.500 7 4.500 7 9.500"/>'
    '<path d="M2.800 16l2.200 2.700 2.400-2.500M16.600 16.200l2.400 2.500 2.200-2.700"/>',
    "swap": '<path d="M4.5 8.500h14M15 5l3.700 3.500L15 12M19.500 15.500h-14M9 12l-3.700 3.500L9 19"/>',
    "delete": '<path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10.3 10.5v5.5M13.7 10.5v5.5"/>',
    "fit": '<path d="M4 9V5.5A1.5 1.5 0 0 1 5.5 4H9M15 4h3.5A1.5 1.5 0 0 1 20 5.5V9M20 15v3.5'
    'a1.5 1.5 0 0 1-1.5 1.5H15M9 20H5.5A1.5 1.5 0 0 1 4 18.5V15"/>',
    "actual-size": '<path d="M5 8.5L7.5 7v10M16 8.5L18.5 7v10"/><g class="f" stroke="none">'
    '<circle cx="12" cy="10" r="1.3"/><circle cx="12" cy="14.4" r="1.3"/></g>',
    "contour": '<path d="M12 4c4 0 4.5 2.5 6.5 4.5s1.5 6-1 8.5-5.5 3-9 2-5-4.5-4-8S8 4 12 4z" '
    'stroke-dasharray="3.2 2.8"/>',
    "eye": '<path d="M2.5 12c2.3-4.3 5.6-6.5 9.5-6.5s7.2 2.2 9.5 6.5c-2.3 4.3-5.6 6.5-9.5 6.5S4.8 16.3 2.5 12z"/>'
    '<circle cx="12" cy="12" r="2.9"/>',
    "eye-off": '<path d="M6.5 7.3C4.9 8.4 3.6 10 2.5 12c2.3 4.3 5.6 6.5 9.5 6.5 1.8 0 3.5-.5 5-1.4M9.8 5.7'
    'c.7-.1 1.4-.2 2.2-.2 3.9 0 7.2 2.2 9.5 6.5-.7 1.3-1.5 2.4-2.4 3.3M4 3.5l16.5 17"/>',
}

NAMES = tuple(_BODIES)
_DOCUMENT = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="none" stroke="{color}" stroke-width="1.7" '
    'stroke-linecap="round" stroke-linejoin="round" stroke-opacity="{opacity}" fill-opacity="{opacity}">'
    '{body}</g></svg>'
)


def svg_document(name: str, color: QColor) -> str:
    """The SVG text of an icon in one colour. Raises KeyError for an unknown name."""
    body = _BODIES[name].replace('class="f"', f'fill="{color.name()}"')
    return _DOCUMENT.format(color=color.name(), opacity=f"{color.alphaF():.3f}", body=body)


def paint_icon(painter: QPainter, name: str, rect: QRectF, color: QColor) -> None:
    """Paint an icon into a rectangle of any painter."""
    _renderer(name, color.rgba()).render(painter, rect)


def icon(name: str, color: str = "") -> QIcon:
    """An icon that is sharp at any size: muted when disabled, white when checked or selected.

    Args:
        color: of the icon otherwise; the theme's text without one.

    Raises:
        ValueError: no icon has this name.
    """
    if name not in _BODIES:
        raise ValueError(f"no icon {name!r}; there are {', '.join(NAMES)}")
    return QIcon(_LineIconEngine(name, color))


@lru_cache(maxsize=256)
def _renderer(name: str, rgba: int) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(svg_document(name, QColor.fromRgba(rgba)).encode()))


class _LineIconEngine(QIconEngine):
    """Draws on demand, so that no set of sizes has to be chosen beforehand."""

    def __init__(self, name: str, color: str) -> None:
        super().__init__()
        self._name = name
        self._color = color

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        side = min(rect.width(), rect.height())
        square = QRectF(0, 0, side, side)
        square.moveCenter(QRectF(rect).center())  # not QRect.center(), which is half a pixel off
        paint_icon(painter, self._name, square, self._color_for(mode, state))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _LineIconEngine(self._name, self._color)

    def _color_for(self, mode: QIcon.Mode, state: QIcon.State) -> QColor:
        if mode == QIcon.Disabled:
            return QColor(theme.TEXT_DISABLED)
        if state == QIcon.On or mode == QIcon.Selected:
            return QColor(theme.ON_ACCENT)
        return QColor(self._color or theme.TEXT)
