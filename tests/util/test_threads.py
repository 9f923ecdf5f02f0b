"""Sharing the processor."""
from __future__ import annotations

from util.threads import SPINS, calm_openmp


def test_a_value_of_the_users_own_stays() -> None:
    theirs, empty = {"GOMP_SPINCOUNT": "5"}, dict[str, str]()
    calm_openmp(theirs)
    calm_openmp(empty)
    assert theirs == {"GOMP_SPINCOUNT": "5"}
    assert empty == {"GOMP_SPINCOUNT": SPINS}
