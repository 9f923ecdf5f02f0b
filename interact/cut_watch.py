"""A propagation that ends where the scene does. Worker thread."""
from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

from inference_core.api import CoreApi, Direction, FrameReader, FrameResult, PropagationRequest
from interact.scene_cuts import CutFinder
from util.jobs import CancelToken

Told = Callable[[int, int], None]
"""Is called with the last frame of a scene, in the order of the pass, and the first of another."""


def propagate_within_scene(
    api: CoreApi, request: PropagationRequest, frames: FrameReader, token: CancelToken, told: Told
) -> Generator[FrameResult, None, None]:
    """What `api.propagate` yields, forward and then backward, each as far as the first scene cut.

    A frame is looked at before the engine is asked for it, so that nothing is computed behind a cut.
    """
    both: tuple[Direction, ...] = ("forward", "backward")
    passes = [replace(request, direction=way) for way in both if request.direction in (way, "both")]
    planned = [api.plan(one) for one in passes]
    total, done = sum(planned), 0
    for one, count in zip(passes, planned, strict=True):
        step = 1 if one.direction == "forward" else -1
        finder, ahead = CutFinder(), one.anchor
        finder.is_cut(frames.get(ahead))
        results = api.propagate(one, token)
        try:
            for position in range(count):
                ahead += step
                if finder.is_cut(frames.get(ahead)):
                    told(ahead - step, ahead)
                    total -= count - position
                    break
                result = next(results)
                assert result.frame == ahead, "a pass visits every frame in its order"
                done += 1
                yield replace(result, done=done, total=total)
        finally:
            results.close()
