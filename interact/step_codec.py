"""A `Step` as bytes and back: what the journal keeps of it."""
from __future__ import annotations

from collections.abc import Mapping

from interact import commands
from interact.commands import Change, Step
from interact.value_codec import Codec

CHANGES: Mapping[str, type] = {
    "baseline": commands.BaselineChange,
    "interaction": commands.InteractionChange,
    "marks": commands.MarkChange,
    "mask": commands.MaskChange,
    "objects": commands.ObjectsChange,
    "sources": commands.ProvenanceChange,
}
"""Every kind of change by the name it has on disk; names are never given to anything else."""

CODEC = Codec({Change: CHANGES})


def pack_step(step: Step) -> bytes:
    return CODEC.pack(step, Step)


def unpack_step(data: bytes) -> Step:
    """Raises ValueError for bytes that hold no step."""
    step = CODEC.unpack(data, Step)
    assert isinstance(step, Step)
    return step
