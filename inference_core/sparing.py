"""Going on when the memory runs out: what the engine needs gets less, one step at a time, and the user hears of it.

First what only saves work goes (features kept for another visit), then objects are computed fewer at a time, which
changes no mask; after that the memory of rolling frames is halved until one is left, and at last the working size
shrinks.
"""
from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

from inference_core.api import MemoryExhausted
from inference_core.feature_cache import FeatureCache
from inference_core.propagator import Propagator, SupportsSparing

T = TypeVar("T")

_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED", "bad_alloc")
"""How libraries below torch say it, which raise nothing but RuntimeError: CUDA's own, and the allocator of the CPU."""


def is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


class Sparer:
    """Runs work that may need more memory than there is. Worker thread only.

    Args:
        may_resize: whether the working size may change.
    """

    def __init__(self, propagator: Propagator, features: FeatureCache, *, may_resize: bool) -> None:
        self._propagator = propagator
        self._features = features
        self._may_resize = may_resize
        self._told: list[str] = []

    def run(self, work: Callable[[], T], num_objects: int, rebuild: Callable[[], None]) -> T:
        """What `work` returns, from as many attempts as it takes.

        Args:
            work: leaves everything as it was when it fails.
            num_objects: it deals with.
            rebuild: is called after the working size has changed, when the engine has nothing memorised any more.

        Raises:
            MemoryExhausted: it failed with the least as well.
        """
        while True:
            try:
                return work()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                # Without its traceback, which holds what the failed attempt had computed so far.
                failure = error.with_traceback(None)
            self._relieve(failure, num_objects, rebuild)

    def take_notices(self) -> str:
        """What changed since this was last asked, in sentences; empty when nothing did."""
        text, self._told = " ".join(self._told), []
        return text

    def _relieve(self, failure: Exception, num_objects: int, rebuild: Callable[[], None]) -> None:
        """Give up the next thing, or what comes after it where that cannot be done either."""
        for text, is_resized in self._steps(num_objects):
            self._told.append(f"{'' if self._told else 'The memory ran out. '}{text}")
            _release()
            if not is_resized:
                return
            try:
                rebuild()
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                continue
            return
        raise MemoryExhausted(
            "There is no memory left for the next frame, and nothing left to give up.",
            "Choose a smaller size, carry fewer objects at a time, close other programs, or run on the CPU.",
        ) from failure

    def _steps(self, num_objects: int) -> Iterator[tuple[str, bool]]:
        """What can be given up, done as it is asked for: in words, and whether the size changed with it."""
        _release()
        if self._features.spare():
            yield "Features of frames are no longer kept, so that visiting a frame again takes longer.", False
        engine = self._propagator
        if not isinstance(engine, SupportsSparing):
            return
        for step in (lambda: engine.spare_objects(num_objects), engine.spare_frames):
            while text := _tried(step):
                yield text, False
        while self._may_resize and (text := engine.spare_pixels()):
            self._features.resized()
            yield text, True


def _tried(step: Callable[[], str | None]) -> str | None:
    """A step that needs memory itself may fail as well; then it is not taken."""
    try:
        return step()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return None


def _release() -> None:
    """Give back what nobody holds any more; without this a GPU's memory stays with torch, cut into pieces."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
