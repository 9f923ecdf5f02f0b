"""What the core does only to equal the published programs: soft masks kept as they are, masks that come padded."""
from __future__ import annotations

import numpy as np
import torch

from inference_core.api import KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.fusion import LinearFuser
from inference_core.geometry import PaddedPlanes
from inference_core.policy import CompatPolicy
from inference_core.prob_store import ExactProbStore
from inference_core.propagators.static import StaticPropagator
from tests.inference_core.fakes import ArrayFrames
from tests.synthetic import make_synthetic_video

VIDEO = make_synthetic_video()


def test_soft_mask_of_a_key_frame_is_remembered_as_it_is() -> None:
    geometry = PaddedPlanes.padded(VIDEO.size, None)
    assert (geometry.resized, geometry.working) == (VIDEO.size, (80, 112))
    masks = np.zeros((len(VIDEO), *geometry.working), np.uint8)
    core = InferenceCore(
        ArrayFrames(np.stack(VIDEO.frames)),
        StaticPropagator(geometry),
        LinearFuser(),
        masks.__getitem__,
        policy=CompatPolicy.published(),
    )
    core.set_objects([1])
    soft = np.random.default_rng(0).random((2, *geometry.working), np.float32)
    mask = soft.argmax(0).astype(np.uint8)
    core.commit_frame(KeyFrame(3, mask, frozenset({1})), soft)
    probs = core.past.probs
    assert isinstance(probs, ExactProbStore)
    assert torch.equal(probs.full(3), torch.from_numpy(soft))
    results = list(core.propagate(PropagationRequest(3)))
    assert len(results) == len(VIDEO) - 1
    assert all(np.array_equal(result.mask, mask) for result in results)


def test_frames_are_padded_where_masks_come_padded() -> None:
    geometry = PaddedPlanes.padded(VIDEO.size, None)
    image = geometry.image_to_working(VIDEO.frames[0], (0.5,) * 3, (1.0,) * 3, torch.device("cpu"))
    assert image.shape == (1, 3, *geometry.working) and not image[0, :, 0].any()
    planes = torch.rand(2, *geometry.working)
    assert torch.equal(geometry.to_native(geometry.to_working(planes)), planes)
