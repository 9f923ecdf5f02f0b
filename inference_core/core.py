"""The interactive video object segmentation loop: annotate, memorise, propagate, fuse.

The user fixes objects on a key frame (`commit_frame`), which pins that frame in the memory. `propagate` then walks from
this anchor forward and backward, up to each object's next key frame. On every frame it reads the memory, now and then
remembers what it found, and where an older result lies between two key frames, fuses the new one with it (Cheng, Tai,
Tang: "Modular Interactive Video Object Segmentation", CVPR 2021).

Everything here runs on the one worker thread. K objects, A of them active in a pass; [H, W] is the native size,
[Hp, Wp] the engine's working size; a prob has the background first and sums to 1 over its channels.
"""
from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from inference_core.api import (
    ExistingMask,
    FeatureStorage,
    FrameReader,
    FrameResult,
    KeyFrame,
    MemoryReport,
    PropagationRequest,
)
from inference_core.channels import Channels
from inference_core.feature_cache import FeatureCache
from inference_core.fusion import Fuser
from inference_core.looks import Looks
from inference_core.pass_measures import MaskJudge
from inference_core.pass_planner import Pass, plan_passes
from inference_core.pass_run import Parts, PassRun
from inference_core.past_results import PastResults, PastState
from inference_core.policy import CompatPolicy
from inference_core.prob_store import object_digest
from inference_core.propagator import Memory, Propagator, SupportsBudget, SupportsStoring
from inference_core.sparing import Sparer
from inference_core.stored_features import open_stored
from util.jobs import CancelToken
from util.types import Size


@dataclass(frozen=True)
class CoreState:
    """What `restore` needs; a value that later work does not change."""

    object_ids: tuple[int, ...]
    key_frames: Mapping[int, KeyFrame]
    memory: object
    past: PastState
    working_size: Size


class InferenceCore:
    """One engine, one video, its key frames and what is known of all other frames.

    Args:
        existing: the masks as they are stored at this moment; read, never written.
        settings: what the engine was built with, for statistics and the window.
        feature_bytes, prob_bytes: budgets of the caches; less is slower, not different.
        judge: predicts how good masks are; None: how sure the engine is stands in for that.
        may_zoom: whether an engine that can looks closer at small objects (`inference_core.views`).
    """

    def __init__(
        self,
        frames: FrameReader,
        propagator: Propagator,
        fuser: Fuser,
        existing: ExistingMask,
        *,
        policy: CompatPolicy,
        device: str = "cpu",
        settings: Mapping[str, str | int | float] | None = None,
        feature_bytes: int = 512 << 20,
        prob_bytes: int = 256 << 20,
        judge: MaskJudge | None = None,
        may_zoom: bool = True,
    ) -> None:
        self.engine = propagator.name
        self.device = device
        self.settings: Mapping[str, str | int | float] = dict(settings or {})
        self.past = PastResults(propagator, fuser, policy, prob_bytes)
        self._frames = frames
        self._propagator = propagator
        self._existing = existing
        self._policy = policy
        self._features = FeatureCache(frames, propagator, feature_bytes)
        self._sparer = Sparer(propagator, self._features, may_resize=not policy.exact_probabilities)
        self._channels = Channels(propagator)
        self._key_frames: dict[int, KeyFrame] = {}
        self._judge = judge
        self._looks = Looks(frames, propagator, self._features, may_zoom=may_zoom)

    # ------------------------------------------------------------------------------------ annotate, memorise

    @torch.inference_mode()
    def set_objects(self, object_ids: Sequence[int]) -> None:
        """The objects, in channel order. Memory of objects that stay is kept."""
        if tuple(object_ids) == self._channels.object_ids:
            return
        self._channels = Channels(self._propagator, object_ids)
        self._propagator.set_objects(object_ids)
        self.past.set_objects(object_ids)

    @torch.inference_mode()
    def commit_frame(self, key_frame: KeyFrame, soft: NDArray[np.float32] | None = None) -> None:
        """Fix objects on a frame: pin it in the memory and note what the user changed there.

        Args:
            soft: float32 [K+1, Hp, Wp], what the key frame's mask was decided from, to be remembered in its place as
                the published programs do.

        Raises:
            MemoryExhausted: there is not enough memory.
        """
        work = partial(self._commit, key_frame, soft)
        self._sparer.run(work, max(1, len(key_frame.object_ids)), self._recommit)
        self._key_frames[key_frame.frame] = key_frame

    def _commit(self, key_frame: KeyFrame, soft: NDArray[np.float32] | None) -> None:
        frame, ids = key_frame.frame, self._channels.ordered(key_frame.object_ids)
        if soft is None:
            prob = self._channels.from_mask(key_frame.mask)
        else:
            prob = self._propagator.place(torch.from_numpy(soft))
        self.past.note_correction(key_frame, prob, self._channels)
        self._looks.memorize_key_frame(frame, key_frame.mask, prob, self._channels, ids)
        self.past.keep(frame, prob[[0, *self._channels.rows(ids)]], ids, key_frame.mask)

    @torch.inference_mode()
    def forget_frame(self, frame: int) -> None:
        """Take a key frame back. Raises KeyError if it is none."""
        del self._key_frames[frame]
        self._propagator.forget(frame)
        self.past.forget(frame)

    def sync(self, key_frames: Sequence[KeyFrame]) -> None:
        """Commit what is new or changed and forget what is gone, so that no caller has to keep track."""
        wanted = {key.frame: key for key in key_frames if key.object_ids}
        stale = [f for f, key in self._key_frames.items() if f not in wanted or not _is_same(key, wanted[f])]
        for frame in stale:
            self.forget_frame(frame)
        ids = frozenset[int]().union(*(key.object_ids for key in wanted.values()))
        known = self._channels.ordered(ids)
        self.set_objects([*known, *sorted(ids.difference(known))])
        for frame in sorted(wanted):
            if frame not in self._key_frames:
                self.commit_frame(wanted[frame])

    # ------------------------------------------------------------------------------------ propagate, fuse

    def plan(self, request: PropagationRequest) -> int:
        """How many frames `propagate` would yield."""
        return sum(len(one_pass.frames) for one_pass in self._passes(request))

    @torch.inference_mode()
    def propagate(
        self, request: PropagationRequest, token: CancelToken | None = None
    ) -> Generator[FrameResult, None, None]:
        """Forward pass, then backward pass, as `CoreApi.propagate` says. Every yielded frame is final.

        Raises:
            MemoryExhausted: there is not enough memory, even with all settings lowered.
        """
        passes = self._passes(request)
        total = sum(len(one_pass.frames) for one_pass in passes)
        done = 0
        for one_pass in passes:
            anchor_mask = self._key_frames[one_pass.anchor].mask
            run = PassRun(self._parts(), one_pass, anchor_mask, request.visited_again)
            for frame, mask, measures in run.results(token or CancelToken()):
                done += 1
                yield FrameResult(frame, mask, done, total, measures, self._take_notice())

    def _passes(self, request: PropagationRequest) -> tuple[Pass, ...]:
        last = len(self._frames) - 1 if request.last is None else request.last
        if request.anchor not in self._key_frames:
            raise ValueError(f"frame {request.anchor} is no key frame; key frames: {sorted(self._key_frames)}")
        if not 0 <= request.first <= last < len(self._frames):
            raise ValueError(f"frames {request.first}..{last} in a video of {len(self._frames)} frames")
        fixed = {frame: key.object_ids for frame, key in self._key_frames.items()}
        carried = [
            i
            for i in self._channels.ordered(fixed[request.anchor])
            if self._is_started(i) or not self._policy.hide_unstarted
        ]
        return plan_passes(request.anchor, request.direction, request.first, last, fixed, carried)

    def _is_started(self, object_id: int) -> bool:
        """Whether the user has ever shown this object; until then it is nowhere."""
        return any((key.mask == object_id).any() for key in self._key_frames.values() if object_id in key.object_ids)

    def _parts(self) -> Parts:
        return Parts(
            self._frames,
            self._propagator,
            self._looks,
            self.past,
            self._channels,
            self._existing,
            self._sparer,
            self._recommit,
            self._judge,
        )

    def _recommit(self) -> None:
        """The engine works at another size: it has nothing memorised, and what was kept of frames does not fit."""
        self.past.resized()
        for key_frame in self._key_frames.values():
            self._commit(key_frame, None)

    def _take_notice(self) -> str:
        notice = self._sparer.take_notices()
        if notice:
            size = {"working_size": str(self._propagator.working_size())}
            self.settings = {**self.settings, **size, **self._propagator.settings}
        return notice

    # ------------------------------------------------------------------------------------ state

    @torch.inference_mode()
    def object_probs(self, frame: int, object_ids: Sequence[int]) -> NDArray[np.float32]:
        """See `SoftMasks`."""
        mask = self._existing(frame)
        planes = [np.asarray(mask == i, np.float32) for i in object_ids]
        for plane, object_id in zip(planes, object_ids, strict=True):
            soft = self.past.probs.get(frame, object_id, mask)
            if soft is not None:
                plane[:] = self._propagator.to_native(self._propagator.place(soft)[None])[0].cpu().numpy()
        return np.stack(planes)

    def snapshot(self) -> CoreState:
        """The key frames with their memory, and the soft results."""
        return CoreState(
            self._channels.object_ids,
            dict(self._key_frames),
            self._propagator.snapshot(),
            self.past.snapshot(),
            self._propagator.working_size(),
        )

    @torch.inference_mode()
    def restore(self, state: CoreState) -> None:
        """Back to a snapshot."""
        self.set_objects(state.object_ids)
        if state.working_size != self._propagator.working_size():  # the memory ran out since
            self.sync([])
            self.sync(list(state.key_frames.values()))
            return
        self._key_frames = dict(state.key_frames)
        self._propagator.restore(state.memory)
        self.past.restore(state.past)

    # ------------------------------------------------------------------------------------ features ahead

    def keep_features(self, storage: FeatureStorage) -> None:
        """See `KeepsFeatures`."""
        engine, size = self._propagator, self._propagator.working_size()
        if storage.nbytes and isinstance(engine, SupportsStoring):
            self._features.keep_on_disk(
                open_stored(engine, storage, self.engine, self.device, self.settings, size)
            )

    @torch.inference_mode()
    def encode_ahead(self, frames: Iterable[int], token: CancelToken) -> Generator[int, None, None]:
        """See `KeepsFeatures`."""
        stored = self._features.stored
        for frame in frames:
            token.check()
            if stored is None or not stored.has_room:
                return
            if frame not in stored:
                self._features.get(frame, is_visited_again=False)
                yield frame

    def memory(self) -> MemoryReport:
        propagator = self._propagator
        return MemoryReport(
            key_frames=propagator.memory_frames(Memory.PINNED),
            rolling_frames=propagator.memory_frames(Memory.ROLLING) + propagator.memory_frames(Memory.PREVIOUS),
            nbytes=propagator.memory_bytes() + self._features.nbytes,
            bank=propagator.fill if isinstance(propagator, SupportsBudget) else None,
        )

    def close(self) -> None:
        """Forget everything; `sync` starts anew."""
        self.sync([])
        self._features.clear()


def _is_same(old: KeyFrame, new: KeyFrame) -> bool:
    """Whether the same objects are fixed with the same pixels; resting objects on that frame do not matter."""
    return new.object_ids == old.object_ids and (
        new.mask is old.mask
        or all(object_digest(new.mask, i) == object_digest(old.mask, i) for i in new.object_ids)
    )
