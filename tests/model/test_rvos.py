"""RVOS: published key names, and what the recorded cases do not reach."""
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from model.rvos import SKIP_MODES, RvosDecoder, RvosEncoder, RvosSettings, Skips, mask_pyramid
from model.rvos_bases import BASES, make_base

SIZE = (45, 70)
SMALL = {"hidden_size": 16}


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("encoder_resnet101", lambda: RvosEncoder(RvosSettings())),
        ("decoder_one_shot", lambda: RvosDecoder(RvosSettings(), takes_mask=True)),
        ("decoder_zero_shot", lambda: RvosDecoder(RvosSettings(), takes_mask=False)),
    ],
)
def test_published_keys_of_rvos(shared: Path, name: str, build: Callable[[], nn.Module]) -> None:
    published = json.loads((shared / "compat" / f"keys_rvos_{name}.json").read_text())["keys"]
    with torch.device("meta"):
        state = build().state_dict()
    own = {key: [list(tensor.shape), str(tensor.dtype).removeprefix("torch.")] for key, tensor in state.items()}
    assert own == {key: [shape, dtype] for key, shape, dtype in published}


def decoder_and_skips(settings: RvosSettings, *, takes_mask: bool = False) -> tuple[RvosDecoder, Skips]:
    torch.manual_seed(0)
    sides = [[-(-side // stride) for side in SIZE] for stride in (32, 16, 8, 4)]
    maps = [torch.randn(1, c, *side) for c, side in zip(settings.skip_sizes, sides, strict=True)]
    return RvosDecoder(settings, takes_mask=takes_mask).eval(), Skips(*maps)


@pytest.fixture(autouse=True)
def _inference() -> object:
    with torch.inference_mode():
        yield


@pytest.mark.parametrize("name", ["resnet34", "vgg16"])
def test_maps_of_a_base_have_the_sizes_of_the_masks_levels(name: str) -> None:
    assert name in BASES
    base = make_base(name)
    maps = base.stages(torch.zeros(1, 3, *SIZE))
    levels = mask_pyramid(torch.zeros(1, *SIZE))
    assert [x.shape[-2:] for x in reversed(maps)] == [x.shape[-2:] for x in levels]
    assert tuple(x.shape[1] for x in maps) == base.channels


@pytest.mark.parametrize("mode", SKIP_MODES)
@pytest.mark.parametrize("takes_mask", [False, True])
def test_every_skip_mode_runs_at_odd_sizes(mode: str, takes_mask: bool) -> None:
    settings = RvosSettings(skip_mode=mode, **SMALL)  # type: ignore[arg-type]
    decoder, skips = decoder_and_skips(settings, takes_mask=takes_mask)
    masks = torch.rand(3, *SIZE) if takes_mask else None
    logits, hidden = decoder(skips, SIZE, 3, masks)
    assert logits.shape == (3, *SIZE)
    assert [x.shape for x in hidden] == [
        (3, c, *skip.shape[-2:]) for c, skip in zip(settings.hidden_sizes, skips, strict=True)
    ]


def test_masks_where_none_are_taken_are_a_mistake() -> None:
    decoder, skips = decoder_and_skips(RvosSettings(**SMALL))
    with pytest.raises(ValueError, match="exactly where the decoder takes them"):
        decoder(skips, SIZE, 1, torch.rand(1, *SIZE))


def two_frames(settings: RvosSettings, change: Callable[[tuple[Tensor, ...]], tuple[Tensor, ...]]) -> Tensor:
    """Logits of two objects on the second frame, after something has happened to what is carried to it."""
    decoder, skips = decoder_and_skips(settings)
    _, hidden = decoder(skips, SIZE, 2)
    return decoder(skips, SIZE, 2, None, change(hidden))[0]


def without_first(hidden: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Nothing known of the first object."""
    return tuple(torch.cat([x[:1] * 0, x[1:]]) for x in hidden)


def test_an_object_is_told_of_the_one_before_it_unless_only_time_counts() -> None:
    both, cut = two_frames(RvosSettings(**SMALL), tuple), two_frames(RvosSettings(**SMALL), without_first)
    assert not torch.equal(both[1], cut[1])
    alone = RvosSettings(only_temporal=True, **SMALL)
    both, cut = two_frames(alone, tuple), two_frames(alone, without_first)
    assert torch.equal(both[1], cut[1]) and not torch.equal(both[0], cut[0])


def test_only_spatial_forgets_the_frame_before() -> None:
    settings = RvosSettings(only_spatial=True, **SMALL)
    assert torch.equal(two_frames(settings, tuple), two_frames(settings, without_first))
