"""What earlier passes found, and how a new pass is merged with it between two key frames."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from inference_core.api import KeyFrame
from inference_core.channels import Channels
from inference_core.fusion import Fuser, FusionInput
from inference_core.pass_planner import Pass, Span
from inference_core.policy import CompatPolicy
from inference_core.prob_store import CompactProbStore, ExactProbStore, ProbStore
from inference_core.propagator import FrameFeatures, Propagator, SupportsAffinity
from model.aggregate import aggregate
from util.types import IndexMask


@dataclass(frozen=True)
class PastState:
    """For `PastResults.restore`."""

    probs: object
    corrections: Mapping[int, Mapping[int, Tensor]]


class PastResults:
    """Soft results per frame, corrections per key frame, and the fusion that needs both. Worker thread only."""

    def __init__(self, propagator: Propagator, fuser: Fuser, policy: CompatPolicy, prob_bytes: int) -> None:
        self._propagator = propagator
        self._fuser = fuser
        self._is_exact = policy.exact_probabilities
        self._prob_bytes = prob_bytes
        self.probs: ProbStore = CompactProbStore(prob_bytes)
        # anchor -> object id -> [2, Hf, Wf]: what the user added and what he removed there
        self._corrections: dict[int, dict[int, Tensor]] = {}

    def set_objects(self, object_ids: Sequence[int]) -> None:
        if self._is_exact:
            self.probs = ExactProbStore(self._propagator.working_size(), object_ids)

    def resized(self) -> None:
        """The working size has changed: what is known at the old one is of no use; the masks stand in for it."""
        assert not self._is_exact, "published systems have one size"
        self.probs = CompactProbStore(self._prob_bytes)

    def keep(self, frame: int, prob: Tensor, object_ids: Sequence[int], mask: IndexMask) -> None:
        """Remember prob [A+1, Hp, Wp], from which `mask` was made."""
        self.probs.put(frame, prob, object_ids, mask)

    def note_correction(self, key_frame: KeyFrame, prob: Tensor, channels: Channels) -> None:
        """Compare a key frame's prob [K+1, Hp, Wp] with what was found there before. To be called before `keep`."""
        corrections = self._corrections[key_frame.frame] = {}
        before = key_frame.baseline
        if not self._fuser.needs_attention or not isinstance(self._propagator, SupportsAffinity):
            return
        if before is None and not self._is_exact:
            return
        mask = np.zeros_like(key_frame.mask) if before is None else before
        for object_id in key_frame.object_ids:
            change = prob[1 + channels.slots([object_id])[0]] - self._soft(key_frame.frame, object_id, mask, channels)
            corrections[object_id] = self._propagator.to_cells(torch.stack([change, -change]).clamp(0, 1)[None])[0]

    def forget(self, frame: int) -> None:
        """The frame is no key frame any more."""
        self._corrections.pop(frame, None)

    def merge(
        self,
        one_pass: Pass,
        frame: int,
        features: Callable[[], FrameFeatures],
        prob: Tensor,
        mask: IndexMask,
        channels: Channels,
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Fuse prob [A+1, Hp, Wp] with the older result, for objects on their way to another of their key frames.

        Args:
            features: of the whole frame; asked for only where the fusion looks at it.
            mask: the index mask stored for this frame; an object that is neither there nor among the soft results was
                never looked for on this frame and takes the new result.

        Returns:
            the fused prob, and the older planes [Hp, Wp] by the ids of the objects that have one.
        """
        spans = one_pass.active(frame)
        planes = prob[1:].clone()
        known: dict[int, Tensor] = {}
        for far in sorted({span.fuse_with for span in spans if span.fuse_with is not None}):
            rows = [i for i, span in enumerate(spans) if span.fuse_with == far and self._is_known(frame, span, mask)]
            if not rows:
                continue
            ids = [spans[i].object_id for i in rows]
            gap = abs(far - one_pass.anchor)
            older = torch.stack([self._soft(frame, i, mask, channels) for i in ids])
            sight = features() if self._fuser.needs_attention else None
            known |= dict(zip(ids, older, strict=True))
            planes[rows] = self._fuser.fuse(
                FusionInput(
                    None if sight is None else sight.image,
                    older,
                    planes[rows],
                    None if sight is None else self._attention(one_pass.anchor, sight, ids, channels),
                    old_distance=abs(far - frame) / gap,
                    new_distance=abs(frame - one_pass.anchor) / gap,
                )
            )
        return (aggregate(planes) if known else prob), known

    def _is_known(self, frame: int, span: Span, mask: IndexMask) -> bool:
        return self.probs.get(frame, span.object_id, mask) is not None or bool((mask == span.object_id).any())

    def _soft(self, frame: int, object_id: int, mask: IndexMask, channels: Channels) -> Tensor:
        """[Hp, Wp] of one object before this pass: the soft result behind `mask`, or `mask` itself."""
        row = 1 + channels.slots([object_id])[0]
        plane = self.probs.get(frame, object_id, mask)
        return channels.from_mask(mask)[row] if plane is None else self._propagator.place(plane)

    def _attention(
        self, anchor: int, features: FrameFeatures, ids: Sequence[int], channels: Channels
    ) -> Tensor | None:
        """[A, 2, Hp, Wp] where the correction on the anchor shows on this frame; None if that is not known."""
        corrections = self._corrections[anchor]
        if any(i not in corrections for i in ids):
            return None
        assert isinstance(self._propagator, SupportsAffinity)
        maps = torch.stack([corrections[i] for i in ids])
        return self._propagator.transfer(anchor, features, maps, channels.slots(ids))

    def snapshot(self) -> PastState:
        return PastState(self.probs.snapshot(), {frame: dict(maps) for frame, maps in self._corrections.items()})

    def restore(self, state: PastState) -> None:
        self.probs.restore(state.probs)
        self._corrections = {frame: dict(maps) for frame, maps in state.corrections.items()}
