"""The interactive loop: what it writes, what it leaves alone, how it fuses and how it stops."""
from __future__ import annotations

import numpy as np
import pytest
import torch

from inference_core.api import FrameResult, KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.fusion import Fuser, FusionInput, LinearFuser
from inference_core.policy import CompatPolicy
from tests.inference_core.engines import make_propagator
from tests.inference_core.fakes import ArrayFrames
from tests.synthetic import make_synthetic_video
from util.errors import AppError
from util.jobs import Cancelled, CancelToken
from util.types import IndexMask

VIDEO = make_synthetic_video()
LAST = len(VIDEO) - 1


class Project:
    """A core with the masks it reads and, through `run`, writes."""

    def __init__(self, engine: str = "static", fuser: Fuser | None = None) -> None:
        self.masks: list[IndexMask] = [np.zeros(VIDEO.size, np.uint8) for _ in VIDEO.frames]
        self.core = InferenceCore(
            ArrayFrames(np.stack(VIDEO.frames)),
            make_propagator(engine, VIDEO.size),
            fuser or LinearFuser(),
            lambda frame: self.masks[frame],
            policy=CompatPolicy.product(),
        )

    def run(self, request: PropagationRequest, token: CancelToken | None = None) -> list[FrameResult]:
        results = []
        for result in self.core.propagate(request, token):
            self.masks[result.frame] = result.mask
            results.append(result)
        return results


def key(frame: int, *ids: int, mask: IndexMask | None = None, baseline: IndexMask | None = None) -> KeyFrame:
    return KeyFrame(frame, VIDEO.masks[frame] if mask is None else mask, frozenset(ids), baseline)


def box(x0: int, x1: int, object_id: int = 1) -> IndexMask:
    mask = np.zeros(VIDEO.size, np.uint8)
    mask[10:40, x0:x1] = object_id
    return mask


def test_every_other_frame_once_and_in_order() -> None:
    project = Project()
    project.core.sync([key(5, 1, 2, 3)])
    results = project.run(PropagationRequest(5))
    assert [r.frame for r in results] == [*range(6, LAST + 1), 4, 3, 2, 1, 0]
    assert [r.done for r in results] == list(range(1, LAST + 1))
    assert {r.total for r in results} == {LAST} == {project.core.plan(PropagationRequest(5))}
    assert all((r.mask == VIDEO.masks[5]).all() for r in results)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_one_direction_within_bounds(direction: str) -> None:
    project = Project()
    project.core.sync([key(5, 1)])
    frames = [r.frame for r in project.run(PropagationRequest(5, direction, first=3, last=8))]  # type: ignore[arg-type]
    assert frames == ([6, 7, 8] if direction == "forward" else [4, 3])


def test_other_objects_keep_every_pixel() -> None:
    project = Project()
    project.masks = [mask.copy() for mask in VIDEO.masks]
    project.core.sync([key(0, 1)])
    project.run(PropagationRequest(0))
    for frame in range(1, LAST + 1):
        for object_id in (2, 3):
            assert ((project.masks[frame] == object_id) == (VIDEO.masks[frame] == object_id)).all()


def test_key_frames_are_never_visited_for_their_objects() -> None:
    project = Project()
    fixed = box(0, 5)
    project.masks[6] = fixed
    project.core.sync([key(0, 1, 2), key(6, 1, mask=fixed)])
    results = {r.frame: r.mask for r in project.run(PropagationRequest(0))}
    assert ((results[6] == 1) == (fixed == 1)).all()
    assert (results[6] == 2).sum() == ((VIDEO.masks[0] == 2) & (fixed != 1)).sum()
    assert not (results[7] == 1).any()
    assert (results[7] == 2).any()


def test_an_object_nobody_showed_stays_away() -> None:
    project = Project("light")
    only_one = np.where(VIDEO.masks[0] == 1, 1, 0).astype(np.uint8)
    project.core.sync([key(0, 1, 2, mask=only_one)])
    assert all(not (r.mask == 2).any() for r in project.run(PropagationRequest(0, last=3)))
    assert project.core.plan(PropagationRequest(0)) == LAST


def test_only_the_anchors_objects_are_carried() -> None:
    project = Project("light")
    project.core.sync([key(0, 1), key(8, 3)])
    masks = [r.mask for r in project.run(PropagationRequest(0, last=4))]
    assert all(set(np.unique(mask)) <= {0, 1} for mask in masks)


def test_between_two_key_frames_the_nearer_one_weighs_more() -> None:
    project = Project()
    left, right = box(0, 20), box(50, 80)
    project.core.sync([key(0, 1, mask=left)])
    project.masks[0] = left
    project.run(PropagationRequest(0))
    before = project.masks[10]
    project.masks[10] = right
    project.core.sync([key(0, 1, mask=left), key(10, 1, mask=right, baseline=before)])
    fused = {r.frame: r.mask for r in project.run(PropagationRequest(10))}
    assert sorted(fused) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]
    for frame in (1, 2, 3, 4):
        assert (fused[frame] == left).all()
    for frame in (6, 7, 8, 9):
        assert (fused[frame] == right).all()
    assert (fused[11] == right).all()


class RecordingFuser:
    """Takes the new result, and keeps what it was given."""

    name = "recording"
    needs_attention = True

    def __init__(self) -> None:
        self.given: list[FusionInput] = []

    def fuse(self, given: FusionInput) -> torch.Tensor:
        self.given.append(given)
        return given.new


@pytest.mark.parametrize("is_known", [True, False])
def test_fusion_learns_what_the_user_corrected_where_that_is_known(is_known: bool) -> None:
    fuser = RecordingFuser()
    project = Project("light", fuser)
    project.core.sync([key(0, 1)])
    project.run(PropagationRequest(0))
    assert not fuser.given
    before, project.masks[6] = project.masks[6], VIDEO.masks[6]
    project.core.sync([key(0, 1), key(6, 1, baseline=before if is_known else None)])
    project.run(PropagationRequest(6))
    assert len(fuser.given) == 5
    assert [round(given.new_distance * 6) for given in fuser.given] == [1, 2, 3, 4, 5]
    for given in fuser.given:
        assert given.old_distance + given.new_distance == pytest.approx(1)
        assert given.old.max() > 0.5
        assert (given.attention is not None) == is_known
    if is_known:
        attention = fuser.given[0].attention
        assert attention is not None
        assert attention.shape == (1, 2, *given.image.shape[2:])
        assert attention.min() >= 0


def test_a_gap_nobody_looked_at_takes_the_new_result() -> None:
    project = Project()
    left, right = box(0, 20), box(50, 80)
    project.masks[0], project.masks[10] = left, right
    project.core.sync([key(0, 1, mask=left), key(10, 1, mask=right)])
    assert all((r.mask == left).all() for r in project.run(PropagationRequest(0)))


def test_cancel_ends_after_the_frame_in_hand_and_the_core_goes_on() -> None:
    project = Project("light")
    project.core.sync([key(0, 1, 2, 3)])
    token, seen = CancelToken(), []
    with pytest.raises(Cancelled):
        for result in project.core.propagate(PropagationRequest(0), token):
            seen.append(result.frame)
            if len(seen) == 3:
                token.cancel()
    assert seen == [1, 2, 3]
    assert project.core.memory().rolling_frames == 0
    again = project.run(PropagationRequest(0, last=2))
    fresh = Project("light")
    fresh.core.sync([key(0, 1, 2, 3)])
    for ours, theirs in zip(again, fresh.run(PropagationRequest(0, last=2)), strict=True):
        assert (ours.mask == theirs.mask).all()


def test_an_abandoned_run_leaves_only_key_frames() -> None:
    project = Project("light")
    project.core.sync([key(0, 1)])
    run = project.core.propagate(PropagationRequest(0))
    for _ in range(3):
        next(run)
    run.close()
    report = project.core.memory()
    assert (report.key_frames, report.rolling_frames) == (1, 0)
    assert report.nbytes > 0


def test_sync_commits_only_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project()
    committed: list[int] = []
    commit = project.core.commit_frame
    monkeypatch.setattr(project.core, "commit_frame", lambda k: (committed.append(k.frame), commit(k)))
    project.core.sync([key(0, 1), key(4, 1)])
    project.core.sync([key(0, 1), key(4, 1)])
    project.core.sync([key(0, 1), key(4, 1, mask=box(0, 9)), key(7, 1)])
    assert committed == [0, 4, 4, 7]
    project.core.sync([key(7, 1)])
    assert project.core.memory().key_frames == 1
    with pytest.raises(ValueError, match="no key frame"):
        project.core.plan(PropagationRequest(0))


def test_forgetting_a_wrong_key_frame_undoes_its_effect() -> None:
    right, wrong = Project("light"), Project("light")
    right.core.sync([key(0, 1)])
    wrong.core.sync([key(0, 1), key(6, 1, mask=box(0, 9))])
    wrong.core.sync([key(0, 1)])
    for ours, theirs in zip(*(p.run(PropagationRequest(0, last=3)) for p in (right, wrong)), strict=True):
        assert (ours.mask == theirs.mask).all()


def test_key_frames_change_and_go_with_a_real_network() -> None:
    """Not in inference mode, as any caller's thread is."""
    project = Project("light")
    project.core.sync([key(0, 1), key(5, 1)])
    project.core.sync([key(0, 1), key(5, 1, mask=box(0, 9)), key(7, 1)])
    assert project.core.memory().key_frames == 3
    project.core.close()
    assert project.core.memory().key_frames == 0


def test_snapshot_and_restore() -> None:
    project = Project("light")
    project.core.sync([key(0, 1, 2)])
    state = project.core.snapshot()
    before = [r.mask for r in project.run(PropagationRequest(0, last=3))]
    project.core.sync([key(0, 1, 2, 3, mask=box(5, 30)), key(5, 1)])
    project.core.restore(state)
    project.masks = [np.zeros(VIDEO.size, np.uint8) for _ in VIDEO.frames]
    after = [r.mask for r in project.run(PropagationRequest(0, last=3))]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("bounds", [(-1, 3), (4, 3), (0, LAST + 1)])
def test_bounds_outside_the_video(bounds: tuple[int, int]) -> None:
    project = Project()
    project.core.sync([key(0, 1)])
    with pytest.raises(ValueError, match="frames"):
        project.run(PropagationRequest(0, first=bounds[0], last=bounds[1]))


@pytest.mark.weights
def test_light_network_follows_the_synthetic_objects() -> None:
    project = Project("light")
    project.core.sync([key(0, 1, 2, 3)])
    project.run(PropagationRequest(0))
    agreement = np.mean([(m == t).mean() for m, t in zip(project.masks[1:6], VIDEO.masks[1:6], strict=True)])
    assert agreement > 0.9


def test_out_of_gpu_memory_is_told_in_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project()
    project.core.sync([key(0, 1)])

    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("inference_core.propagators.static.StaticPropagator.segment", fail)
    with pytest.raises(AppError, match="no memory left") as told:
        project.run(PropagationRequest(0))
    assert "smaller size" in told.value.hint
