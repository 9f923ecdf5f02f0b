"""Curves of a training as one picture: a small chart for each quantity, all over the number of samples."""
from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_WIDTH, _HEIGHT, _COLUMNS = 420, 240, 3
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 16, 34, 28
"""Margins of the axes in a chart, in pixels."""
_SCALE = 2
"""Drawn larger and shrunk: Pillow does not smooth lines."""
_PAPER, _GRID, _TEXT, _PALE, _LINE = "#ffffff", "#e4e7ec", "#344054", "#b2ccff", "#155eef"
_REACH, _NOISY_FROM = 4, 40
"""Over noisy curves of so many points a mean is drawn, of this many points on either side (fewer at the ends)."""
_NOISY_SHARE = 0.2
"""A curve is noisy when it turns at more than this share of its points."""
_SUFFIXES = ((1e6, "M"), (1e3, "k"))

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def draw_curves(lines: Sequence[Mapping[str, float]]) -> bytes:
    """PNG with the curve of every name in `lines`, each of which has `seen`; all values finite."""
    names = list(dict.fromkeys(name for line in lines for name in line if name != "seen"))
    rows = math.ceil(len(names) / _COLUMNS)
    size = (_WIDTH * min(_COLUMNS, len(names)), _HEIGHT * rows)
    picture = Image.new("RGB", (size[0] * _SCALE, size[1] * _SCALE), _PAPER)
    draw = ImageDraw.Draw(picture)
    end = max(line["seen"] for line in lines)
    for index, name in enumerate(names):
        points = np.array([(line["seen"], line[name]) for line in lines if name in line], np.float64)
        corner = (_WIDTH * (index % _COLUMNS), _HEIGHT * (index // _COLUMNS))
        _chart(draw, corner, name, (points[:, 0], points[:, 1]), end)
    file = io.BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()


def _chart(draw: ImageDraw.ImageDraw, corner: tuple[int, int], name: str, curve: Curve, end: float) -> None:
    """One chart with its left upper corner there, in pixels of the finished picture."""
    seen, value = curve
    left, top = corner[0] + _LEFT, corner[1] + _TOP
    right, bottom = corner[0] + _WIDTH - _RIGHT, corner[1] + _HEIGHT - _BOTTOM
    ticks = _ticks(float(value.min()), float(value.max()), 4)
    low, high = ticks[0], ticks[-1]

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = x / max(end, 1), (y - low) / (high - low)
        return (left + across * (right - left)) * _SCALE, (bottom - up * (bottom - top)) * _SCALE

    def write(x: float, y: float, text: str, anchor: str, points: int = 11) -> None:
        font = ImageFont.load_default(points * _SCALE)
        draw.text((x * _SCALE, y * _SCALE), text, _TEXT, font, anchor)

    write(corner[0] + 14, corner[1] + 15, name, "lm", 13)
    write(right, corner[1] + 15, f"{value[-1]:.4g}", "rm", 13)
    for tick in ticks:
        y = place(0, tick)[1]
        draw.line([(left * _SCALE, y), (right * _SCALE, y)], _GRID, _SCALE)
        write(left - 6, y / _SCALE, f"{tick:.4g}", "rm")
    for tick in (t for t in _ticks(0, end, 6) if t <= end):
        write(place(tick, low)[0] / _SCALE, bottom + 12, _samples(tick), "mm")
    turns = np.count_nonzero(np.diff(np.sign(np.diff(value))))
    is_noisy = len(value) >= _NOISY_FROM and turns > _NOISY_SHARE * len(value)
    _polyline(draw, [place(x, y) for x, y in zip(seen, value, strict=True)], _PALE if is_noisy else _LINE)
    if is_noisy:
        reach = np.minimum(_REACH, np.minimum(np.arange(len(value)), np.arange(len(value))[::-1]))
        mean = [value[n - r : n + r + 1].mean() for n, r in enumerate(reach)]
        _polyline(draw, [place(x, y) for x, y in zip(seen, mean, strict=True)], _LINE)


def _polyline(draw: ImageDraw.ImageDraw, points: list[tuple[float, float]], color: str) -> None:
    if len(points) > 1:
        draw.line(points, color, 2 * _SCALE, joint="curve")
    if len(points) < _NOISY_FROM // 2:
        for x, y in points:
            draw.ellipse([x - 3 * _SCALE, y - 3 * _SCALE, x + 3 * _SCALE, y + 3 * _SCALE], color)


def _ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` + 1 round numbers whose first and last enclose low..high."""
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [n * step for n in range(first, last + 1)]


def _samples(number: float) -> str:
    for unit, suffix in _SUFFIXES:
        if number >= unit:
            return f"{number / unit:.4g}{suffix}"
    return f"{number:.4g}"
