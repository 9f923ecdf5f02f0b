"""The published equations of MiVOS-STCN written down directly: what the engine's speed is compared with.

Everything in float32 and as the formulas have it: an affinity over all memory cells, a softmax over the best of them
spread out into a dense matrix again, a dense product with the values of every object, the decoder once per object,
batch normalisation as it stands. The same network modules as the engine, no cache, nothing shared between objects.
"""
from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from model.aggregate import aggregate
from model.stcn import IMAGE_MEAN, IMAGE_STD, STCN

TOP_K = 20
MEM_EVERY = 5


def padded(planes: Tensor) -> Tensor:
    """float32 [..., H, W] with zeros around it, so that H and W are multiples of 16."""
    height, width = planes.shape[-2:]
    down, right = -height % 16, -width % 16
    return F.pad(planes, (right // 2, right - right // 2, down // 2, down - down // 2))


def normalised(frame: Tensor) -> Tensor:
    """uint8 [H, W, 3] -> float32 [1, 3, Hp, Wp]."""
    mean, std = (torch.tensor(v)[:, None, None] for v in (IMAGE_MEAN, IMAGE_STD))
    return padded((frame.permute(2, 0, 1).float() / 255 - mean) / std)[None]


def readout(memory_key: Tensor, memory_value: Tensor, query: Tensor) -> Tensor:
    """One object's values from memory.

    Args:
        memory_key: [64, N]. memory_value: [512, N]. query: [64, Nq].

    Returns:
        float32 [512, Nq].
    """
    distance = memory_key.square().sum(0)[:, None] - 2 * memory_key.T @ query + query.square().sum(0)
    affinity = -distance / math.sqrt(memory_key.shape[0])
    best = affinity.topk(min(TOP_K, len(affinity)), dim=0)
    dense = torch.zeros_like(affinity).scatter_(0, best.indices, best.values.softmax(0))
    return memory_value @ dense


@torch.inference_mode()
def follow(network: STCN, frames: Tensor, masks: Tensor) -> Iterator[Tensor]:
    """Follow the first frame's masks through a video.

    Args:
        frames: uint8 [T, H, W, 3].
        masks: float32 [K, H, W] of the first frame.

    Yields:
        float32 [K+1, Hp, Wp] of the frames 1, 2, ..., background first. What a frame adds to the memory is computed
        before the frame after it.
    """
    memory_key, memory_value = _remembered(network, normalised(frames[0]), padded(masks))
    for number in range(1, len(frames)):
        image = normalised(frames[number])
        features = network.encode_key(image)
        query = features.key[0].flatten(1)
        logits = []
        for value in memory_value:
            read = readout(memory_key, value, query).unflatten(1, features.key.shape[-2:])
            logits.append(network.decode(read[None], features))
        prob = aggregate(torch.sigmoid(torch.cat(logits)))
        yield prob
        if number % MEM_EVERY == 0:
            key, value = _remembered(network, image, prob[1:])
            memory_key, memory_value = torch.cat([memory_key, key], 1), torch.cat([memory_value, value], 2)


def _remembered(network: STCN, image: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Key [64, N] and values [K, 512, N] of a frame."""
    features = network.encode_key(image)
    values = [
        network.encode_value(image, features.f16, masks[k : k + 1], (masks.sum(0) - masks[k])[None])
        for k in range(len(masks))
    ]
    return features.key[0].flatten(1), torch.cat(values).flatten(2)
