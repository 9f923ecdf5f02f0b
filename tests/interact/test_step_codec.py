"""Steps as bytes: every kind of change comes back equal, nothing else is accepted."""
from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interact import commands
from interact.baselines import Baseline
from interact.commands import (
    BaselineChange,
    Change,
    InteractionChange,
    MarkChange,
    MaskChange,
    ObjectsChange,
    ProvenanceChange,
    Step,
)
from interact.interaction import Interaction
from interact.objects import SceneObject
from interact.packed_mask import PackedMask
from interact.prompts import Box, Click, Point, Stroke
from interact.step_codec import CHANGES, CODEC, pack_step, unpack_step
from interact.step_log import Snapshot, StepRef, pack_snapshot, unpack_snapshot
from storage.journal import Address
from storage.mask_delta import diff
from storage.provenance import GivenPrompt, Source, Span

masks = st.integers(0, 1 << 30).map(lambda seed: np.random.default_rng(seed).integers(0, 3, (4, 5)).astype(np.uint8))
frames, ids, texts = st.integers(0, 9), st.integers(1, 254), st.text(max_size=5)
numbers = st.integers(-5, 50) | st.floats(-1, 50)
packed = masks.map(PackedMask.pack)
marks = st.dictionaries(frames, st.frozensets(ids, max_size=3), max_size=3)
items = st.builds(SceneObject, ids, texts, texts, st.none() | st.tuples(*[st.integers(0, 255)] * 3), st.booleans())
prompts = st.one_of(
    st.builds(Click, numbers, numbers, st.booleans()),
    st.builds(Stroke, st.lists(st.builds(Point, numbers, numbers), min_size=1, max_size=3).map(tuple), st.booleans(),
              numbers),
    st.builds(Box, numbers, numbers, numbers, numbers),
)
interactions = st.builds(
    Interaction, frames, ids, st.sampled_from(["click", "scribble"]),
    st.lists(prompts, min_size=1, max_size=3).map(tuple), packed, packed,
)
baselines = st.builds(Baseline, packed, st.booleans(), st.booleans())
sources = st.builds(
    Source, st.sampled_from(["hand", "imported", "propagated"]), texts, texts, st.none() | frames, texts, texts,
    st.just((("a", 1), ("b", 0.5), ("c", "x"))), st.just((GivenPrompt("click", True, ((1.5, 2),)),)),
)
spans = st.lists(st.builds(Span, ids, st.builds(range, frames, frames), st.none() | sources), max_size=2).map(tuple)
changes = st.one_of(
    st.builds(lambda a, b: MaskChange(diff(3, a, b)), masks, masks),
    st.builds(MarkChange, st.sampled_from(["key", "locked", "verified"]), marks, marks),
    st.builds(BaselineChange, frames, st.none() | baselines, st.none() | baselines),
    st.builds(InteractionChange, st.none() | interactions, st.none() | interactions),
    st.builds(ObjectsChange, st.lists(items, max_size=2).map(tuple), st.lists(items, max_size=2).map(tuple),
              st.none() | ids, st.none() | ids),
    st.builds(ProvenanceChange, spans, spans),
)
steps = st.builds(Step, texts, st.none() | frames, st.lists(changes, max_size=4).map(tuple),
                  st.lists(items, max_size=2).map(tuple))


@given(steps)
def test_steps_come_back_equal(step: Step) -> None:
    data = pack_step(step)
    assert unpack_step(data) == step and pack_step(unpack_step(data)) == data


@given(st.dictionaries(frames, baselines, max_size=2), st.none() | interactions, st.lists(items, max_size=2))
def test_snapshots_come_back_equal(
    kept: dict[int, Baseline], interaction: Interaction | None, deleted: list[SceneObject]
) -> None:
    ref = StepRef(Address(3, 24), "paint", None, 12, 1.5, tuple(deleted))
    snapshot = Snapshot((ref,), (ref, ref), kept, interaction)
    assert unpack_snapshot(pack_snapshot(snapshot)) == snapshot


def test_every_change_has_a_name() -> None:
    """A new kind of change without a line in the table would make the first step with it fail."""
    kinds = {
        kind for _, kind in inspect.getmembers(commands, dataclasses.is_dataclass)
        if kind.__module__ == commands.__name__ and {"apply", "revert", "nbytes"} <= set(dir(kind)) and kind is not Step
    }
    assert kinds == set(CHANGES.values())


@given(steps, st.data())
def test_damaged_bytes_are_no_step(step: Step, data: st.DataObject) -> None:
    whole = pack_step(step)
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    try:
        unpack_step(changed)
    except ValueError:
        return


def test_older_steps_take_defaults_and_newer_fields_are_refused() -> None:
    old = CODEC.pack(Step("a", 1, ()), Step).replace(b',"deleted":[]', b"")
    old = (len(old) - 4).to_bytes(4, "little") + old[4:]
    assert unpack_step(old) == Step("a", 1, ())
    new = CODEC.pack(Step("a", 1, ()), Step).replace(b'"deleted"', b'"revised"')
    with pytest.raises(ValueError, match="revised"):
        unpack_step(new)


@pytest.mark.parametrize(
    ("value", "hint"),
    [(1.5, int), (True, int), ("1", float), (1, str), (None, str), ("x", MarkChange), ((1, 2), tuple[int, str]),
     (object(), Change), ("no", commands.MarkKind), ([1], tuple[int, ...]), (5, set)],
)
def test_wrong_values_are_not_kept(value: object, hint: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        CODEC.pack(value, hint)


def test_numpy_numbers_are_kept_as_plain_ones() -> None:
    step = Step("a", np.int64(3), ())  # type: ignore[arg-type]
    assert type(unpack_step(pack_step(step)).frame) is int
