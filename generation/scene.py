"""The example's scene: photographic cut-outs that move in front of a photograph, seen by a moving camera.

Lengths are in units of the picture's height, so that the same scene renders at any size; x runs from 0 to `ASPECT`.
Time runs from 0 to 1. Every frame is the mean of a few moments while the shutter is open; the mask gives each pixel to
whatever is seen there for the largest part.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import cos, pi, radians, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.cutouts import Matte, astronaut, background, cat, coffee, shuttle
from util.types import ImageU8, IndexMask, Size

ASPECT = 1.5
SHUTTER = 0.5
"""Share of the time between two frames during which the shutter is open."""
MOMENTS = 3
NOISE = 1.3
"""Standard deviation of the sensor noise, in grey levels."""


@dataclass(frozen=True)
class Pose:
    """Where a layer is: its pivot's place, height of one of its pixels, and turn in degrees (clockwise)."""

    x: float
    y: float
    scale: float
    turn: float = 0.0


@dataclass(frozen=True)
class Layer:
    """One moving picture.

    Args:
        object_id: its value in the masks, 0 for the background.
        matte: see `generation.cutouts.Matte`.
        pivot: the point (x, y) of the matte, as shares of its width and height, that `motion` places.
        motion: pose at a time.
        depth: how much of the camera's motion it shows; far things move less.
        wobble: amplitude of a slow wave through the layer, in heights; 0 for rigid things.
    """

    object_id: int
    matte: Matte
    pivot: tuple[float, float]
    motion: Callable[[float], Pose]
    depth: float
    wobble: float = 0.0


@dataclass(frozen=True)
class Frame:
    """A rendered picture and what is seen where."""

    image: ImageU8
    mask: IndexMask


def ease(time: float) -> float:
    """0..1 with a soft start and end."""
    return time * time * (3 - 2 * time)


def _astronaut(time: float) -> Pose:
    return Pose(1.05 + 0.02 * sin(2.2 * pi * time), 1.06, 0.00158, 1.6 * sin(2 * pi * time + 0.6))


def _cat(time: float) -> Pose:
    return Pose(
        0.13 + 0.13 * ease(time) + 0.02 * sin(2.4 * pi * time),
        0.83 - 0.02 * sin(2.6 * pi * time),
        0.00136,
        5 * sin(2 * pi * time - 0.7),
    )


def _coffee(time: float) -> Pose:
    """A flying saucer: comes down in front of the astronaut's suit, rocking."""
    fall, across = ease(min(1.6 * time, 1.0)), ease(time)
    return Pose(1.32 - 0.64 * across, 0.26 + 0.50 * fall, 0.00068 + 0.00014 * across, 12 * sin(3 * pi * time))


def _shuttle(time: float) -> Pose:
    """Flies behind the astronaut's head."""
    return Pose(0.50 + 0.80 * time, 0.36 - 0.17 * sin(0.9 * pi * time), 0.0014 - 0.0002 * time, -16 + 58 * ease(time))


def _background(_: float) -> Pose:
    return Pose(0.5 * ASPECT, 0.5, 1.24 / 427)


@dataclass(frozen=True)
class Camera:
    """Pan (x, y) in heights and zoom, about the middle of the picture."""

    x: float
    y: float
    zoom: float

    @classmethod
    def at(cls, time: float) -> Camera:
        return cls(0.07 * sin(pi * (time - 0.5)), 0.02 * cos(2 * pi * time), 1.0 + 0.08 * ease(time))

    def sees(self, pose: Pose, depth: float) -> Pose:
        zoom = 1 + depth * (self.zoom - 1)
        x = 0.5 * ASPECT + zoom * (pose.x - 0.5 * ASPECT) - depth * self.x
        y = 0.5 + zoom * (pose.y - 0.5) - depth * self.y
        return Pose(x, y, pose.scale * zoom, pose.turn)


def _graded(matte: Matte, gain: tuple[float, float, float]) -> Matte:
    """Colours multiplied, so that studio light fits the dusk a little better."""
    return np.dstack([matte[..., :3] * np.asarray(gain, np.float32), matte[..., 3]]).astype(np.float32)


@cache
def make_layers() -> tuple[Layer, ...]:
    """The scene's layers from back to front; cutting them out takes a second or two, so once is enough."""
    photo = background()
    opaque = np.dstack([photo, np.ones(photo.shape[:2])]).astype(np.float32)
    return (
        Layer(0, opaque, (0.5, 0.5), _background, 0.6),
        Layer(4, _graded(shuttle(), (0.88, 0.90, 0.97)), (0.5, 0.5), _shuttle, 0.7),
        Layer(1, _graded(astronaut(), (0.88, 0.88, 0.93)), (0.5, 1.0), _astronaut, 0.9, 0.003),
        Layer(2, _graded(cat(), (0.90, 0.90, 0.95)), (0.45, 0.6), _cat, 1.0, 0.004),
        Layer(3, _graded(coffee(), (1.0, 0.98, 1.0)), (0.5, 0.5), _coffee, 1.0),
    )


class Scene:
    """Renders frames of `num_frames` at a height; width follows from `ASPECT`.

    Args:
        height: in pixels, even.
        num_frames: frames from time 0 to 1.
    """

    def __init__(self, height: int, num_frames: int) -> None:
        self.size = Size(height, round(height * ASPECT))
        self.num_frames = num_frames
        self._layers = make_layers()
        # Each matte is brought near its size on screen once, with proper averaging; the rest is a mild resampling.
        self._pictures = [_resized(layer.matte, layer.motion(0.5).scale * height) for layer in self._layers]
        row, col = np.mgrid[: self.size.height, : self.size.width].astype(np.float32)
        self._x, self._y = (col + 0.5) / height, (row + 0.5) / height

    def render(self, frame: int) -> Frame:
        """Frame 0 <= frame < num_frames; the same every time."""
        color = np.zeros((*self.size, 3), np.float32)
        weights = np.zeros((len(self._layers), *self.size), np.float32)
        step = 1 / max(self.num_frames - 1, 1)
        for moment in range(MOMENTS):
            shift = SHUTTER * ((moment + 0.5) / MOMENTS - 0.5)
            self._expose((frame + shift) * step, color, weights)
        noise = np.random.default_rng((frame, self.size.height)).normal(0, NOISE, color.shape)
        image = np.clip(color / MOMENTS + noise, 0, 255).round().astype(np.uint8)
        ids = np.array([layer.object_id for layer in self._layers], np.uint8)
        return Frame(image, ids[weights.argmax(axis=0)])

    def _expose(self, time: float, color: NDArray[np.float32], weights: NDArray[np.float32]) -> None:
        """Add one moment's picture [H, W, 3] and each layer's visible share [layers, H, W]."""
        camera = Camera.at(time)
        seen = np.ones(self.size, np.float32)
        for number in reversed(range(len(self._layers))):
            picture = self._warp(number, camera, time)
            color += seen[..., None] * picture[..., :3]
            weights[number] += seen * picture[..., 3]
            seen = seen * (1 - picture[..., 3])

    def _warp(self, number: int, camera: Camera, time: float) -> Matte:
        """One layer as the camera sees it, [H, W, 4]."""
        layer, picture = self._layers[number], self._pictures[number]
        pose = camera.sees(layer.motion(time), layer.depth)
        x, y = self._x - pose.x, self._y - pose.y
        across, down = cos(radians(pose.turn)), sin(radians(pose.turn))
        local_x, local_y = across * x + down * y, across * y - down * x
        if layer.wobble:
            wave_x = layer.wobble * np.sin(9 * local_y + 2 * pi * (1.5 * time + 0.1 * number))
            wave_y = layer.wobble * np.sin(7 * local_x + 2 * pi * (1.1 * time + 0.2 * number))
            local_x, local_y = local_x + wave_x, local_y + wave_y
        per_height = picture.shape[0] / (layer.matte.shape[0] * pose.scale)
        map_x = local_x * per_height + layer.pivot[0] * picture.shape[1] - 0.5
        map_y = local_y * per_height + layer.pivot[1] * picture.shape[0] - 0.5
        return np.asarray(cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderValue=(0, 0, 0, 0)), np.float32)


def _resized(matte: Matte, factor: float) -> Matte:
    height, width = (max(round(side * factor), 1) for side in matte.shape[:2])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.clip(cv2.resize(matte, (width, height), interpolation=method), 0, (255, 255, 255, 1)).astype(np.float32)
