"""Cases recorded from the published programs, and the deterministic weights they were recorded with.

The folder of cases is `$GOLDENS`, else the public cases beside the repository, else the small own set in
`tests/goldens`, which `python -m tests.goldens.make` has recorded from this project. A test asks
`golden_cases(system)` for its parameters: where the folder holds no case of its system it is skipped, with a `$GOLDENS`
that holds no case at all it fails.
"""
from __future__ import annotations

import json
import math
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

PUBLIC = Path(__file__).resolve().parents[2] / "shared" / "compat" / "golden_public"
OWN = Path(__file__).resolve().parent / "goldens"
NOISE = "noise_mkldnn_vs_native_maxabs"
LABEL_AGREEMENT = 0.999
_IMAGENET_MEAN = torch.tensor((0.485, 0.456, 0.406)).view(3, 1, 1)
_IMAGENET_STD = torch.tensor((0.229, 0.224, 0.225)).view(3, 1, 1)


@dataclass(frozen=True)
class Golden:
    """One recorded case: what was run (`meta`) and what came out (`arrays`)."""

    path: Path
    meta: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    def check(self, name: str, actual: Tensor, *, is_optimised: bool = False) -> None:
        """Compare with the recorded array of this name, within the tolerance of the recording's rule.

        Args:
            is_optimised: an optimiser has amplified the rounding, for which the rule has another tolerance.
        """
        expected = torch.from_numpy(self.arrays[name])
        assert actual.shape == expected.shape, f"{name}: {tuple(actual.shape)}, recorded {tuple(expected.shape)}"
        noise = self.meta.get(NOISE, {}).get(name, 0.0)
        usual = max(20 * noise, 1e-4 * float(expected.abs().max()))
        tolerance = max(1e-3, 5 * noise) if is_optimised else usual
        difference = float((actual.double() - expected.double()).abs().max())
        assert difference <= tolerance, f"{name}: differs by {difference:.3g}, allowed {tolerance:.3g}"

    def check_labels(self, name: str, actual: NDArray[Any]) -> None:
        """Compare label maps: by the rule nearly all pixels have to agree."""
        agreement = float(np.mean(self.arrays[name] == actual))
        assert agreement >= LABEL_AGREEMENT, f"{name}: labels agree on {agreement:.5f}"

    def check_equal(self, name: str, actual: Sequence[int]) -> None:
        """Compare whole numbers."""
        assert tuple(self.arrays[name]) == tuple(actual), f"{name}: {actual}, recorded {self.arrays[name]}"


def golden_cases(system: str | re.Pattern[str]) -> list[Any]:
    """Parameters for `pytest.mark.parametrize("golden", ...)`: every case of one recorded system.

    Args:
        system: its name, or a pattern of the whole name where variants of one system are named in it.
    """
    pattern = re.compile(re.escape(system)) if isinstance(system, str) else system
    folder = golden_folder()
    files = sorted(folder.glob("*.npz"))
    cases = [load_golden(path) for path in files]
    found = [pytest.param(case, id=case.path.stem) for case in cases if pattern.fullmatch(case.meta["system"])]
    if found:
        return found
    if files or "GOLDENS" not in os.environ:
        absent = pytest.mark.skip(reason=f"no case of {pattern.pattern} in {folder}")
        return [pytest.param(None, id="none", marks=absent)]
    return [pytest.param(folder, id="missing")]


def golden_folder() -> Path:
    """Where the recorded cases are."""
    return Path(os.environ["GOLDENS"]) if "GOLDENS" in os.environ else PUBLIC if PUBLIC.is_dir() else OWN


def load_golden(path: Path) -> Golden:
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "meta"}
        return Golden(path, json.loads(str(stored["meta"])), arrays)


def require_golden(golden: Golden | Path) -> Golden:
    """The case itself; fails where `$GOLDENS` was set to a folder without any."""
    if isinstance(golden, Path):
        pytest.fail(f"GOLDENS is set to {golden}, which holds no recorded case")
    return golden


def named_stream(name: str, seed: int) -> np.random.RandomState:
    """The random numbers that the recording draws for this name."""
    return np.random.RandomState(zlib.crc32(name.encode()) ^ (seed * 0x9E3779B1 & 0xFFFFFFFF))


def _draw(key: str, shape: tuple[int, ...], seed: int, gain: float) -> NDArray[np.float64]:
    random, leaf = named_stream(key, seed), key.rpartition(".")[2]
    if leaf == "running_mean":
        return 0.1 * random.standard_normal(shape)
    if leaf == "running_var":
        return random.uniform(0.5, 1.5, shape)
    if len(shape) <= 1 and leaf == "weight":
        return 1 + 0.1 * random.standard_normal(shape)
    if len(shape) <= 1:
        return 0.05 * random.standard_normal(shape)
    return random.standard_normal(shape) * (gain / math.sqrt(math.prod(shape[1:])))


def golden_state(
    module: nn.Module, seed: int, overrides: Mapping[str, tuple[float, float]] | None = None, gain: float = 1.0
) -> dict[str, Tensor]:
    """The state dict that the recording rule gives a module: each tensor depends only on its key, shape and seed."""
    state: dict[str, Tensor] = {}
    for key, tensor in module.state_dict().items():
        leaf = key.rpartition(".")[2]
        if leaf in ("mean", "std"):  # the normalisation constants a module registers stay as they are
            state[key] = tensor
        elif leaf == "num_batches_tracked":
            state[key] = torch.zeros_like(tensor)
        else:
            drawn = np.asarray(_draw(key, tuple(tensor.shape), seed, gain), np.float32)
            multiply, add = (overrides or {}).get(key, (1.0, 0.0))
            state[key] = torch.from_numpy(np.asarray(drawn * np.float32(multiply) + np.float32(add), np.float32))
    return state


def golden_frames(frames: NDArray[np.uint8], pad: tuple[int, int, int, int]) -> Tensor:
    """uint8 [T, H, W, 3] -> float32 [T, 3, Hp, Wp]: normalised, then padded with zeros (left, right, top, bottom)."""
    images = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
    return nn.functional.pad((images - _IMAGENET_MEAN) / _IMAGENET_STD, pad)


def golden_onehot(mask: NDArray[np.uint8], num_objects: int, pad: tuple[int, int, int, int]) -> Tensor:
    """uint8 [H, W] -> float32 [K+1, Hp, Wp], background first; padding belongs to nothing."""
    planes = torch.from_numpy(mask) == torch.arange(num_objects + 1).view(-1, 1, 1)
    return nn.functional.pad(planes.float(), pad)
