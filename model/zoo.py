"""Which weight files there are, where they lie and which network each belongs to. No torch here."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from util.errors import AppError

_ROOT = Path(__file__).resolve().parents[1]
_SAVES = _ROOT / "saves"
_EMBEDDED = _ROOT / "model" / "weights"


@dataclass(frozen=True)
class WeightFile:
    """One weight file.

    Args:
        name: how flags and messages call it.
        title: what a person calls the network in it.
        path: where it is looked for unless a flag names another file.
        used_for: what the program can do with it.
    """

    name: str
    title: str
    path: Path
    used_for: str

    @property
    def is_embedded(self) -> bool:
        """True if the file is part of the repository."""
        return self.path.parent == _EMBEDDED


@dataclass(frozen=True)
class KnownNetwork:
    """A kind of checkpoint that can be recognised by its tensors.

    Args:
        title: for messages.
        network: "module:class" of the network.
        options: keyword arguments that build this variant.
        shapes: tensors whose shape differs from what the class builds.
    """

    title: str
    network: str
    options: Mapping[str, bool] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


WEIGHT_FILES: tuple[WeightFile, ...] = (
    WeightFile("light", "light network", _EMBEDDED / "light.safetensors", "propagation, engine light"),
    WeightFile("stcn", "STCN", _SAVES / "stcn.pth", "propagation, engine stcn"),
    WeightFile("fusion_stcn", "fusion network", _SAVES / "fusion_stcn.pth", "fusion between key frames, engine stcn"),
    WeightFile("stm", "STM", _SAVES / "propagation_model.pth", "propagation, engine stm"),
    WeightFile("fusion_stm", "fusion network of STM", _SAVES / "fusion.pth", "fusion between key frames, engine stm"),
)

KNOWN_NETWORKS: tuple[KnownNetwork, ...] = (
    KnownNetwork("the light network", "model.light:LightNet"),
    KnownNetwork("STCN", "model.stcn:STCN"),
    KnownNetwork("STCN without block attention", "model.stcn:STCN", {"attention": False}),
    KnownNetwork(
        "STCN after its first training stage, which knows a single object only",
        "model.stcn:STCN",
        shapes={"value_encoder.conv1.weight": (64, 4, 7, 7)},
    ),
    KnownNetwork("STM", "model.stm:STM"),
    KnownNetwork("the fusion network", "model.fusion_net:FusionNet"),
)


def find(name: str) -> WeightFile:
    """The entry of this name; ValueError if there is none."""
    for entry in WEIGHT_FILES:
        if entry.name == name:
            return entry
    raise ValueError(f"no weight file is called {name!r}; there are {', '.join(e.name for e in WEIGHT_FILES)}")


def resolve(name: str, explicit: Path | None = None) -> Path:
    """The file to load.

    Args:
        name: which weights.
        explicit: the file a flag names; None for the usual place.

    Raises:
        AppError: there is no such file.
    """
    entry = find(name)
    path = entry.path if explicit is None else explicit
    if path.is_file():
        return path
    if explicit is not None:
        raise AppError(f"The weight file {explicit} ({entry.title}) does not exist.", "Check the path.")
    if entry.is_embedded:
        raise AppError(f"{path} is missing, although it is part of this program.", "Restore it from the repository.")
    raise AppError(
        f"The weights of the {entry.title} are not there: {path} does not exist.",
        f"Put the published file {path.name} into {path.parent}, or name it where it lies by its flag.",
    )


def is_available(name: str) -> bool:
    """True if the weights are in their usual place."""
    return find(name).path.is_file()
