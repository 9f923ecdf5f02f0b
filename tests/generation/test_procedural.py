"""Scenes made from nothing."""
from __future__ import annotations

import numpy as np

from generation.procedural import noise_texture, procedural_scenes, random_shape
from tests.generation.pictures import ramp


def test_textures_differ_and_repeat_with_the_seed() -> None:
    one, again, other = (noise_texture(np.random.default_rng(seed), 48) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert one.shape == (48, 48, 3) and one.std() > 3
    assert (one != other).mean() > 0.9


def test_shapes_are_of_a_useful_size() -> None:
    rng = np.random.default_rng(0)
    areas = [random_shape(rng, 64).mean() for _ in range(40)]
    assert min(areas) > 0.004 and max(areas) < 0.8
    assert np.std(areas) > 0.02


def test_scenes_show_their_labels() -> None:
    scenes = list(procedural_scenes(6, np.random.default_rng(0), 48, [ramp(48)]))
    assert len(scenes) == 6
    assert max(labels.max() for _, labels in scenes) >= 3
    for image, labels in scenes:
        assert image.shape == (48, 48, 3) and labels.shape == (48, 48)
        assert labels.max() >= 1
    again = next(procedural_scenes(6, np.random.default_rng(0), 48, [ramp(48)]))
    np.testing.assert_array_equal(scenes[0][0], again[0])
