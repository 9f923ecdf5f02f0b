"""Objects that a network finds: merged to one mask, followed through a video, stopped in between."""
from __future__ import annotations

import numpy as np
import pytest

from inference_core.api import Proposal
from interact.headless_zero_shot import ZeroShotRun
from interact.suggestions import merged
from tests.inference_core.fakes import ArrayFrames
from util.jobs import Cancelled, CancelToken
from util.types import ImageU8, IndexMask, Size

SIZE = Size(2, 4)


def proposal(number: int, *rows: list[float]) -> Proposal:
    prob = np.array(rows, np.float32)
    return Proposal(number, prob, float(prob[prob > 0.5].mean()))


class Moving:
    """Object 1 always, object 3 from the third frame on."""

    engine, device, settings = "moving", "cpu", {}

    def __init__(self) -> None:
        self.frame = -1
        self.starts = 0

    def start(self) -> None:
        self.starts += 1

    def propose(self, image: ImageU8) -> tuple[Proposal, ...]:
        self.frame += 1
        assert image[0, 0, 0] == self.frame + 1
        first = proposal(1, [0.9, 0.9, 0, 0], [0, 0, 0, 0])
        return (first,) if self.frame < 2 else (first, proposal(3, [0, 0.95, 0, 0], [0, 0.6, 0, 0]))

    def close(self) -> None:
        """Nothing to free."""


class Kept:
    """Masks in memory."""

    def __init__(self) -> None:
        self.masks: dict[int, IndexMask] = {}

    def get(self, frame: int) -> IndexMask:
        return self.masks.get(frame, np.zeros(SIZE, np.uint8))

    def set(self, frame: int, mask: IndexMask) -> None:
        self.masks[frame] = mask


def frames() -> ArrayFrames:
    return ArrayFrames(np.arange(6, dtype=np.uint8)[:, None, None, None].repeat(2, 1).repeat(4, 2).repeat(3, 3))


def test_the_likeliest_proposal_above_one_half_wins() -> None:
    one = proposal(2, [0.6, 0.5, 0.9, 0.7], [0, 0, 0, 0])
    other = proposal(5, [0.8, 0.4, 0.9, 0.3], [0.51, 0, 0, 0])
    assert merged([one, other], SIZE).tolist() == [[5, 0, 2, 2], [5, 0, 0, 0]]
    assert not merged([], SIZE).any()


def test_ids_stay_and_objects_begin_where_they_are_first_seen() -> None:
    proposer, masks = Moving(), Kept()
    job = ZeroShotRun(proposer, frames(), masks, range(1, 5))
    assert list(job.run(CancelToken())) == [1, 2, 3, 4] and job.total == 4
    assert proposer.starts == 1 and sorted(masks.masks) == [1, 2, 3, 4] and job.finished == {1, 2, 3, 4}
    assert masks.get(2).tolist() == [[1, 1, 0, 0], [0, 0, 0, 0]]
    assert masks.get(3).tolist() == [[1, 3, 0, 0], [0, 3, 0, 0]]
    assert job.key_frames == {1: {1}, 3: {3}}


def test_a_stop_keeps_what_is_finished() -> None:
    masks, token = Kept(), CancelToken()
    job = ZeroShotRun(Moving(), frames(), masks, range(1, 5))
    steps = job.run(token)
    assert next(steps) == 1
    token.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert job.finished == {1} and job.key_frames == {1: {1}}
