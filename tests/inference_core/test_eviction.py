"""How a full memory makes room: what goes, what never goes, and that nothing changes as long as it is not full."""
from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_core.block_readout import BlockSearch
from inference_core.eviction import EVICTIONS, Eviction
from inference_core.memory_bank import MemoryBank
from inference_core.propagator import Memory
from model.attention import dot_similarity, l2_similarity
from tests.inference_core.test_memory_bank import CELLS, CK, CV, random_frame
from util.types import Size

QUERY = random_frame(1000)[0][0]
SEARCH = BlockSearch(Size(2, 6), blocks=2)


def make_bank(eviction: Eviction, max_rolling: int | None = 3, *, top_k: int = 5, **options: object) -> MemoryBank:
    bank = MemoryBank(
        similarity=l2_similarity, top_k=top_k, max_rolling=max_rolling, eviction=eviction, **options  # type: ignore[arg-type]
    )
    bank.set_objects([1, 2])
    return bank


def fill(bank: MemoryBank, frames: int, groups: int = 1) -> None:
    bank.put(0, *random_frame(0, groups=groups), [0, 1], Memory.PINNED)
    for frame in range(1, frames + 1):
        bank.put(frame, *random_frame(frame, groups=groups), [0, 1], Memory.ROLLING)
        bank.read(QUERY, [0, 1])


@pytest.mark.parametrize("search", [None, SEARCH])
@pytest.mark.parametrize("eviction", EVICTIONS)
def test_nothing_changes_as_long_as_nothing_is_evicted(eviction: Eviction, search: BlockSearch | None) -> None:
    bounded, unbounded = make_bank(eviction, 4, search=search), make_bank("oldest", None, search=search)
    fill(bounded, 4)
    fill(unbounded, 4)
    assert bounded.frames() == unbounded.frames()
    assert torch.equal(bounded.read(QUERY, [0, 1]), unbounded.read(QUERY, [0, 1]))


@pytest.mark.parametrize("is_per_object", [False, True])
@pytest.mark.parametrize("eviction", EVICTIONS)
def test_bytes_stay_within_the_bound(eviction: Eviction, is_per_object: bool) -> None:
    bank = MemoryBank(
        similarity=dot_similarity, top_k=5, max_rolling=3, eviction=eviction, keys_per_object=is_per_object
    )
    bank.set_objects([1, 2])
    fill(bank, 30, groups=2 if is_per_object else 1)
    one_frame = 4 * CELLS * (CK * (2 if is_per_object else 1) + CV * 2)
    assert len(bank.frames(Memory.ROLLING)) == 3
    assert bank.nbytes <= (1 + 3 + 1) * one_frame, "key frames, rolling frames and the one before"


Step = tuple[str, int]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(EVICTIONS),
    st.lists(st.tuples(st.sampled_from(["pin", "roll", "previous", "read", "end"]), st.integers(0, 9)), max_size=30),
)
def test_key_frames_stay_as_they_are(eviction: Eviction, steps: list[Step]) -> None:
    bank = make_bank(eviction, 2)
    pinned: dict[int, int] = {}
    for seed, (action, number) in enumerate(steps):
        if action == "end":
            bank.drop_rolling()
        elif action == "read":
            if pinned:
                bank.read(QUERY, [0, 1])
        elif action == "pin":
            bank.put(number, *random_frame(seed), [0, 1], Memory.PINNED)
            pinned[number] = seed
        else:
            kind = Memory.ROLLING if action == "roll" else Memory.PREVIOUS
            bank.put(100 + seed, *random_frame(seed), [0, 1], kind)
        assert len(bank.frames(Memory.ROLLING)) <= 2
        assert sorted(bank.frames(Memory.PINNED)) == sorted(pinned)
        assert all(torch.equal(bank.key(frame, [0]), random_frame(own)[0]) for frame, own in pinned.items())


def test_the_oldest_goes_first() -> None:
    bank = make_bank("oldest")
    fill(bank, 5)
    assert bank.frames() == (0, 3, 4, 5)


def test_what_is_never_looked_at_goes_first() -> None:
    """Every query is a cell of frame 1 or 3, so that nothing is read from frame 2."""
    bank = make_bank("least_read", top_k=1)
    frames = {frame: random_frame(frame) for frame in range(1, 5)}
    bank.put(0, *random_frame(0), [0, 1], Memory.PINNED)
    for frame in (1, 2, 3):
        bank.put(frame, *frames[frame], [0, 1], Memory.ROLLING)
    bank.read(torch.cat([frames[1][0][0], frames[3][0][0]], 1), [0, 1])
    bank.put(4, *frames[4], [0, 1], Memory.ROLLING)
    assert bank.frames() == (0, 1, 3, 4)
    bank.read(torch.cat([frames[4][0][0], frames[3][0][0]], 1), [0, 1])
    bank.put(5, *random_frame(5), [0, 1], Memory.ROLLING)
    assert bank.frames() == (0, 3, 4, 5), "frame 1 gave half of one read and nothing of the other"


def test_a_frame_counts_the_reads_since_it_came() -> None:
    """Frame 1 was read in full once and then not any more; frame 2 came later and gives a third of every read."""
    bank = make_bank("least_read", 2, top_k=1)
    first, second, third = (random_frame(seed) for seed in (1, 2, 3))
    bank.put(0, *random_frame(0), [0, 1], Memory.PINNED)
    bank.put(1, *first, [0, 1], Memory.ROLLING)
    bank.read(first[0][0], [0, 1])
    bank.put(2, *second, [0, 1], Memory.ROLLING)
    mixed = torch.cat([random_frame(0)[0][0], random_frame(0)[0][0], second[0][0]], 1)
    for _ in range(3):
        bank.read(mixed, [0, 1])
    bank.put(3, *third, [0, 1], Memory.ROLLING)
    assert bank.frames() == (0, 2, 3), "1/4 of a read each for frame 1, 1/3 for frame 2"


def test_neighbours_that_look_alike_become_their_mean() -> None:
    bank = make_bank("merge", 2, top_k=1)
    bank.put(0, *random_frame(0), [0, 1], Memory.PINNED)
    key, value = random_frame(1)
    for frame in range(1, 4):
        bank.put(frame, key + 0.01 * frame, value * frame, [0, 1], Memory.ROLLING)
    assert bank.frames() == (0, 2, 3)
    bank.put(4, *random_frame(4), [0, 1], Memory.ROLLING)
    assert bank.frames() == (0, 3, 4)
    torch.testing.assert_close(bank.key(3, [0]), key + 0.02)
    read = MemoryBank(similarity=l2_similarity, top_k=1, max_rolling=None)
    read.set_objects([1, 2])
    read.put(3, key + 0.02, value * 2, [0, 1], Memory.PINNED)
    near = key[0] + 0.02
    torch.testing.assert_close(bank.read(near, [0, 1]), read.read(near, [0, 1]))


def test_what_different_objects_read_is_not_merged() -> None:
    bank = make_bank("merge", 2)
    bank.put(0, *random_frame(0), [0, 1], Memory.PINNED)
    bank.put(1, *random_frame(1), [0, 1], Memory.ROLLING)
    bank.put(2, *random_frame(1, slots=1), [1], Memory.ROLLING)
    bank.put(3, *random_frame(3), [0, 1], Memory.ROLLING)
    assert bank.frames() == (0, 2, 3), "no two neighbours are alike in who reads them: the oldest goes"


def test_when_memory_runs_out_while_putting_the_bank_is_as_it_was() -> None:
    bank = make_bank("oldest", None)
    fill(bank, 3)
    bank.put(4, *random_frame(4), [0, 1], Memory.PREVIOUS)
    before, read = bank.frames(), bank.read(QUERY, [0, 1])
    bank._reserve = lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError("injected"))  # type: ignore[method-assign]
    with pytest.raises(torch.OutOfMemoryError):
        bank.put(5, *random_frame(5), [0, 1], Memory.ROLLING)
    assert bank.frames() == before
    assert torch.equal(bank.read(QUERY, [0, 1]), read)


def test_at_least_one_rolling_frame() -> None:
    with pytest.raises(ValueError, match="max_rolling"):
        make_bank("oldest", 0)
