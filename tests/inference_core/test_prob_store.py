"""Soft results that know when they are out of date."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from inference_core.prob_store import CompactProbStore, ExactProbStore
from util.types import Size

SIZE = Size(24, 40)


def make_prob(seed: int = 0) -> tuple[torch.Tensor, np.ndarray]:
    prob = torch.rand(3, *SIZE, generator=torch.Generator().manual_seed(seed))
    prob = prob / prob.sum(0)
    return prob, prob.argmax(0).to(torch.uint8).numpy()


def test_planes_come_back_to_a_255th() -> None:
    store = CompactProbStore(1 << 20)
    prob, mask = make_prob()
    prob[1, :10] = 0
    store.put(3, prob, (1, 2), mask)
    for row in (1, 2):
        plane = store.get(3, row, mask)
        assert plane is not None
        assert (plane - prob[row]).abs().max() <= 0.5 / 255 + 1e-6


def test_a_changed_mask_hides_only_the_changed_object() -> None:
    store = CompactProbStore(1 << 20)
    prob, mask = make_prob()
    store.put(3, prob, (1, 2), mask)
    edited = mask.copy()
    edited[edited == 2] = 0
    assert store.get(3, 2, edited) is None
    assert store.get(3, 1, edited) is not None
    assert store.get(4, 1, mask) is None


def test_budget_drops_the_oldest() -> None:
    prob, mask = make_prob()
    store = CompactProbStore(1 << 20)
    store.put(0, prob, (1, 2), mask)
    store = CompactProbStore(store.nbytes + 10)
    for frame in range(3):
        store.put(frame, prob, (1, 2), mask)
    assert store.get(0, 1, mask) is None
    assert store.get(2, 2, mask) is not None


def test_snapshot_and_restore() -> None:
    prob, mask = make_prob()
    store = CompactProbStore(1 << 20)
    store.put(0, prob, (1, 2), mask)
    state, nbytes = store.snapshot(), store.nbytes
    store.put(1, prob, (1, 2), mask)
    store.restore(state)
    assert store.get(1, 1, mask) is None
    assert store.nbytes == nbytes


def test_exact_store_starts_as_the_published_one() -> None:
    store = ExactProbStore(SIZE, (1, 2))
    assert store.full(5)[0].max() == pytest.approx(1e-7)
    assert store.full(5)[1:].max() == 0
    prob, mask = make_prob()
    store.put(5, prob, (1, 2), mask)
    assert torch.equal(store.full(5), prob)
    with pytest.raises(ValueError, match="all objects"):
        store.put(5, prob[:2], (1,), mask)
