"""The settings that the embedded weights were trained with, and those meant for a GPU."""
from __future__ import annotations

from training.preset import Preset, PresetName, Stage

PRESETS: dict[tuple[str, PresetName], Preset] = {
    ("light-propagation", "cpu"): Preset(20000, 4, (Stage(0.45, 128), Stage(0.75, 160), Stage(1.0, 192))),
    ("light-propagation", "gpu"): Preset(
        1_000_000, 64, (Stage(0.4, 192), Stage(0.7, 256), Stage(1.0, 320)), rate=1e-3, average=0.999, score_every=50_000
    ),
}


def preset_of(network: str, name: PresetName) -> Preset:
    return PRESETS[network, name]
