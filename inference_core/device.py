"""Where the networks run, and in which precision."""
from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from util.errors import AppError

_Network = TypeVar("_Network", bound=nn.Module)


@dataclass(frozen=True)
class ComputeDevice:
    """One device with the precision that pays on it.

    Args:
        device: torch device.
        half: dtype of autocast, None to compute in float32 throughout.
    """

    device: torch.device
    half: torch.dtype | None

    def autocast(self) -> AbstractContextManager[None]:
        """To be entered for every network call: autocast belongs to a thread and to a moment, not to a model."""
        return torch.autocast(self.device.type, dtype=self.half, enabled=self.half is not None)

    @property
    def is_plain_processor(self) -> bool:
        """A processor that computes in float32."""
        return self.device.type == "cpu" and self.half is None

    @property
    def memory_dtype(self) -> torch.dtype:
        """Of values in the memory bank. A CPU gathers float32 fastest; a GPU's memory is the scarcer good."""
        return self.half if self.half is not None and self.device.type != "cpu" else torch.float32

    def place(self, network: _Network) -> _Network:
        """The network on this device, ready for inference."""
        network.eval().requires_grad_(False).to(self.device)
        for parameter in network.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return network

    def peak_bytes(self) -> int | None:
        """Most memory ever allocated on a GPU by this process; None where the device shares the main memory."""
        return torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else None

    def __str__(self) -> str:
        precision = "float32" if self.half is None else str(self.half).removeprefix("torch.")
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        return f"{name} ({precision})"


def open_device(name: str, *, mixed_precision: bool) -> ComputeDevice:
    """`auto` takes the first of CUDA, MPS and CPU that is there. Raises AppError for a device that is not."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise AppError(
            "--device cuda: this machine has no NVIDIA GPU that PyTorch can use.",
            "Use --device cpu, or install the driver and a CUDA build of torch.",
        )
    if name == "mps" and not torch.backends.mps.is_available():
        raise AppError("--device mps: this machine has no Apple GPU that PyTorch can use.", "Use --device cpu.")
    return ComputeDevice(torch.device(name), _half(name) if mixed_precision else None)


def _half(name: str) -> torch.dtype | None:
    if name == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if name == "cpu":
        capabilities = torch.cpu.get_capabilities()
        native = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
        return torch.bfloat16 if native else None
    return None  # MPS: float32 until autocast there has been measured
