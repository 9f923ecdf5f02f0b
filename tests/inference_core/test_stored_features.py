"""Features of frames on disk: the second time nothing is encoded, and the masks are the same to the bit."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from inference_core.api import FeatureStorage, KeepsFeatures, KeyFrame, PropagationRequest
from inference_core.core import InferenceCore
from inference_core.fusion import NewestFuser
from inference_core.policy import CompatPolicy
from inference_core.propagator import SupportsStoring
from tests.inference_core.engines import make_propagator
from tests.inference_core.fakes import ArrayFrames
from tests.synthetic import make_synthetic_video
from util.jobs import Cancelled, CancelToken
from util.types import ImageU8

VIDEO = make_synthetic_video()
LAST = 4
ROOM = 64 << 20

pytestmark = pytest.mark.weights


def make_core(folder: Path | None, *, video: str = "this one", nbytes: int = ROOM) -> tuple[InferenceCore, list[int]]:
    """A core of the light engine, and the sums of the pictures that it encodes from here on."""
    propagator = make_propagator("light", VIDEO.size)
    encoded: list[int] = []
    encode = propagator.encode

    def counted(image: ImageU8) -> object:
        encoded.append(int(image.sum()))
        return encode(image)

    propagator.encode = counted  # type: ignore[method-assign,assignment]
    frames, nothing = ArrayFrames(np.stack(VIDEO.frames)), np.zeros(VIDEO.size, np.uint8)
    core = InferenceCore(frames, propagator, NewestFuser(), lambda _: nothing, policy=CompatPolicy.product())
    assert isinstance(core, KeepsFeatures)
    if folder is not None:
        core.keep_features(FeatureStorage(folder, video, nbytes))
    return core, encoded


def carried(core: InferenceCore) -> list[np.ndarray]:
    core.sync([KeyFrame(0, VIDEO.masks[0], frozenset(VIDEO.object_ids))])
    return [result.mask for result in core.propagate(PropagationRequest(0, "forward", 0, LAST))]


def assert_same(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> None:
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_next_run_encodes_nothing_and_finds_the_same(tmp_path: Path) -> None:
    first, encoded = make_core(tmp_path)
    masks = carried(first)
    assert len(encoded) == LAST + 1
    second, encoded_again = make_core(tmp_path)
    assert_same(carried(second), masks)
    assert encoded_again == []


def test_another_video_and_no_budget_share_nothing(tmp_path: Path) -> None:
    carried(make_core(tmp_path)[0])
    for options in ({"video": "that one"}, {"nbytes": 0}):
        core, encoded = make_core(tmp_path, **options)  # type: ignore[arg-type]
        carried(core)
        assert len(encoded) == LAST + 1


def test_a_damaged_file_is_encoded_again(tmp_path: Path) -> None:
    masks = carried(make_core(tmp_path)[0])
    file = sorted(tmp_path.rglob("*.features"))[2]
    file.write_bytes(file.read_bytes()[:-3])
    core, encoded = make_core(tmp_path)
    assert_same(carried(core), masks)
    assert len(encoded) == 1


def test_half_precision_changes_hardly_a_pixel(tmp_path: Path) -> None:
    stored, plain = carried(make_core(tmp_path)[0]), carried(make_core(None)[0])
    assert min(float((a == b).mean()) for a, b in zip(stored, plain, strict=True)) > 0.995


def test_what_was_encoded_ahead_is_there(tmp_path: Path) -> None:
    core, encoded = make_core(tmp_path)
    assert list(core.encode_ahead([0, 2, 1, 2], CancelToken())) == [0, 2, 1]
    carried(core)
    assert len(encoded) == LAST + 1


def test_encoding_ahead_ends_when_the_place_is_full_and_when_told_to(tmp_path: Path) -> None:
    probe, _ = make_core(tmp_path / "probe")
    list(probe.encode_ahead([0], CancelToken()))
    size = sum(file.stat().st_size for file in tmp_path.rglob("*.features"))
    core, encoded = make_core(tmp_path / "small", nbytes=int(2.5 * size))
    assert list(core.encode_ahead(range(6), CancelToken())) == [0, 1]
    assert len(encoded) == 2
    token = CancelToken()
    ahead = make_core(tmp_path / "told")[0].encode_ahead(range(6), token)
    assert next(ahead) == 0
    token.cancel()
    with pytest.raises(Cancelled):
        next(ahead)


def test_without_a_place_nothing_is_encoded_ahead() -> None:
    core, encoded = make_core(None)
    assert list(core.encode_ahead(range(3), CancelToken())) == []
    assert encoded == []


@pytest.mark.parametrize("name", ["light", "stcn"])
@torch.inference_mode()
def test_features_come_back_as_they_were(name: str) -> None:
    engine = make_propagator(name, VIDEO.size)
    assert isinstance(engine, SupportsStoring)
    features = engine.encode(VIDEO.frames[0])
    again = engine.unpack(VIDEO.frames[0], engine.pack(features))
    assert torch.equal(again.image, features.image)
    for one, other in zip(again.maps, features.maps, strict=True):  # type: ignore[attr-defined]
        assert one.dtype == other.dtype
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)
    assert torch.equal(again.maps.key, features.maps.key)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="another network"):
        engine.unpack(VIDEO.frames[0], {"key": torch.zeros(1, 4, 6, 64)})
