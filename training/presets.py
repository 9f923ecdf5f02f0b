"""The settings of trainings on a CPU, which the embedded weights come from, and those meant for a GPU.

    python -m training.presets

prints them as the table in docs/training.md.
"""
from __future__ import annotations

from typing import get_args

from training.preset import Preset, PresetName, Stage
from util.errors import AppError

PRESETS: dict[tuple[str, PresetName], Preset] = {
    ("light-propagation", "cpu"): Preset(
        20000, 4, (Stage(0.45, 128), Stage(0.75, 160), Stage(1.0, 192)), optimiser="muon", frames=4
    ),
    ("light-propagation", "gpu"): Preset(
        1_000_000, 64, (Stage(0.4, 192), Stage(0.7, 256), Stage(1.0, 320)), optimiser="muon", rate=1e-3, average=0.999,
        score_every=50_000,
    ),
    ("light-interaction", "cpu"): Preset(
        15000, 8, (Stage(0.5, 160), Stage(1.0, 256)), optimiser="muon", frames=1, score_every=5000
    ),
    ("light-interaction", "gpu"): Preset(
        1_000_000, 64, (Stage(0.5, 192), Stage(1.0, 256)), optimiser="muon", rate=1e-3, average=0.999, frames=1,
        score_every=50_000,
    ),
    ("light-fusion", "cpu"): Preset(
        16000, 8, (Stage(1.0, 160),), rate=1e-3, warm_up=50, average=0.98, frames=1, score_every=4000
    ),
    ("light-fusion", "gpu"): Preset(
        200_000, 64, (Stage(1.0, 160),), rate=1e-3, average=0.995, frames=1, score_every=20_000
    ),
    ("quality", "cpu"): Preset(8000, 8, (Stage(1.0, 256),), rate=1e-4, average=0.99, frames=1, score_every=2000),
    ("quality", "gpu"): Preset(
        500_000, 32, (Stage(1.0, 256),), rate=1e-4, average=0.999, frames=1, score_every=25_000
    ),
    **{
        (network, name): Preset(
            96_000, 32, (Stage(1.0, 32),), rate=3e-4, warm_up=50, weight_decay=5e-4, average=0.95, frames=1,
            score_every=16_000,
        )
        for network in ("pretrain-agent", "agent")
        for name in get_args(PresetName)
    },
    **{
        ("light-quality", name): Preset(
            102_400, 256, (Stage(1.0, 32),), rate=4e-3, warm_up=20, weight_decay=0.3, average=0.95, frames=1,
            score_every=25_600,
        )
        for name in get_args(PresetName)
    },
}


def preset_of(network: str, name: PresetName) -> Preset:
    """Raises AppError if this network has no such preset."""
    if (network, name) not in PRESETS:
        raise AppError(f"{network} has no preset {name}.", "Choose another with --preset.")
    return PRESETS[network, name]


def as_table() -> str:
    """All presets in Markdown."""
    columns = ("network", "preset", "samples", "batch", "frames", "side of the crops, until")
    columns += ("optimiser", "rate", "warm-up", "average")
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for (network, name), p in PRESETS.items():
        sides = ", ".join(f"{stage.side} until {stage.until:.0%}" for stage in p.stages)
        lines.append(
            f"| {network} | {name} | {p.samples:,} | {p.batch} | {p.frames} | {sides} "
            f"| {p.optimiser} | {p.rate:g} | {p.warm_up} steps | {p.average:g} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(as_table())
