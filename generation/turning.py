"""Objects that turn: sides of them that were not seen before come into sight, and others go out of it.

A still has one side only, so what a turning object shows is imitated: of the whole object a part is seen, up to a wavy
line across it, and the line moves over the object from frame to frame. What comes into sight is as new to a network as
the other side of a dog: it has the object's texture nearby, its outline, and is nowhere in memory.
"""
from __future__ import annotations

import torch
from torch import Tensor

_START = (-0.5, 0.5)
"""Where on the object, -1..1 across it, the line is on the first frame."""
_WAY = (0.4, 1.6)
"""How far it moves until the last frame."""
_WAVE, _WAVES = 0.25, 3.0
"""Height of the waves of the line, and radians per half object."""
_LOSES_SHARE, _WIDTH = 0.3, (1.0, 2.0)
"""How often as much goes out of sight on the other side, and how much of the object is seen then."""
_SHARPNESS = 12.0


def sides_in_sight(place: Tensor, half: Tensor, side: int, share: float, gen: torch.Generator) -> Tensor:
    """[N, T, side, side] in 0..1: what is seen of N layers' objects.

    Args:
        place: [N, T, side * side, 2] where on its layer each pixel lies (`generation.motion.Warps`).
        half: [N] half the size of the objects in the middle of their layers.
        share: how many of them turn; the others are seen as a whole.
        gen: source of all randomness, on the device of the result.
    """
    count, frames = place.shape[:2]

    def rand(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, device=gen.device, generator=gen)

    angle = rand(0, 2 * torch.pi)
    across, along = (
        (place * torch.cat(direction, 2)[:, :, None]).sum(-1).div_(half.view(-1, 1, 1))
        for direction in ((angle.cos(), angle.sin()), (-angle.sin(), angle.cos()))
    )
    across = across + _WAVE * torch.sin(_WAVES * along + rand(0, 2 * torch.pi))
    time = torch.linspace(0, 1, frames, device=gen.device).view(1, -1, 1)
    line = rand(*_START) + rand(*_WAY) * time
    behind = torch.where(rand(0, 1) < _LOSES_SHARE, line - rand(*_WIDTH), -torch.inf)
    seen = _soft(line - across) * _soft(across - behind)
    return torch.where(rand(0, 1) < share, seen, 1.0).view(count, frames, side, side)


def _soft(distance: Tensor) -> Tensor:
    return (_SHARPNESS * distance + 0.5).clamp(0, 1)
