"""Which features of a frame an engine works on: those of the whole frame, or of a view that follows its objects."""
from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from inference_core.api import FrameReader
from inference_core.channels import Channels
from inference_core.feature_cache import FeatureCache
from inference_core.propagator import FrameFeatures, Memory, Propagator, SupportsViews
from inference_core.views import View, ViewFinder
from util.types import IndexMask


class Looks:
    """Of one core. Worker thread only.

    Args:
        may_zoom: whether an engine that can is shown views.
    """

    def __init__(
        self, frames: FrameReader, propagator: Propagator, features: FeatureCache, *, may_zoom: bool = True
    ) -> None:
        self._frames = frames
        self._propagator = propagator
        self._features = features
        self._may_zoom = may_zoom and isinstance(propagator, SupportsViews)
        self._finder: ViewFinder | None = None
        self._last: tuple[int, View, FrameFeatures] | None = None

    def restart(self) -> None:
        """A pass begins, begins anew at another working size, or has ended."""
        self._finder = self._new_finder()
        self._last = None

    def _new_finder(self) -> ViewFinder | None:
        return ViewFinder(self._frames.size, self._propagator.working_size()) if self._may_zoom else None

    def whole(self, frame: int, *, is_kept: bool) -> FrameFeatures:
        """Of a whole frame. Args: is_kept: it is visited again."""
        return self._features.get(frame, is_visited_again=is_kept)

    def segment(self, frame: int, before: Tensor, slots: Sequence[int], *, is_kept: bool) -> Tensor:
        """Prob [len(slots)+1, Hp, Wp] of the objects in `slots`.

        Args:
            before: [len(slots), Hp, Wp], their planes of the frame before.
        """
        finder = self._finder
        if finder is not None and (view := finder.next(before)) is not None:
            close = self._encode_view(frame, view)
            prob = view.put_back(self._propagator.segment(frame, close, slots))
            if not view.loses(prob[1:]):
                self._last = frame, view, close
                return prob
            finder.restart()
        self._last = None
        return self._propagator.segment(frame, self.whole(frame, is_kept=is_kept), slots)

    def memorize(self, frame: int, prob: Tensor, slots: Sequence[int], kind: Memory, *, is_kept: bool) -> None:
        """Remember a frame of a pass as it was looked at last. Args: prob: [K+1, Hp, Wp]."""
        if self._last is not None and self._last[0] == frame:
            _, view, close = self._last
            self._propagator.memorize(frame, close, view.enlarge(prob), slots, kind)
        else:
            self._propagator.memorize(frame, self.whole(frame, is_kept=is_kept), prob, slots, kind)

    def memorize_key_frame(
        self, frame: int, mask: IndexMask, prob: Tensor, channels: Channels, object_ids: Sequence[int]
    ) -> None:
        """Remember these objects on a key frame: as a whole and, if that is worth while, as a view of its objects.

        Args:
            mask: at native size. prob: [K+1, Hp, Wp], what the whole frame is remembered with.
        """
        slots, finder = channels.slots(object_ids), self._new_finder()
        self._propagator.memorize(frame, self.whole(frame, is_kept=True), prob, slots, Memory.PINNED)
        if finder is not None and (view := finder.next(prob[channels.rows(object_ids)])) is not None:
            seen = channels.from_mask(view.part_of(mask))
            self._propagator.memorize(frame, self._encode_view(frame, view), seen, slots, Memory.PINNED)

    def _encode_view(self, frame: int, view: View) -> FrameFeatures:
        assert isinstance(self._propagator, SupportsViews)
        return self._propagator.encode_view(self._frames.get(frame), view)
