"""Packs of training pictures: what goes in comes out, and files of unknown origin are refused."""
from __future__ import annotations

import io
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from generation import pack as pack_module
from generation.pack import PROCEDURAL, SHAPES, Pack, build_pack, load_pack
from tests.generation.pictures import SIDE, blocks, names, ramp, tiny_pack, write_still, write_stills
from util.errors import AppError


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return tiny_pack(tmp_path / "stills")


def test_pictures_maps_and_objects(pack: Pack) -> None:
    assert np.abs(pack.decoded_images().astype(int) - ramp()).max() <= 8
    assert pack.decoded_images().shape == (3, SIDE, SIDE, 3)
    np.testing.assert_array_equal(pack.decoded_maps(), np.stack([blocks()] * 3))
    assert list(pack.sets) == ["set"]
    single = pack.object_bits == 1 << 1
    assert set(pack.object_bits.tolist()) == {1 << 1, 1 << 2, (1 << 1) + (1 << 2)}
    np.testing.assert_allclose(pack.object_box[single], np.tile([0.25, 0.25, 0.5, 0.5], (3, 1)))
    np.testing.assert_allclose(pack.object_area[single], 1 / 16)
    assert not pack.object_rim.any()


def test_splits_share_no_picture(tmp_path: Path) -> None:
    write_stills(tmp_path, 3, 2)
    counts = [len(build_pack(tmp_path, split, side=SIDE, scenes=0, shapes=0).aspect) for split in ("train", "heldout")]
    assert counts == [3, 2]


def test_aspect_is_that_of_the_photograph(tmp_path: Path) -> None:
    write_still(tmp_path / "set", names("train", 1)[0], ramp(96)[:48], blocks(96)[:48])
    assert build_pack(tmp_path, "train", side=SIDE, scenes=0, shapes=0).aspect.tolist() == [2.0]


def test_scenes_and_shapes_join(tmp_path: Path) -> None:
    pack = tiny_pack(tmp_path, scenes=4, shapes=5)
    counts = dict(zip(pack.sets.tolist(), np.bincount(pack.object_set), strict=True))
    assert len(pack.aspect) == 3 + 4 and len(pack.map_ends) == 3 + 4 + 5
    assert counts[PROCEDURAL] >= 4 and counts[SHAPES] == 2 * 5
    # A shape is cut out of a photograph, not out of a scene.
    assert pack.object_image[pack.object_set == list(pack.sets).index(SHAPES)].max() < 3


def test_round_trip_and_the_same_every_time(pack: Pack, tmp_path: Path) -> None:
    pack.save(tmp_path / "without-ending")
    again = load_pack(tmp_path / "without-ending")
    other = tiny_pack(tmp_path / "stills")
    for field in fields(Pack):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(pack, field.name))
        np.testing.assert_array_equal(getattr(other, field.name), getattr(pack, field.name))


def saved(pack: Pack, file: Path, **changes: np.ndarray) -> Path:
    replace(pack, **changes).save(file)
    return file


@pytest.mark.parametrize("length", [0, 100, 3000, -30])
def test_a_truncated_file(pack: Pack, tmp_path: Path, length: int) -> None:
    file = saved(pack, tmp_path / "cut.npz")
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(AppError, match=r"cut\.npz is no pack"):
        load_pack(file)


def test_a_flipped_byte(pack: Pack, tmp_path: Path) -> None:
    file = saved(pack, tmp_path / "flipped.npz")
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(AppError, match=r"flipped\.npz"):
        load_pack(file)


def test_an_absent_file_and_other_files(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros(3))
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    (tmp_path / "page.npz").write_text("<html>")
    for name in ("absent.npz", "one.npy", "other.npz", "page.npz"):
        with pytest.raises(AppError, match=name):
            load_pack(tmp_path / name)


def test_pickled_objects_are_not_loaded(pack: Pack, tmp_path: Path) -> None:
    arrays = {field.name: getattr(pack, field.name) for field in fields(Pack)}
    buffer = io.BytesIO()
    np.savez(buffer, **(arrays | {"sets": np.array([{"a": 1}], object)}))
    (tmp_path / "objects.npz").write_bytes(buffer.getvalue())
    with pytest.raises(AppError, match=r"objects\.npz"):
        load_pack(tmp_path / "objects.npz")


def test_arrays_that_do_not_fit(pack: Pack, tmp_path: Path) -> None:
    bad = {
        "object_image": pack.object_image + 3,
        "object_map": pack.object_map - 1,
        "object_set": pack.object_set.astype(np.int64),
        "object_bits": pack.object_bits[:-1],
        "object_box": pack.object_box[:, :3],
        "object_area": np.full_like(pack.object_area, np.nan),
        "image_ends": pack.image_ends[::-1].copy(),
        "map_ends": pack.map_ends + 1,
        "aspect": -pack.aspect,
        "sets": np.arange(1),
    }
    for name, array in bad.items():
        with pytest.raises(AppError, match="is no pack"):
            load_pack(saved(pack, tmp_path / f"{name}.npz", **{name: array}))


def test_a_damaged_picture_inside(pack: Pack, tmp_path: Path) -> None:
    images = pack.images.copy()
    images[:40] = 0
    with pytest.raises(AppError, match="damaged"):
        load_pack(saved(pack, tmp_path / "a.npz", images=images)).decoded_images()


def test_pictures_without_objects(tmp_path: Path) -> None:
    write_still(tmp_path / "set", names("train", 1)[0], ramp(), np.zeros((SIDE, SIDE), np.uint8))
    with pytest.raises(AppError, match="no object"):
        build_pack(tmp_path, "train", side=SIDE, scenes=0, shapes=0)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write_stills(tmp_path / "stills")
    monkeypatch.setattr(pack_module.build_pack, "__kwdefaults__", {"side": 64, "quality": 90, "scenes": 1, "shapes": 1})
    command = ["pack", "--images", str(tmp_path / "stills"), "--side", "64", "--out"]
    monkeypatch.setattr("sys.argv", [*command, str(tmp_path / "a.npz")])
    assert pack_module.main() == 0
    assert "4 pictures, 5 maps" in capsys.readouterr().out
    assert len(load_pack(tmp_path / "a.npz").aspect) == 4
    monkeypatch.setattr("sys.argv", [*command, str(tmp_path / "absent" / "a.npz")])
    assert pack_module.main() == 2
    assert "absent" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*command, "a.npz", "--quality", "101"])
    with pytest.raises(SystemExit, match="2"):
        pack_module.main()
