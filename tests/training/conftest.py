"""Packs for tiny trainings."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.training.trainings import make_packs


@pytest.fixture(scope="session")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with train.npz and heldout.npz."""
    return make_packs(tmp_path_factory.mktemp("packs"))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums come out the same every time with one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
