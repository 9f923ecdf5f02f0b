"""What a headless run reports about itself in its statistics file."""
from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from util.errors import AppError

_PACKAGES = ("torch", "torchvision", "numpy", "opencv-python-headless", "av", "pillow")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class WeightsInfo:
    """A weight file and the checksum of its content."""

    file: str
    sha256: str


@dataclass(frozen=True)
class SourceInfo:
    """The video: its frames are all there are, not only those of the run. `frames_per_second` is nominal."""

    path: str
    frames: int
    width: int
    height: int
    frames_per_second: float


@dataclass(frozen=True)
class RunStats:
    """The content of the file.

    Args:
        frames: in the run.
        annotated_frames: of these.
        objects: ids.
        predictions: frames that the engine made; more than `frames` where results were fused.
        seconds: the whole run, from reading the flags to the last file.
        propagation_seconds: of these, from the first to the last prediction.
        frames_per_second: predictions by propagation_seconds.
        peak_memory_bytes: main memory of the process; None where the system does not tell.
        peak_gpu_memory_bytes: None without a CUDA GPU.
        weights: of the propagation network; None for an engine without one.
    """

    frames: int
    annotated_frames: int
    objects: list[int]
    predictions: int
    seconds: float
    propagation_seconds: float
    frames_per_second: float
    peak_memory_bytes: int | None
    peak_gpu_memory_bytes: int | None
    engine: str
    device: str
    settings: Mapping[str, str | int | float | bool | None]
    weights: WeightsInfo | None
    source: SourceInfo
    versions: Mapping[str, str]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"


def weights_info(file: Path) -> WeightsInfo:
    """Of a folder, the content of its files counts in the order of their names. AppError when one cannot be read."""
    digest = hashlib.sha256()
    try:
        # Beside the weights a folder may hold our own notes about them.
        parts = sorted(part for part in file.iterdir() if part.suffix != ".json") if file.is_dir() else [file]
        for part in parts:
            with part.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
    except OSError as error:
        raise AppError(f"{file}: cannot be read ({error.strerror or error}).", "Check the file.") from error
    return WeightsInfo(str(file), digest.hexdigest())


def installed_versions() -> dict[str, str]:
    """Of Python and of the packages that results depend on, as far as they are installed."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions
