"""Decoded frames within a byte budget, readable from any thread, decoded ahead in the background."""
from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import closing
from itertools import islice

from storage.frame_source import FrameSource
from util.types import ImageU8, Size

logger = logging.getLogger(__name__)

# Frames met on the way to a requested one that are kept as well, so that stepping backwards through a video does not
# decode from the last key frame at every step.
_KEPT_ON_THE_WAY = 16


class FrameCache:
    """Least recently used frames go first. Not thread safe.

    Invariant: the frames together need at most `budget_bytes`, or there is only one.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self.nbytes = 0
        self._images: OrderedDict[int, ImageU8] = OrderedDict()

    def __contains__(self, frame: int) -> bool:
        return frame in self._images

    def __len__(self) -> int:
        return len(self._images)

    def get(self, frame: int) -> ImageU8 | None:
        """The image, which becomes the most recently used one; None when it is not here."""
        image = self._images.get(frame)
        if image is not None:
            self._images.move_to_end(frame)
        return image

    def put(self, frame: int, image: ImageU8) -> None:
        """Add an image as the most recently used one, in place of an earlier one of the same frame."""
        self.discard(frame)
        self._images[frame] = image
        self.nbytes += image.nbytes
        while self.nbytes > self.budget_bytes and len(self._images) > 1:
            self.discard(next(iter(self._images)))

    def discard(self, frame: int) -> None:
        image = self._images.pop(frame, None)
        if image is not None:
            self.nbytes -= image.nbytes

    def clear(self) -> None:
        self._images.clear()
        self.nbytes = 0


class FrameStore:
    """Frames of a source by number. All methods may be called from any thread.

    A frame that somebody waits for (`get`) goes before those decoded ahead (`prefetch`): the background thread lets go
    of the decoder after the picture in hand. Images are shared, hence read-only.

    Args:
        source: closed together with the store; nobody else may read from it.
        budget_bytes: for the cached images. Images that callers hold on to come on top.
    """

    def __init__(self, source: FrameSource, *, budget_bytes: int = 512 << 20) -> None:
        self.source = source
        self.size: Size = source.size
        self._num_fitting = max(1, budget_bytes // (self.size.height * self.size.width * 3))
        # Held while the source decodes. Never taken while holding `_state`.
        self._decoder = threading.Lock()
        # Guards everything below; held for moments only.
        self._state = threading.Condition()
        self._cache = FrameCache(budget_bytes)
        self._wanted: list[int] = []
        self._failed: dict[int, Exception] = {}
        self._num_waiting = 0
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self.source)

    def stem(self, frame: int) -> str:
        """What files about this frame are called."""
        return self.source.stem(frame)

    def time(self, frame: int) -> float:
        """Seconds from the first frame."""
        return self.source.time(frame)

    def is_cached(self, frame: int) -> bool:
        """Whether `get` returns at once."""
        with self._state:
            return frame in self._cache

    def get(self, frame: int) -> ImageU8:
        """One frame: read-only uint8 [H, W, 3], RGB.

        Raises:
            IndexError: no such frame.
            AppError: the frame cannot be read.
            RuntimeError: the store is closed.
        """
        if not 0 <= frame < len(self):
            raise IndexError(f"frame {frame} of {len(self)}")
        with self._state:
            image = self._known(frame)
            if image is not None:
                return image
            self._num_waiting += 1
        try:
            with self._decoder:
                return self._decode(frame)
        finally:
            with self._state:
                self._num_waiting -= 1
                self._state.notify_all()

    def prefetch(self, frames: Iterable[int]) -> None:
        """Decode these frames in the background, in this order, in place of what was asked for before.

        As many as fit into half of the budget are taken; numbers out of range are left out. An error is kept and raised
        by `get`.
        """
        fitting = max(1, self._num_fitting // 2)
        existing = (frame for frame in frames if 0 <= frame < len(self))
        wanted = list(dict.fromkeys(islice(existing, fitting)))
        with self._state:
            self._check_open()
            # Asked for again means needed soon: cached ones must not make room for the others.
            self._wanted = [frame for frame in wanted if self._cache.get(frame) is None]
            if self._wanted and self._thread is None:
                self._thread = threading.Thread(target=self._decode_ahead, name="frame-prefetch", daemon=True)
                self._thread.start()
            self._state.notify_all()

    def close(self) -> None:
        """Stop decoding and close the source. A `get` under way in another thread ends with RuntimeError."""
        with self._state:
            if self._is_closed:
                return
            self._is_closed = True
            self._wanted.clear()
            self._cache.clear()
            self._state.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()
        with self._decoder:
            self.source.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("the frame store is closed")

    def _known(self, frame: int) -> ImageU8 | None:
        """What is known about a frame without decoding: its image, its error (raised, once) or None. Needs `_state`."""
        self._check_open()
        error = self._failed.pop(frame, None)
        if error is not None:
            raise error
        return self._cache.get(frame)

    def _decode(self, frame: int) -> ImageU8:
        """Decode for a caller that waits. Needs `_decoder`."""
        with self._state:
            # The frame may have come while this thread waited for the decoder.
            image = self._known(frame)
        if image is not None:
            return image
        with closing(self.source.walk(frame, self._num_kept)) as walk:
            for number, image in walk:
                with self._state:
                    self._check_open()
                    self._keep(number, image)
        if image is None:
            raise AssertionError("a walk ends with the image of the frame it goes to")
        return image

    @property
    def _num_kept(self) -> int:
        return max(1, min(_KEPT_ON_THE_WAY, self._num_fitting // 2))

    def _keep(self, frame: int, image: ImageU8 | None) -> None:
        if image is not None:
            image.setflags(write=False)
            self._cache.put(frame, image)

    def _decode_ahead(self) -> None:
        """Body of the background thread."""
        while True:
            with self._state:
                self._state.wait_for(lambda: self._is_closed or (self._wanted and not self._num_waiting))
                if self._is_closed:
                    return
            with self._decoder:
                with self._state:
                    # By now somebody who waited for a frame may have decoded it.
                    self._wanted = [frame for frame in self._wanted if frame not in self._cache]
                    frame = self._wanted[0] if self._wanted else None
                if frame is not None:
                    self._decode_one_ahead(frame)

    def _decode_one_ahead(self, frame: int) -> None:
        """Decode a wanted frame unless something more urgent comes up, in which case it stays wanted."""
        try:
            with closing(self.source.walk(frame, self._num_kept)) as walk:
                for number, image in walk:
                    with self._state:
                        if self._is_closed:
                            return
                        self._keep(number, image)
                        if self._num_waiting or frame not in self._wanted:
                            return
        except Exception as error:
            logger.warning("Frame %d could not be decoded ahead: %s", frame, error)
            with self._state:
                self._failed[frame] = error
                self._wanted = [other for other in self._wanted if other != frame]
