"""Inputs that a recorded case does not hold but describes: `uniform('prev',0,(2,1,96,128),.02,.98)` and the like.

The numbers come from the recording's rule: a stream of random numbers per name and seed.
"""
from __future__ import annotations

import ast
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.golden_weights import named_stream


def golden_input(expression: str) -> NDArray[Any]:
    """The array that an expression of a `meta` stands for.

    Known are `uniform(name, seed, shape, low, high)`, `normal(name, seed, shape, scale)`,
    `clip_uint8(name, seed, t, h, w)`, `boxes_mask(t, h, w, k)` and `stream(name, seed).randint(low, high, shape)`.
    ValueError for anything else.
    """
    call = ast.parse(expression.strip(), mode="eval").body
    if not isinstance(call, ast.Call):
        raise ValueError(f"not a call: {expression}")
    arguments = [ast.literal_eval(argument) for argument in call.args]
    if isinstance(call.func, ast.Attribute) and call.func.attr == "randint" and isinstance(call.func.value, ast.Call):
        name, seed = (ast.literal_eval(argument) for argument in call.func.value.args)
        return named_stream(name, seed).randint(*arguments)
    known = {"uniform": uniform, "normal": normal, "clip_uint8": clip, "boxes_mask": boxes}
    if not isinstance(call.func, ast.Name) or call.func.id not in known:
        raise ValueError(f"unknown input: {expression}")
    return known[call.func.id](*arguments)


def uniform(name: str, seed: int, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> NDArray[np.float32]:
    return named_stream(name, seed).uniform(low, high, shape).astype(np.float32)


def normal(name: str, seed: int, shape: tuple[int, ...], scale: float = 1.0) -> NDArray[np.float32]:
    return (scale * named_stream(name, seed).standard_normal(shape)).astype(np.float32)


def clip(name: str, seed: int, frames: int, height: int, width: int) -> NDArray[np.uint8]:
    """uint8 [T, H, W, 3]: a moving random texture of three cell sizes."""
    random = named_stream(name, seed)
    rows, columns = height + 4 * frames + 16, width + 4 * frames + 16
    image = np.zeros((rows, columns, 3))
    for cell, amplitude in ((32, 60.0), (8, 40.0), (1, 12.0)):
        coarse = random.uniform(-1, 1, (rows // cell + 1, columns // cell + 1, 3))
        image += amplitude * coarse.repeat(cell, 0).repeat(cell, 1)[:rows, :columns]
    texture = np.clip(np.rint(image + 128), 0, 255).astype(np.uint8)
    return np.stack([texture[2 * i : 2 * i + height, 3 * i : 3 * i + width] for i in range(frames)])


def boxes(frames: int, height: int, width: int, num_objects: int) -> NDArray[np.uint8]:
    """uint8 [T, H, W]: index masks of moving rectangles (odd ids) and ellipses (even ids)."""
    row, column = np.mgrid[:height, :width]
    masks = np.zeros((frames, height, width), np.uint8)
    for frame in range(frames):
        for number in range(num_objects):
            is_odd = number % 2
            x = column - (width * (number + 1) / (num_objects + 1) + (-frame if is_odd else frame))
            y = row - (height * (0.4 + 0.2 * is_odd) + frame)
            half_width, half_height = width * 0.42 / (num_objects + 1), height * 0.28
            if is_odd:
                inside = (x / half_width) ** 2 + (y / half_height) ** 2 <= 1
            else:
                inside = (abs(x) <= half_width) & (abs(y) <= half_height)
            masks[frame][inside] = number + 1
    return masks
