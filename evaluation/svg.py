"""Line charts as SVG text, to be put into a page or a file of its own: no script, no font, no file beside it."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

COLORS = ("#1668b8", "#c8501e", "#2e8b57", "#8a4fb0", "#b8860b", "#4d4d4d", "#c71585", "#008b8b")
_LEFT, _TOP, _BOTTOM, _RIGHT = 36, 10, 26, 10


@dataclass(frozen=True)
class Line:
    """One line: y over x.

    Args:
        points: (x, y) in the order of x.
        color: index into `COLORS`, which begin anew after the last.
    """

    name: str
    points: Sequence[tuple[float, float]]
    color: int = 0
    is_dashed: bool = False


def line_chart(
    lines: Sequence[Line],
    x_name: str,
    *,
    width: int = 640,
    height: int = 180,
    y_range: tuple[float, float] = (0.0, 1.0),
) -> str:
    """A chart with x over all lines; pointing at a line shows its name.

    Args:
        width, height: pixels.
        y_range: of the axis; what is beyond is drawn on its edge.
    """
    head = f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" font-size="11">'
    return "".join([head, *_marks(lines, x_name, width, height, y_range), "</svg>"])


def _marks(
    lines: Sequence[Line], x_name: str, width: int, height: int, y_range: tuple[float, float]
) -> list[str]:
    """What is inside a chart."""
    bottom, top = y_range
    xs = [x for line in lines for x, _ in line.points]
    low, high = min(xs, default=0.0), max(xs, default=1.0)
    span = (high - low) or 1.0
    inner_width, inner_height = width - _LEFT - _RIGHT, height - _TOP - _BOTTOM

    def place(x: float, y: float) -> str:
        share = min(max((y - bottom) / (top - bottom), 0.0), 1.0)
        return f"{_LEFT + inner_width * (x - low) / span:.1f},{_TOP + inner_height * (1 - share):.1f}"

    parts = []
    for step in range(5):
        y, value = _TOP + inner_height * (1 - step / 4), bottom + (top - bottom) * step / 4
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{width - _RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 4}" y="{y + 4:.1f}" text-anchor="end" fill="#666">{value:.2f}</text>')
    for x, anchor in ((low, "start"), (high, "end")):
        at = _LEFT if anchor == "start" else width - _RIGHT
        parts.append(f'<text x="{at}" y="{height - 8}" text-anchor="{anchor}" fill="#666">{x:g}</text>')
    middle = _LEFT + inner_width / 2
    parts.append(f'<text x="{middle:.1f}" y="{height - 8}" text-anchor="middle" fill="#666">{escape(x_name)}</text>')
    for line in lines:
        dash = ' stroke-dasharray="4 3"' if line.is_dashed else ""
        path, color = " ".join(place(x, y) for x, y in line.points), COLORS[line.color % len(COLORS)]
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.5"{dash}>'
            f"<title>{escape(line.name)}</title></polyline>"
        )
    return parts


def chart_file(lines: Sequence[Line], x_name: str, y_range: tuple[float, float], *, height: int = 300) -> str:
    """`line_chart` with the names of the lines beside it, as the content of an SVG file on white.

    Args:
        height: of the chart, in pixels.
    """
    width, beside = 640, 200
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + beside} {height}" width="{width + beside}" '
        f'height="{height}" font-family="sans-serif">',
        f'<rect width="{width + beside}" height="{height}" fill="white"/>',
        '<g font-size="11">', *_marks(lines, x_name, width, height, y_range), "</g>",
    ]
    for place, line in enumerate(lines):
        y, color = 24 + 20 * place, COLORS[line.color % len(COLORS)]
        dash = ' stroke-dasharray="4 3"' if line.is_dashed else ""
        parts.append(
            f'<line x1="{width}" y1="{y}" x2="{width + 24}" y2="{y}" stroke="{color}" stroke-width="2"{dash}/>'
        )
        parts.append(f'<text x="{width + 30}" y="{y + 4}" font-size="12" fill="#222">{escape(line.name)}</text>')
    return "".join([*parts, "</svg>\n"])
