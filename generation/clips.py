"""Training clips rendered in batches on the training device: moving layers cut out of stills, in front of a still.

Masks and correspondence are exact, because every pixel is fetched through a known warp. A batch is a pure function of
the seed and its number, so that a training resumed in the middle goes on with the very clips it would have seen.
"""
from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from generation.motion import random_warps
from generation.pack import PROCEDURAL, SHAPES, Pack
from generation.photometric import degrade
from generation.stills import WHOLE_SETS
from generation.turning import sides_in_sight

LAYER_GAP = 1000.0
"""Points on different layers are this many cells apart: farther than any two of one layer."""

BASE_MIX = {"coco": 0.26, "bsds": 0.26, "voc": 0.05, "horse": 0.06, "ccp": 0.14, "cars": 0.06}
BASE_MIX |= {PROCEDURAL: 0.17, SHAPES: 0}
PASTE_MIX = {"coco": 0.24, "bsds": 0.24, "voc": 0.04, "horse": 0.06, "ccp": 0.12, "cars": 0.06}
PASTE_MIX |= {PROCEDURAL: 0.12, SHAPES: 0.12}
"""How often the background, and a pasted layer, comes from each set; a set not named here counts 0.15."""

_MIN_VISIBLE = 0.003
_SECOND_SHARE = 0.4
"""How often a second object of the background's picture is followed too."""
_PASTE_SHARES = (0.65, 0.35, 0.2)
_TARGET_SHARE = 0.75
"""How often a pasted object is followed; otherwise it is a distractor."""
_TWIN_SHARE = 0.2
"""How often a pasted layer repeats the one before it: two bodies that look alike."""
_JOINED_SHARE = 0.12
"""How often two followed bodies are one object."""
_BEHIND_SHARE = 0.3


@dataclass(frozen=True)
class ClipBatch:
    """B clips of T frames with up to K objects.

    Args:
        image: [B, T, 3, s, s] RGB in 0..1.
        mask: [B, T, K, s, s] 0/1, at most one object per pixel.
        valid: bool [B, K], which objects there are; each is visible on the first frame.
        point: [B, T, s/stride, s/stride, 2] the point that each cell shows: where on its layer, in cells, layers
            `LAYER_GAP` apart. Equal points are the same thing seen in two frames.
    """

    image: Tensor
    mask: Tensor
    valid: Tensor
    point: Tensor


class ClipRenderer:
    """Renders clips from a pack.

    Args:
        frames: T. objects: K. pastes: layers in front of the background.
        hard: amount of motion, 1 is normal. near: share of the steps that are as small as those of a film.
        turning: share of the pasted objects that show other sides of themselves later on.
        made_up: how often an object plays that nobody would point at as one thing: a union of neighbouring segments,
            a garment of a person. 1 leaves them as they are in the pack.
        base_mix: how often the background comes from each set; a set not named counts 0.15.
    """

    def __init__(
        self,
        pack: Pack,
        device: torch.device,
        *,
        seed: int = 0,
        frames: int = 3,
        objects: int = 2,
        pastes: int = 2,
        hard: float = 1.0,
        near: float = 0.0,
        turning: float = 0.0,
        made_up: float = 1.0,
        base_mix: Mapping[str, float] = BASE_MIX,
        stride: int = 8,
    ) -> None:
        self._device = device
        self._seed = seed
        self._frames, self._objects, self._pastes, self._hard, self._stride = frames, objects, pastes, hard, stride
        self._near, self._turning = near, turning
        self._pack = pack
        # Bytes, not floats: all pictures stay on the device.
        self._images = torch.from_numpy(np.ascontiguousarray(pack.decoded_images().transpose(0, 3, 1, 2))).to(device)
        self._maps = torch.from_numpy(pack.decoded_maps()).to(device)
        bits = (pack.object_bits[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
        self._tables = torch.from_numpy(bits.astype(np.float32)).to(device)
        # Tiny objects less often; ones that touch the border of their picture are cut off, so bad to paste.
        size = np.clip(pack.object_area / 0.05, 0.1, 1) * np.where(_is_one_thing(pack), 1, made_up)
        rim = pack.object_rim
        self._base_p = _probabilities(pack, size * np.where(rim > 0.3, 0.25, 1), base_mix)
        fits = pack.object_area < 0.45
        self._paste_p = _probabilities(pack, size * np.where(rim > 0.05, 0.02, 1) * fits, PASTE_MIX)
        self._of_map: dict[int, list[int]] = {}
        for index, label_map in enumerate(pack.object_map):
            self._of_map.setdefault(int(label_map), []).append(index)

    def moving(self, *, frames: int, hard: float = 1.0, near: float = 0.0, turning: float = 0.0) -> ClipRenderer:
        """One for clips of another length and motion; the pack's pictures are held once for both."""
        other = copy(self)
        other._frames, other._hard, other._near, other._turning = frames, hard, near, turning
        return other

    @torch.no_grad()
    def batch(self, number: int, size: int, side: int) -> ClipBatch:
        """The batch of this number: `size` clips of side x side pixels; side a multiple of twice the stride."""
        rng = np.random.default_rng([self._seed, number])
        gen = torch.Generator(self._device).manual_seed(int(rng.integers(2**62)))
        cast = self._cast(rng, size)
        layers, frames = 1 + self._pastes, self._frames
        warps = random_warps(size, layers, frames, side, self._hard, gen, self._near)
        pixels, inside = self._fetch(cast, warps.place, side, rng, gen)
        image, label, layer = self._compose(cast, pixels, inside, gen)
        mask = torch.stack([label == k for k in range(1, self._objects + 1)], 2)
        valid = mask[:, 0].flatten(2).float().mean(2) > _MIN_VISIBLE
        mask = mask & valid[:, None, :, None, None]
        return ClipBatch(degrade(image, gen), mask.float(), valid, self._points(warps.place, layer, side))

    def _cast(self, rng: np.random.Generator, size: int) -> _Cast:
        """Which objects play: slots 0 and 1 on the background's picture, the others one per pasted layer."""
        pack, slots = self._pack, 2 + self._pastes
        base = rng.choice(len(self._base_p), size, p=self._base_p)
        pasted = rng.choice(len(self._paste_p), (size, self._pastes), p=self._paste_p)
        second, present = base.copy(), np.zeros((size, slots), np.bool_)
        present[:, 0] = True
        present[:, 2:] = rng.random((size, self._pastes)) < np.asarray(_PASTE_SHARES)[: self._pastes]
        label = np.zeros((size, slots), np.int64)
        for clip in range(size):
            mates = self._of_map[int(pack.object_map[base[clip]])]
            mates = [m for m in mates if not pack.object_bits[m] & pack.object_bits[base[clip]]]
            if mates and rng.random() < _SECOND_SHARE:
                second[clip], present[clip, 1] = mates[int(rng.integers(len(mates)))], True
            for paste in range(1, self._pastes):
                if rng.random() < _TWIN_SHARE:
                    pasted[clip, paste] = pasted[clip, paste - 1]
                    present[clip, 2 + paste] = True
            chosen = [s for s in rng.permutation(slots) if present[clip, s] and (s < 2 or rng.random() < _TARGET_SHARE)]
            for number, slot in enumerate(chosen):
                label[clip, slot] = number + 1 if number < self._objects else 0
            if len(chosen) > 1 and rng.random() < _JOINED_SHARE:
                label[clip, chosen[1]] = label[clip, chosen[0]]
        return _Cast(np.concatenate([base[:, None], pasted], 1), second, present, label)

    def _fetch(
        self, cast: _Cast, place: Tensor, side: int, rng: np.random.Generator, gen: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Pixels [B, L, T, 5, s, s] of every layer (RGB, its object, the second one) and whether inside its picture."""
        num_clips, layers = cast.object.shape
        objects = cast.object.ravel()
        pack, count = self._pack, num_clips * layers
        labels = self._maps[self._long(pack.object_map[objects])].long()
        first = self._member(objects, labels)
        second = torch.zeros_like(first)
        is_there = self._float(cast.present[:, 1]).view(-1, 1, 1, 1)
        second[::layers] = self._member(cast.second, labels[::layers]) * is_there
        image = self._images[self._long(pack.object_image[objects])].float() / 255
        framing = self._framing(objects, layers, rng)
        stretch = torch.stack([framing.aspect, torch.ones_like(framing.aspect)], -1).view(count, 1, 1, 2)
        source = (framing.centre.view(count, 1, 1, 2) + framing.reach.view(count, 1, 1, 1) * place) / stretch
        grid = source.view(count, -1, side, 2)
        planes = torch.cat([image, first, second], 1)
        planes = F.grid_sample(planes, grid, padding_mode="reflection", align_corners=False)
        planes = planes.view(num_clips, layers, 5, self._frames, side, side).transpose(2, 3)
        if self._turning:
            seen = sides_in_sight(place, framing.half / framing.reach, side, self._turning, gen)
            planes[:, 1:, :, 3] *= seen.view(num_clips, layers, self._frames, side, side)[:, 1:]
        inside = (source.abs().amax(-1) <= 1).view(num_clips, layers, self._frames, side, side)
        return planes, inside

    def _member(self, objects: NDArray[np.int64], labels: Tensor) -> Tensor:
        """[N, 1, S, S], 1 where labels [N, S, S] belong to the object."""
        table = self._tables[self._long(objects)]
        return torch.gather(table, 1, labels.flatten(1)).view(labels.shape)[:, None]

    def _framing(self, objects: NDArray[np.int64], layers: int, rng: np.random.Generator) -> _Framing:
        """Which part of its picture a layer shows.

        A background shows its object and more around it; a pasted layer is as large as its object becomes in the clip.
        """
        pack, count = self._pack, len(objects)
        aspect = pack.aspect[pack.object_image[objects]].astype(np.float64)
        left, top, right, bottom = (2 * pack.object_box[objects].astype(np.float64) - 1).T
        centre = np.stack([(left + right) / 2 * aspect, (top + bottom) / 2], 1)
        half = np.maximum((right - left) / 2 * aspect, (bottom - top) / 2)
        whole = np.minimum(aspect, 1.0)
        least = np.minimum(np.clip(0.75 * half, 0.3, 1), whole)
        of_back = least + (whole * 1.05 - least) * rng.random(count)
        is_back = np.arange(count) % layers == 0
        reach = np.where(is_back, of_back, half / rng.uniform(0.12, 0.75, count))
        room = np.stack([np.maximum(aspect - reach, 0), np.maximum(1 - reach, 0)], 1)
        moved = np.clip(centre + reach[:, None] * rng.uniform(-0.4, 0.4, (count, 2)), -room, room)
        middle = np.where(is_back[:, None], moved, centre)
        return _Framing(*(self._float(values) for values in (middle, reach, half, aspect)))

    def _compose(
        self, cast: _Cast, pixels: Tensor, inside: Tensor, gen: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Lay the layers over each other: image [B, T, 3, s, s], label and layer long [B, T, s, s]."""
        num_clips, layers = cast.object.shape
        tint = 1 + 0.15 * torch.randn(num_clips, layers, 1, 3, 1, 1, device=self._device, generator=gen)
        tint[:, 0] = 1
        colors = pixels[:, :, :, :3] * tint
        label_of = self._long(cast.label)[:, :, None, None, None]
        own, second = pixels[:, 0, :, 3], pixels[:, 0, :, 4]
        image, layer = colors[:, 0], torch.zeros_like(own, dtype=torch.long)
        label = torch.where(own > 0.5, label_of[:, 0], 0)
        label = torch.where(second > 0.5, label_of[:, 1], label)
        for index in range(1, layers):
            is_there = self._float(cast.present[:, 1 + index]).view(-1, 1, 1, 1)
            alpha = pixels[:, index, :, 3] * inside[:, index] * is_there
            behind = torch.rand(num_clips, 1, 1, 1, device=self._device, generator=gen) < _BEHIND_SHARE
            alpha = torch.where(behind, alpha * (1 - own), alpha)
            image = image + alpha[:, :, None] * (colors[:, index] - image)
            label = torch.where(alpha > 0.5, label_of[:, 1 + index], label)
            layer = torch.where(alpha > 0.5, index, layer)
        return image, label, layer

    def _points(self, place: Tensor, layer: Tensor, side: int) -> Tensor:
        stride = self._stride
        cells, middle = side // stride, stride // 2
        num_clips, frames = layer.shape[:2]
        grid = place.view(num_clips, -1, frames, side, side, 2)[:, :, :, middle::stride, middle::stride] * (cells / 2)
        top = layer[:, :, middle::stride, middle::stride]
        index = top[:, None, ..., None].expand(num_clips, 1, frames, cells, cells, 2)
        return torch.gather(grid, 1, index)[:, 0] + LAYER_GAP * top[..., None]

    def _long(self, values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.asarray(values, np.int64)).to(self._device)

    def _float(self, values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.asarray(values, np.float32)).to(self._device)


@dataclass(frozen=True)
class _Cast:
    """Of B clips with L layers: indices of objects in the pack.

    Args:
        object: [B, L], of the background and of each pasted layer. second: [B], another of the background's picture.
        present: bool [B, 1 + L], which slots are there.
        label: [B, 1 + L], number of the followed object, 0: distractor.
    """

    object: NDArray[np.int64]
    second: NDArray[np.int64]
    present: NDArray[np.bool_]
    label: NDArray[np.int64]


class _Framing(NamedTuple):
    """Of N layers, in half heights of their pictures: centre [N, 2] and reach [N] of what is shown, half the object's
    size [N]; and the aspect [N] of the picture."""

    centre: Tensor
    reach: Tensor
    half: Tensor
    aspect: Tensor


def _is_one_thing(pack: Pack) -> NDArray[np.bool_]:
    """Of every object: a segment by itself, or all of a picture where a set's labels are parts of one object."""
    of_whole_set = np.isin(pack.sets[pack.object_set], sorted(WHOLE_SETS))
    everything = np.zeros(int(pack.object_map.max()) + 1, np.uint64)
    np.bitwise_or.at(everything, pack.object_map, pack.object_bits)
    is_segment = pack.object_bits & (pack.object_bits - np.uint64(1)) == 0
    return np.asarray(np.where(of_whole_set, pack.object_bits == everything[pack.object_map], is_segment), np.bool_)


def _probabilities(pack: Pack, weight: NDArray[np.float64], mix: Mapping[str, float]) -> NDArray[np.float64]:
    """Chance of each object: its set's share, divided by weight within the set."""
    chance = np.zeros(len(weight))
    for index, name in enumerate(pack.sets):
        of_set = weight * (pack.object_set == index)
        if of_set.any():
            chance += mix.get(str(name), 0.15) * of_set / of_set.sum()
    return chance / chance.sum()
