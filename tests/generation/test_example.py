"""The scene renders what its masks say, and the files in examples/ are what `python -m generation.example` writes."""
from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from generation import example
from generation.scene import ASPECT, Camera, Scene, make_layers
from storage.mask_io import read_mask
from util.types import IndexMask

OBJECTS = {1, 2, 3, 4}
LOW = 96
TRIED_FRAMES = (0, 47, 95)


@pytest.fixture(scope="module")
def low_scene() -> Scene:
    return Scene(LOW, example.NUM_FRAMES)


def block_votes(mask: IndexMask, factor: int) -> tuple[IndexMask, NDArray[np.bool_]]:
    """The mask at 1/factor: the id of each block's middle, and whether the whole block has that id."""
    blocks = mask.reshape(mask.shape[0] // factor, factor, mask.shape[1] // factor, factor)
    middle = blocks[:, factor // 2, :, factor // 2]
    return middle, (blocks == middle[:, None, :, None]).all(axis=(1, 3))


@pytest.mark.parametrize("number", TRIED_FRAMES)
def test_a_small_rendering_agrees_with_the_committed_masks(
    low_scene: Scene, number: int, repository: Path
) -> None:
    committed = read_mask(repository / "examples" / "masks" / f"{number:05d}.png")
    assert committed.shape == (example.HEIGHT, round(example.HEIGHT * ASPECT))
    expected, is_whole = block_votes(committed, example.HEIGHT // LOW)
    small = low_scene.render(number).mask
    assert is_whole.mean() > 0.8
    assert (small[is_whole] == expected[is_whole]).mean() > 0.995
    for object_id in OBJECTS:
        union = ((small == object_id) | (expected == object_id)).sum()
        assert ((small == object_id) & (expected == object_id)).sum() / union > 0.85


def test_rendering_repeats_exactly(low_scene: Scene) -> None:
    first, second = low_scene.render(40), Scene(LOW, example.NUM_FRAMES).render(40)
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.mask, second.mask)


def test_no_cut_edge_and_no_hole_comes_into_view() -> None:
    """The photographs' straight borders stay outside: the background is everywhere, nobody ends in the air."""
    scene = Scene(48, example.NUM_FRAMES)
    num_layers = len(make_layers())
    for number in range(0, example.NUM_FRAMES, 5):
        weights = np.zeros((num_layers, *scene.size), np.float32)
        scene._expose(number / (example.NUM_FRAMES - 1), np.zeros((*scene.size, 3), np.float32), weights)
        assert np.allclose(weights.sum(axis=0), 1, atol=1e-4), f"frame {number}: nothing is seen somewhere"
        mask = scene.render(number).mask
        is_astronaut_above = (mask[-6:-2] == 1).all(axis=0)
        assert (mask[-1, is_astronaut_above] == 1).mean() > 0.9, f"frame {number}: the astronaut ends in the air"
        assert (mask[-9:, 0] == 2).all(), f"frame {number}: the cat's cut-off side is in view"


def test_committed_masks_hold_every_object_in_every_frame(repository: Path) -> None:
    files = sorted((repository / "examples" / "masks").iterdir())
    assert [file.name for file in files] == [f"{number:05d}.png" for number in range(example.NUM_FRAMES)]
    areas = np.stack([np.bincount(read_mask(file).ravel(), minlength=5) for file in files])
    assert areas.shape[1] == 5, "ids 0..4 only"
    assert areas.min() > 1500, "every object is large enough to mark"
    assert areas[:, 1].min() < 0.8 * areas[:, 1].max(), "the saucer hides a part of the astronaut in some frame"


def test_every_object_and_the_camera_move(repository: Path) -> None:
    masks = [read_mask(repository / "examples" / "masks" / f"{number:05d}.png") for number in (0, 32, 64, 95)]
    for object_id in OBJECTS:
        for before, after in pairwise(masks):
            assert not np.array_equal(before == object_id, after == object_id)
    start, end = Camera.at(0), Camera.at(1)
    assert abs(start.x - end.x) > 0.1 and end.zoom > start.zoom


def test_committed_video(repository: Path, low_scene: Scene) -> None:
    path = repository / "examples" / "example.mp4"
    assert path.stat().st_size < 3_000_000
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == example.RATE
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(frames) == example.NUM_FRAMES
    assert frames[0].shape[0] >= 480 and frames[0].shape[1] >= 640
    for number in TRIED_FRAMES:
        factor = example.HEIGHT // LOW
        blocks = frames[number].reshape(LOW, factor, -1, factor, 3).mean(axis=(1, 3))
        error = np.abs(blocks - low_scene.render(number).image).mean()
        assert error < 5, f"frame {number} differs from its rendering by {error:.1f} grey levels on average"


def test_masks_take_little_room(repository: Path) -> None:
    total = sum(file.stat().st_size for file in (repository / "examples" / "masks").iterdir())
    assert total < 1_000_000


def test_command_line_writes_video_and_masks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(example, "HEIGHT", 32)
    monkeypatch.setattr(example, "NUM_FRAMES", 3)
    assert example.main(["--output", str(tmp_path / "new")]) == 0
    assert "3 frames" in capsys.readouterr().out
    with av.open(str(tmp_path / "new" / "example.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 3
    assert [read_mask(file).shape for file in sorted((tmp_path / "new" / "masks").iterdir())] == [(32, 48)] * 3


def test_command_line_names_an_impossible_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    assert example.main(["--output", str(blocked)]) == 2
    assert str(blocked) in capsys.readouterr().err
