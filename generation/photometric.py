"""What cameras and light do to clips: exposure, contrast, colour, shading, blur and noise, per clip and per frame."""
from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

_BLUR_RADIUS = 3
_BLURRED_SHARE = 0.35


def degrade(clips: Tensor, gen: torch.Generator) -> Tensor:
    """clips [B, T, 3, s, s] in 0..1 -> the same, changed at random; all randomness comes from `gen`."""
    num_clips, frames, _, height, width = clips.shape
    device = clips.device

    def randn(*size: int) -> Tensor:
        return torch.randn(*size, device=device, generator=gen)

    def rand(*size: int) -> Tensor:
        return torch.rand(*size, device=device, generator=gen)

    def drift(of_clip: float, of_frame: float, channels: int) -> Tensor:
        return of_clip * randn(num_clips, 1, channels, 1, 1) + of_frame * randn(num_clips, frames, channels, 1, 1)

    x = clips.clamp(1e-4, 1) ** drift(0.25, 0.08, 1).exp()
    mean = x.mean((2, 3, 4), keepdim=True)
    x = (x - mean) * drift(0.25, 0.08, 1).exp() + mean + drift(0.08, 0.04, 1) + drift(0.03, 0.015, 3)
    grey = x.mean(2, keepdim=True)
    x = grey + (x - grey) * drift(0.35, 0.1, 1).exp().clamp(0, 2)
    shade = 0.12 * randn(num_clips, 1, 3, 3).expand(-1, frames, -1, -1) + 0.05 * randn(num_clips, frames, 3, 3)
    shade = F.interpolate(shade, (height, width), mode="bicubic", align_corners=True)
    x = x * shade.clamp(-0.6, 0.6).exp()[:, :, None]
    x = _blur(x, rand)
    noise = 0.08 * rand(num_clips, 1, 1, 1, 1) ** 3
    return (x + noise * randn(*x.shape)).clamp(0, 1)


def _blur(x: Tensor, rand: Callable[..., Tensor]) -> Tensor:
    """Defocus (round) or motion (stretched) blur on a part of the frames."""
    num_clips, frames, _, height, width = x.shape
    count = num_clips * frames
    offsets = torch.arange(-_BLUR_RADIUS, _BLUR_RADIUS + 1, device=x.device).float()
    angle = torch.pi * rand(count, 1, 1)
    along = 0.25 + 2.2 * (rand(count, 1, 1) < _BLURRED_SHARE) * rand(count, 1, 1)
    across = torch.where(rand(count, 1, 1) < 0.5, along, 0.3)
    a = offsets * angle.cos() + offsets[:, None] * angle.sin()
    b = offsets[:, None] * angle.cos() - offsets * angle.sin()
    kernel = torch.exp(-(a**2) / (2 * along**2) - b**2 / (2 * across**2))
    kernel = (kernel / kernel.sum((1, 2), keepdim=True)).repeat_interleave(3, 0)[:, None]
    padded = F.pad(x.reshape(1, count * 3, height, width), (_BLUR_RADIUS,) * 4, mode="reflect")
    return F.conv2d(padded, kernel, groups=count * 3).view_as(x)
