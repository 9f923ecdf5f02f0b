"""Line charts as SVG text, to be put into a page: no script, no font, no file beside it."""
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


def line_chart(lines: Sequence[Line], x_name: str, *, width: int = 640, height: int = 180) -> str:
    """A chart with y from 0 to 1 and x over all lines; pointing at a line shows its name.

    Args:
        width, height: pixels.
    """
    xs = [x for line in lines for x, _ in line.points]
    low, high = min(xs, default=0.0), max(xs, default=1.0)
    span = (high - low) or 1.0
    inner_width, inner_height = width - _LEFT - _RIGHT, height - _TOP - _BOTTOM

    def place(x: float, y: float) -> str:
        return f"{_LEFT + inner_width * (x - low) / span:.1f},{_TOP + inner_height * (1 - min(max(y, 0.0), 1.0)):.1f}"

    parts = [f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" font-size="11">']
    for step in range(5):
        y = _TOP + inner_height * (1 - step / 4)
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{width - _RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 4}" y="{y + 4:.1f}" text-anchor="end" fill="#666">{step / 4:.2f}</text>')
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
    return "".join([*parts, "</svg>"])
