"""Pictures made from nothing: coloured noise and random shapes, for variety that no set of photographs has."""
from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from util.types import ImageU8, IndexMask


def noise_texture(rng: np.random.Generator, side: int) -> ImageU8:
    """Noise with a random spectrum (slope, direction, stretch) in random colours, [side, side, 3]."""
    fy, fx = np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij")
    angle, stretch = rng.uniform(0, np.pi), rng.uniform(0.3, 3)
    along = (fx * np.cos(angle) + fy * np.sin(angle)) * stretch
    across = (fy * np.cos(angle) - fx * np.sin(angle)) / stretch
    amplitude = (np.hypot(along, across) + 1 / side) ** -rng.uniform(0.8, 2.2)
    planes = []
    for _ in range(3):
        plane = np.fft.irfft2(amplitude * np.exp(2j * np.pi * rng.random(amplitude.shape)), (side, side))
        planes.append((plane - plane.mean()) / (plane.std() + 1e-9))
    mixed = np.stack(planes, -1) @ rng.normal(size=(3, 3)) * rng.uniform(15, 50)
    return np.clip(mixed + rng.uniform(40, 215, 3), 0, 255).astype(np.uint8)


def random_shape(rng: np.random.Generator, side: int) -> IndexMask:
    """A blob or polygon near the middle, 0/1 [side, side]."""
    angle = np.linspace(0, 2 * np.pi, 128, endpoint=False)
    if rng.random() < 0.3:
        angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 9)))
    radius = np.ones_like(angle)
    for order in range(1, 7):
        radius += rng.normal() * 0.5 / order * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    radius = np.clip(radius, 0.15, 2) * rng.uniform(0.12, 0.4) * side
    centre, stretch = rng.uniform(0.35, 0.65, 2) * side, rng.uniform(0.5, 1.5)
    outline = np.stack([centre[0] + radius * np.cos(angle) * stretch, centre[1] + radius * np.sin(angle) / stretch], -1)
    canvas = np.zeros((side, side), np.uint8)
    return np.asarray(cv2.fillPoly(canvas, [outline.astype(np.int32)], 1), np.uint8)


def procedural_scenes(
    count: int, rng: np.random.Generator, side: int, photos: Sequence[ImageU8]
) -> Iterator[tuple[ImageU8, IndexMask]]:
    """Shapes 1, 2, ... of one texture each in front of another; textures are noise or shifted photographs."""

    def texture() -> ImageU8:
        if not photos or rng.random() < 0.6:
            return noise_texture(rng, side)
        shift = tuple(int(v) for v in rng.integers(side, size=2))
        return np.roll(photos[int(rng.integers(len(photos)))], shift, (0, 1))

    for _ in range(count):
        image, labels = texture(), np.zeros((side, side), np.uint8)
        for label in range(1, int(rng.integers(2, 6))):
            inside = random_shape(rng, side) > 0
            image = np.where(inside[..., None], texture(), image)
            labels[inside] = label
        yield image, labels
