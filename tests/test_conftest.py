"""The fixtures themselves: what other tests rely on."""
from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from tests.synthetic import SyntheticVideo


def test_synthetic_video_has_moving_objects_with_exact_masks(synthetic_video: SyntheticVideo) -> None:
    assert len(synthetic_video) == len(synthetic_video.masks) == 12
    for frame, mask in zip(synthetic_video.frames, synthetic_video.masks, strict=True):
        assert frame.shape == (65, 97, 3) and frame.dtype == np.uint8
        assert mask.shape == (65, 97) and mask.dtype == np.uint8
        assert set(np.unique(mask)) == {0, 1, 2, 3}
        assert not frame.flags.writeable and not mask.flags.writeable
    first, last = synthetic_video.masks[0], synthetic_video.masks[-1]
    for object_id in synthetic_video.object_ids:
        assert ((first == object_id) != (last == object_id)).mean() > 0.01
    disc_area = [int((mask == 1).sum()) for mask in synthetic_video.masks]
    assert min(disc_area) < 0.8 * max(disc_area), "the box should hide a part of the disc in some frame"


def test_written_files_read_back_exactly(synthetic_video: SyntheticVideo, tmp_path: Path) -> None:
    frames = sorted(synthetic_video.write_frames(tmp_path / "frames").iterdir())
    masks = sorted(synthetic_video.write_masks(tmp_path / "masks").iterdir())
    assert [file.name for file in frames] == [file.name for file in masks] == [f"{n:05d}.png" for n in range(12)]
    for number, (frame, mask) in enumerate(zip(frames, masks, strict=True)):
        assert np.array_equal(np.asarray(Image.open(frame)), synthetic_video.frames[number])
        palette_image = Image.open(mask)
        assert palette_image.mode == "P"
        assert np.array_equal(np.asarray(palette_image), synthetic_video.masks[number])


def test_home_is_a_temporary_folder() -> None:
    root = Path(tempfile.gettempdir())
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"):
        assert Path(os.environ[name]).is_relative_to(root)
