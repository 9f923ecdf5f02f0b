"""Exports: what is written comes back, nothing half-written stays, and damage is told."""
from __future__ import annotations

import errno
import json
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from storage.exchange import exr, formats
from storage.exchange.alpha import soft_alpha
from storage.exchange.export_run import check_target, is_taken, run_export
from storage.exchange.format import Format, MaskFormat
from storage.exchange.material import Edge, Material
from storage.exchange.report import Report
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.project_parts import ObjectInfo
from storage.video_codec import ProRes4444
from tests.synthetic import SyntheticVideo
from util.errors import AppError
from util.jobs import Cancelled, CancelToken
from util.types import IndexMask

OBJECTS = (
    ObjectInfo(1, "white disc", "ball"),
    ObjectInfo(2, 'box "B"', "box", (250, 10, 20)),
    ObjectInfo(3, "bär/..", "bar"),
)
WANTED = range(2, 9)


@pytest.fixture
def frames(synthetic_folder: Path) -> Iterator[FrameStore]:
    store = FrameStore(open_source(synthetic_folder))
    yield store
    store.close()


@pytest.fixture
def masks(synthetic_video: SyntheticVideo) -> list[IndexMask]:
    """With a hole, an empty frame, an ignored area and an object that is not exported."""
    found = [mask.copy() for mask in synthetic_video.masks]
    found[3][np.nonzero(found[3] == 1)[0].mean().astype(int), 25:30] = 0
    found[4][:] = 0
    found[5][60:, 90:] = 255
    found[6][:3, :3] = 9
    return found


@pytest.fixture
def material(frames: FrameStore, masks: list[IndexMask]) -> Material:
    return Material(frames, masks.__getitem__, OBJECTS, WANTED)


def export(fmt: Format, material: Material, target: Path, *, replace: bool = False) -> Report:
    check_target(fmt, material, target, ())
    steps = run_export(fmt, material, target, CancelToken(), replace=replace)
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as stop:
            report = stop.value
            break
    assert [step.done for step in seen] == list(range(1, 2 * len(material.wanted) + 1))
    assert isinstance(report, Report)
    return report


def target_of(fmt: Format, folder: Path) -> Path:
    return folder / f"out{fmt.suffix}"


@pytest.mark.parametrize("fmt", formats.FORMATS, ids=lambda fmt: fmt.name)
def test_every_format_is_written_and_found_right(fmt: Format, material: Material, tmp_path: Path) -> None:
    if fmt.missing():
        pytest.skip(fmt.missing())
    target = target_of(fmt, tmp_path)
    report = export(fmt, material, target)
    assert report.problems == [] and target.exists() and report.num_files >= 1
    text = "\n".join(report.lines())
    assert "white disc" in text and "on 6 of 7 frames" in text and "97x65" in text and "objects 9" in text
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("fmt", formats.MASK_FORMATS, ids=lambda fmt: fmt.name)
def test_round_trip(fmt: MaskFormat, material: Material, tmp_path: Path) -> None:
    export(fmt, material, tmp_path / "out")
    reader = fmt.open(tmp_path / "out", material.frames)
    expected = list(WANTED) if fmt.names_empty_frames else [frame for frame in WANTED if frame != 4]
    assert list(reader.frames) == expected
    for frame in reader.frames:
        assert np.array_equal(reader.mask(frame), material.mask(frame, keep_ignore=fmt.keeps_ignore))
    texts = {value: label.text for value, label in reader.labels.items()}
    if fmt.name == "index-png":
        assert texts == {}
    elif fmt.name in ("youtube-vos", "yolo-seg"):
        assert texts == {1: "ball", 2: "box", 3: "bar"}
    elif fmt.name in ("coco", "labelme"):
        assert texts == {info.object_id: info.name for info in OBJECTS}
    else:
        assert set(texts) == {1, 2, 3}


@pytest.mark.parametrize("fmt", formats.FORMATS, ids=lambda fmt: fmt.name)
def test_a_cancelled_export_leaves_nothing(fmt: Format, material: Material, tmp_path: Path) -> None:
    for stop_at in (1, len(WANTED) + 2):
        token = CancelToken()
        with pytest.raises(Cancelled):
            for progress in run_export(fmt, material, target_of(fmt, tmp_path), token):
                if progress.done == stop_at:
                    token.cancel()
        assert [entry.name for entry in tmp_path.iterdir() if entry.name != "synthetic"] == []


@pytest.mark.parametrize("fmt", formats.FORMATS, ids=lambda fmt: fmt.name)
def test_what_does_not_come_back_right_is_not_put_in_place(
    fmt: Format, material: Material, masks: list[IndexMask], tmp_path: Path
) -> None:
    """The masks change between writing and reading back, as damage on the disk would look."""
    steps = run_export(fmt, material, target_of(fmt, tmp_path), CancelToken())
    with pytest.raises(StopIteration) as end:
        while True:
            if next(steps).done == len(WANTED) and fmt.name != "overlay-video":
                masks[7][:] = 3
                masks[7][20:40, 20:40] = 1
            elif fmt.name == "overlay-video":
                object.__setattr__(material, "wanted", range(2, 10))
    report = end.value.value
    assert not report.is_good and "WRONG: frame" in "\n".join(report.lines())
    assert not target_of(fmt, tmp_path).exists()


def exr_planes(path: Path) -> dict[str, np.ndarray]:
    package = pytest.importorskip("OpenEXR")
    with package.File(str(path), separate_channels=True) as file:
        return {name: channel.pixels for name, channel in file.channels().items()}


def test_exr_holds_linear_light_multiplied_by_alpha(material: Material, tmp_path: Path) -> None:
    export(formats.BY_NAME["rgba-exr"], material, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"{n:05d}.exr" for n in WANTED]
    planes = exr_planes(tmp_path / "out" / "00002.exr")
    assert set(planes) == set("RGBA") and {plane.dtype for plane in planes.values()} == {np.dtype(np.float16)}
    alpha = soft_alpha(material.mask(2) > 0, Edge()) / 65535
    assert np.abs(planes["A"] - alpha).max() < 1e-3 and alpha[(alpha > 0) & (alpha < 1)].size > 0
    picture = material.picture(2).astype(np.float64) / 255
    for plane, value in zip("RGB", np.moveaxis(picture, 2, 0), strict=True):
        linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        assert np.abs(planes[plane] - linear * alpha).max() < 2e-3


def test_exr_mattes_have_a_channel_per_object(material: Material, tmp_path: Path) -> None:
    hard = Material(material.frames, material.masks, OBJECTS, WANTED, edge=Edge(0))
    export(formats.BY_NAME["matte-exr"], hard, tmp_path / "out")
    planes = exr_planes(tmp_path / "out" / "00002.exr")
    assert set(planes) == {"001_white_disc.A", "002_box_B.A", "003_bär.A"}
    for info, name in zip(OBJECTS, sorted(planes), strict=True):
        assert np.array_equal(planes[name], (hard.mask(2) == info.object_id).astype(np.float16))


def test_exr_says_what_to_install(material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exr, "PACKAGE", "no_such_package")
    with pytest.raises(AppError, match="cannot be written here: .*pip install no_such_package"):
        check_target(formats.BY_NAME["matte-exr"], material, tmp_path / "out", ())


def test_exr_on_a_full_disk_and_a_damaged_one(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fmt = formats.BY_NAME["rgba-exr"]
    list(fmt.write(material, tmp_path / "out"))
    (tmp_path / "out" / "00002.exr").write_bytes(b"no picture")
    (tmp_path / "out" / "00003.exr").unlink()
    problems = list(fmt.check(material, tmp_path / "out"))
    assert "cannot be read back" in problems[0] and "is missing" in problems[1] and not any(problems[2:])

    def touch(path: Path) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(Path, "touch", touch)
    with pytest.raises(AppError, match="disk is full"):
        list(fmt.write(material, tmp_path / "full"))


def test_names_sizes_and_rate_are_the_sources(material: Material, tmp_path: Path) -> None:
    export(formats.BY_NAME["index-png"], material, tmp_path / "png")
    assert sorted(file.name for file in (tmp_path / "png").iterdir()) == [f"{frame:05d}.png" for frame in WANTED]
    with Image.open(tmp_path / "png" / "00002.png") as image:
        palette = np.array(image.getpalette()).reshape(-1, 3)
        assert palette[2].tolist() == [250, 10, 20] and palette[1].tolist() == [128, 0, 0]
    export(formats.BY_NAME["overlay-video"], material, tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].average_rate == 24
        assert len(list(container.decode(video=0))) == len(WANTED)


def test_with_frames(material: Material, tmp_path: Path) -> None:
    both = Material(material.frames, material.masks, OBJECTS, range(2), with_frames=True)
    export(formats.BY_NAME["youtube-vos"], both, tmp_path / "yv")
    assert (tmp_path / "yv" / "JPEGImages" / "synthetic" / "00001.jpg").exists()
    meta = json.loads((tmp_path / "yv" / "meta.json").read_text())
    assert meta["videos"]["synthetic"]["objects"]["1"] == {"category": "ball", "frames": ["00000", "00001"]}
    export(formats.BY_NAME["coco"], both, tmp_path / "coco")
    content = json.loads((tmp_path / "coco" / "annotations.json").read_text())
    assert all((tmp_path / "coco" / "images" / image["file_name"]).exists() for image in content["images"])
    assert [entry["name"] for entry in content["categories"]] == ["ball", "box", "bar"]
    export(formats.BY_NAME["yolo-seg"], both, tmp_path / "yolo")
    assert len(list((tmp_path / "yolo" / "images").iterdir())) == 2
    export(formats.BY_NAME["labelme"], both, tmp_path / "lm")
    shape = json.loads((tmp_path / "lm" / "00000.json").read_text())
    assert (tmp_path / "lm" / shape["imagePath"]).exists()
    export(formats.BY_NAME["labelme"], material, tmp_path / "lm2")
    assert json.loads((tmp_path / "lm2" / "00002.json").read_text())["imagePath"] == "00002.png", "the file's own name"


def test_pycocotools_reads_what_we_write(material: Material, tmp_path: Path) -> None:
    tools = pytest.importorskip("pycocotools.coco")
    export(formats.BY_NAME["coco"], material, tmp_path / "coco")
    content = tools.COCO(str(tmp_path / "coco" / "annotations.json"))
    seen = 0
    for entry in content.loadAnns(content.getAnnIds()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools 2.0.11 with numpy 2.4
            region = content.annToMask(entry) > 0
        assert np.array_equal(region, material.mask(entry["image_id"]) == entry["track_id"])
        rows, columns = np.nonzero(region)
        assert entry["area"] == len(rows) and entry["bbox"][:2] == [columns.min(), rows.min()]
        seen += 1
    assert seen == 3 * 6 and content.loadImgs([4])[0]["file_name"] == "00004.png"


def test_a_youtube_vos_folder_takes_another_video(material: Material, tmp_path: Path) -> None:
    target = tmp_path / "yv"
    target.mkdir()
    (target / "meta.json").write_text('{"videos": {"other": {"objects": {}}}}')
    fmt = formats.BY_NAME["youtube-vos"]
    with pytest.raises(AppError, match="holds something"):
        export(fmt, material, target)
    report = export(fmt, material, target, replace=True)
    assert report.is_good and set(json.loads((target / "meta.json").read_text())["videos"]) == {"other", "synthetic"}
    (target / "meta.json").write_text("{")
    with pytest.raises(AppError, match=r"meta\.json"):
        export(fmt, material, target, replace=True)
    assert [entry.name for entry in target.iterdir() if entry.name.startswith(".")] == []


def test_replacing_keeps_what_is_not_of_the_export(material: Material, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    assert not is_taken(target)
    (target / "notes.txt").write_text("mine")
    (target / "00002.png").write_bytes(b"old")
    report = export(formats.BY_NAME["index-png"], material, target, replace=True)
    assert (target / "notes.txt").read_text() == "mine" and (target / "00002.png").read_bytes() != b"old"
    assert any("1 other files" in note for note in report.notes)


@pytest.mark.parametrize(
    ("name", "place", "message"),
    [
        ("index-png", "synthetic", "holds the frames"),
        ("index-png", "kept/in", "workspace"),
        ("index-png", "none/out", "does not exist"),
        ("overlay-video", "out.avi", "end in .mp4"),
        ("coco", "file", "is a file"),
        ("png-mov", "dir.mov", "is a folder"),
    ],
)
def test_places_that_are_refused(material: Material, tmp_path: Path, name: str, place: str, message: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dir.mov").mkdir()
    (tmp_path / "kept").mkdir()
    with pytest.raises(AppError, match=message):
        check_target(formats.BY_NAME[name], material, tmp_path / place, (tmp_path / "kept",))


def test_nothing_to_export_and_no_encoder(
    frames: FrameStore, masks: list[IndexMask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AppError, match="no object"):
        check_target(formats.BY_NAME["coco"], Material(frames, masks.__getitem__, (), WANTED), tmp_path / "a", ())
    monkeypatch.setattr(ProRes4444, "_ENCODER", "prores_none")
    fmt = formats.BY_NAME["prores4444"]
    assert "no ProRes 4444 encoder" in fmt.missing()
    with pytest.raises(AppError, match="no ProRes 4444 encoder"):
        check_target(fmt, Material(frames, masks.__getitem__, OBJECTS, WANTED), tmp_path / "a.mov", ())


def test_prores_alpha_is_the_same_every_time() -> None:
    """libswscale with several threads spoils rows of pictures whose width is no multiple of 8 (854, for example)."""
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 255, (480, 854, 4)).astype(np.uint8)
    for _ in range(12):
        plane = ProRes4444().frame(picture).planes[3]
        alpha = np.frombuffer(plane, np.uint16).reshape(480, -1)[:, :854]
        assert np.abs(alpha / 4.0 - picture[..., 3]).max() < 1.5


def test_soft_edges() -> None:
    region = np.zeros((40, 60), bool)
    region[10:30, 20:] = True
    hard = soft_alpha(region, Edge(0))
    assert set(np.unique(hard)) == {0, 65535} and np.array_equal(hard > 0, region)
    soft = soft_alpha(region, Edge(1.5))
    assert (soft[16:24, 26:] == 65535).all() and (soft[:5] == 0).all(), "inside and far outside are exact"
    assert np.array_equal(soft[20] >= 32768, region[20]), "one half on the edge; the picture's border is none"
    assert 0 < soft[20, 19] < soft[20, 20] < 65535
    for grow, left in ((3, 17), (-3, 23)):
        moved = soft_alpha(region, Edge(0, grow)) > 0
        assert int(np.flatnonzero(moved[20])[0]) == left and moved[20, -1]
    assert not soft_alpha(np.zeros((4, 4), bool), Edge(1, -2)).any()
    assert Fraction(int(soft.max()), 65535) == 1
