"""The bank against a dense formulation of the published equations, and its life as an addressable store."""
from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from inference_core.memory_bank import MemoryBank
from inference_core.propagator import EmptyMemoryError, Memory
from inference_core.readout import GROUP, best_cells, readout
from model.attention import dot_similarity, l2_similarity

CK, CV, CELLS = 8, 6, 12


def make_bank(top_k: int = 5, max_rolling: int | None = None, **options: object) -> MemoryBank:
    options = {"eviction": "oldest", **options}
    bank = MemoryBank(similarity=l2_similarity, top_k=top_k, max_rolling=max_rolling, **options)  # type: ignore[arg-type]
    bank.set_objects([1, 2])
    return bank


def random_frame(seed: int, slots: int = 2, groups: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(groups, CK, CELLS, generator=generator),
        torch.randn(slots, CV, CELLS, generator=generator),
    )


def dense_read(keys: list[Tensor], values: list[Tensor], query: Tensor, top_k: int) -> Tensor:
    """Every term of the published formula, with a full weight matrix [N, Nq]."""
    key, value = torch.cat(keys, 1), torch.cat(values, 2)
    scores = -(key[:, :, None] - query[:, None]).square().sum(0) / math.sqrt(CK)
    kept, cells = scores.topk(top_k, dim=0)
    weights = torch.zeros_like(scores).scatter(0, cells, kept.softmax(0))
    return value @ weights


def test_read_equals_the_dense_formula() -> None:
    bank = make_bank()
    frames = [random_frame(seed) for seed in range(4)]
    for number, (key, value) in enumerate(frames):
        bank.put(number, key, value, [0, 1], Memory.PINNED)
    query = random_frame(99)[0][0]
    expected = dense_read([k[0] for k, _ in frames], [v for _, v in frames], query, top_k=5)
    torch.testing.assert_close(bank.read(query, [0, 1]), expected)


def test_read_in_blocks_equals_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    key, value = random_frame(0)
    query = random_frame(1)[0][0]
    whole = readout(key[0], query, value.transpose(1, 2), l2_similarity, 5)
    monkeypatch.setattr("inference_core.readout.query_blocks", lambda n, _: (slice(i, i + 5) for i in range(0, n, 5)))
    torch.testing.assert_close(readout(key[0], query, value.transpose(1, 2), l2_similarity, 5), whole)


@pytest.mark.parametrize("num_cells", [3, 40, GROUP * 10 - 1, GROUP * 10, GROUP * 12 + 7, 1000])
def test_best_cells_equal_a_plain_top_k(num_cells: int) -> None:
    similarities = torch.randn(50, num_cells, generator=torch.Generator().manual_seed(num_cells))
    similarities[:5] = similarities[:5].round()  # with ties
    values, cells = best_cells(similarities, 5)
    expected = similarities.topk(min(5, num_cells), dim=1).values
    assert torch.equal(values.sort(1, descending=True).values, expected)
    assert torch.equal(similarities.gather(1, cells), values)
    assert all(len(row.unique()) == len(row) for row in cells)


def test_keys_per_object_are_read_per_object() -> None:
    bank = MemoryBank(similarity=dot_similarity, top_k=4, max_rolling=None, keys_per_object=True)
    bank.set_objects([1, 2])
    key, value = random_frame(3, groups=2)
    bank.put(0, key, value, [0, 1], Memory.PINNED)
    query = random_frame(4)[0][0]
    read = bank.read(query, [0, 1])
    for slot in range(2):
        alone = readout(key[slot], query, value[slot : slot + 1].transpose(1, 2), dot_similarity, 4)
        torch.testing.assert_close(read[slot], alone[0].t())


def test_keys_per_object_follow_their_objects() -> None:
    """A first frame of one object alone, further objects, another order: every object keeps the key it was given."""
    bank = MemoryBank(similarity=dot_similarity, top_k=4, max_rolling=None, keys_per_object=True)
    bank.set_objects([1])
    first, second = random_frame(5, slots=1), random_frame(6, groups=2)
    bank.put(0, *first, [0], Memory.PINNED)
    bank.set_objects([2, 1])
    bank.put(1, *second, [0, 1], Memory.PINNED)
    assert torch.equal(bank.key(0, [1]), first[0])
    assert torch.equal(bank.key(1, [1, 0]), second[0].flip(0))
    query = random_frame(7)[0][0]
    keys, values = torch.cat([first[0][0], second[0][1]], 1), torch.cat([first[1][0], second[1][1]], 1)
    alone = readout(keys, query, values.t()[None], dot_similarity, 4)
    torch.testing.assert_close(bank.read(query, [1]), alone.transpose(1, 2))


def test_same_frame_twice_replaces_or_is_kept() -> None:
    for duplicates, count in (("replace", 1), ("keep", 2)):
        bank = make_bank(duplicates=duplicates)
        for seed in (0, 1):
            key, value = random_frame(seed)
            bank.put(7, key, value, [0, 1], Memory.PINNED)
        assert bank.frames() == (7,) * count


def test_an_object_reads_only_frames_valid_for_it() -> None:
    bank = make_bank()
    first, second = random_frame(0), random_frame(1, slots=1)
    bank.put(0, *first, [0, 1], Memory.PINNED)
    bank.put(1, *second, [1], Memory.PINNED)
    query = random_frame(9)[0][0]
    read = bank.read(query, [0, 1])
    torch.testing.assert_close(read[0], dense_read([first[0][0]], [first[1]], query, 5)[0])
    both = dense_read([first[0][0], second[0][0]], [first[1][1:], second[1]], query, 5)
    torch.testing.assert_close(read[1], both[0])
    torch.testing.assert_close(bank.read(query, [1]), read[1:])


def test_an_object_without_a_frame_cannot_be_read() -> None:
    bank = make_bank()
    with pytest.raises(EmptyMemoryError):
        bank.read(torch.zeros(CK, 3), [0])
    key, value = random_frame(0, slots=1)
    bank.put(0, key, value, [1], Memory.PINNED)
    with pytest.raises(EmptyMemoryError, match="object 1"):
        bank.read(torch.zeros(CK, 3), [0, 1])


def test_rolling_frames_make_room_oldest_first_and_pinned_never() -> None:
    bank = make_bank(max_rolling=2)
    bank.put(0, *random_frame(0), [0, 1], Memory.PINNED)
    for frame in (5, 10, 15):
        bank.put(frame, *random_frame(frame), [0, 1], Memory.ROLLING)
    assert bank.frames() == (0, 10, 15)
    bank.drop_rolling()
    assert bank.frames() == (0,)


def test_previous_frame_is_replaced_by_the_next() -> None:
    bank = make_bank()
    bank.put(0, *random_frame(0), [0, 1], Memory.PINNED)
    bank.put(1, *random_frame(1), [0, 1], Memory.PREVIOUS)
    bank.put(2, *random_frame(2), [0, 1], Memory.PREVIOUS)
    assert bank.frames() == (0, 2)
    bank.put(3, *random_frame(3), [0, 1], Memory.ROLLING)
    assert bank.frames() == (0, 3)


def test_adding_and_removing_objects_keeps_the_others() -> None:
    bank = make_bank()
    bank.put(0, *random_frame(0), [0, 1], Memory.PINNED)
    query = random_frame(9)[0][0]
    before = bank.read(query, [1])
    bank.set_objects([2, 3])
    torch.testing.assert_close(bank.read(query, [0]), before)
    with pytest.raises(EmptyMemoryError, match="object 3"):
        bank.read(query, [1])


def test_snapshot_survives_later_changes() -> None:
    bank = make_bank()
    bank.put(0, *random_frame(0), [0, 1], Memory.PINNED)
    query = random_frame(9)[0][0]
    before, state = bank.read(query, [0, 1]), bank.snapshot()
    bank.put(0, *random_frame(1), [0, 1], Memory.PINNED)
    bank.put(3, *random_frame(3), [0, 1], Memory.PINNED)
    bank.restore(state)
    torch.testing.assert_close(bank.read(query, [0, 1]), before)
    assert bank.frames() == (0,)


def test_settings_name_the_limits() -> None:
    assert make_bank(top_k=7).settings == {"top_k": 7}
    assert make_bank(top_k=7, max_rolling=3).settings == {"top_k": 7, "max_rolling": 3}


def test_top_k_must_be_positive() -> None:
    with pytest.raises(ValueError, match="top_k"):
        make_bank(top_k=0)


Step = tuple[str, int]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["pin", "roll", "previous", "drop", "end"]), st.integers(0, 5)), max_size=25))
def test_bank_equals_a_plain_list(steps: list[Step]) -> None:
    """Whatever is put and dropped, the bank reads what a list of frames would."""
    bank, model = make_bank(max_rolling=3), []  # model: list of (frame, kind, seed)
    for seed, (action, frame) in enumerate(steps):
        if action == "end":
            bank.drop_rolling()
            model = [e for e in model if e[1] is Memory.PINNED]
            continue
        if action == "drop":
            bank.drop(frame)
            model = [e for e in model if e[0] != frame]
            continue
        kind = {"pin": Memory.PINNED, "roll": Memory.ROLLING, "previous": Memory.PREVIOUS}[action]
        bank.put(frame, *random_frame(seed), [0, 1], kind)
        model = [e for e in model if e[1] is not Memory.PREVIOUS and e[0] != frame]
        rolling = [e for e in model if e[1] is Memory.ROLLING]
        if kind is Memory.ROLLING and len(rolling) == 3:
            model.remove(rolling[0])
        model.append((frame, kind, seed))
    assert bank.frames() == tuple(e[0] for e in model)
    if model:
        query = random_frame(1000)[0][0]
        frames = [random_frame(seed) for _, _, seed in model]
        expected = dense_read([k[0] for k, _ in frames], [v for _, v in frames], query, 5)
        torch.testing.assert_close(bank.read(query, [0, 1]), expected, rtol=1e-4, atol=1e-5)
