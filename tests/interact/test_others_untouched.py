"""Correcting and propagating one object with the real loop of the engine: the others keep every byte."""
from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference_core.core import InferenceCore
from inference_core.fusion import LinearFuser
from inference_core.policy import CompatPolicy
from interact.session import VideoSession
from tests.inference_core.engines import make_propagator
from tests.interact.scene import Driver
from tests.synthetic import make_synthetic_video
from util.errors import AppError
from util.jobs import run_inline

VIDEO = make_synthetic_video()
FRAMES = st.integers(0, len(VIDEO) - 1)
WORK = st.lists(
    st.one_of(
        st.tuples(st.just("brush"), FRAMES, st.integers(5, 90)),
        st.tuples(st.just("eraser"), FRAMES, st.integers(5, 90)),
        st.tuples(st.sampled_from(["forward", "backward", "both"]), FRAMES, st.just(0)),
        st.tuples(st.sampled_from(["locked", "verified", "key"]), FRAMES, st.integers(1, 3)),
    ),
    min_size=2,
    max_size=6,
)


def bytes_of(session: VideoSession, object_ids: set[int]) -> list[bytes]:
    return [
        (np.isin(mask, list(object_ids)) * mask).tobytes()
        for mask in map(session.masks.get, range(len(VIDEO)))
    ]


def check(engine: str, script: list[tuple[str, int, int]]) -> None:
    """Objects 1 and 2 are protected in one way or the other, 3 is worked on."""
    with tempfile.TemporaryDirectory() as folder:
        hand = Driver(Path(folder), size=VIDEO.size, num_frames=len(VIDEO))
        session = hand.session
        session.import_masks(dict(enumerate(VIDEO.masks)))
        session.key_frames.replace({frame: frozenset() for frame in range(len(VIDEO))})
        session.set_object_locked(1, True)
        session.set_marks("verified", [2], range(len(VIDEO)), on=True)
        core = InferenceCore(
            session.frames, make_propagator(engine, VIDEO.size), LinearFuser(), session.masks.get,
            policy=CompatPolicy.product(),
        )
        session.select_object(3)
        hand.says = "keep"
        before = bytes_of(session, {1, 2})
        for name, frame, value in script:
            session.seek(frame)
            if name in ("locked", "verified", "key"):
                session.set_marks(name, [value], [frame], on=True)  # type: ignore[arg-type]
            elif name in ("brush", "eraser"):
                hand.drag(name, (value, 10), (90 - value // 2, 50))
            else:
                held = {f: session.masks.get(f) == 3 for kind in session.marks for f, ids in session.marks[kind].items()
                        if 3 in ids}
                try:
                    outcome = run_inline(session.propagate_job(lambda: core, name))  # type: ignore[arg-type]
                except AppError:
                    continue
                assert outcome.kind == "done", outcome.error
                assert all(((session.masks.get(f) == 3) == old).all() for f, old in held.items()), "a barrier changed"
            assert bytes_of(session, {1, 2}) == before
        session.close()


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(WORK)
def test_whatever_is_done_to_one_object(script: list[tuple[str, int, int]]) -> None:
    check("static", script)


@pytest.mark.parametrize("mark", ["verified", "locked"])
def test_with_a_real_network(mark: str) -> None:
    check("light", [("brush", 4, 30), (mark, 7, 3), ("both", 4, 0), ("eraser", 2, 40), ("forward", 2, 0)])
