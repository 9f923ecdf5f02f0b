"""Video files: every frame has the number that decoding from start to end gives it, however it is reached."""
from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import PictureType

from storage.frame_source import open_source
from storage.video_file import VideoFileSource
from storage.video_index import build_index
from tests.video_files import RATE, SIZE, cut_off, edit_first_entry, number_of, numbered_picture, write_video
from util.errors import AppError
from util.types import ImageU8, Size

NUM = 60
PICTURES = [numbered_picture(number) for number in range(NUM)]
OPEN_GROUPS = {"x264-params": "open-gop=1:keyint=12:bframes=3:b-adapt=0:scenecut=0"}
REFRESH = {"x264-params": "intra-refresh=1:keyint=12:bframes=0"}
X265_OPEN = {"x265-params": "log-level=none:open-gop=1:keyint=12:min-keyint=12"}
X265 = {"x265-params": "log-level=none"}


def open_video(path: Path) -> VideoFileSource:
    source = open_source(path)
    assert isinstance(source, VideoFileSource)
    return source


def decoded(path: Path) -> list[ImageU8]:
    """The reference: what libavcodec hands out from start to end, in one thread."""
    images = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for packet in container.demux(stream):
            try:
                images += [picture.to_ndarray(format="rgb24") for picture in stream.decode(packet)]
            except av.error.InvalidDataError:
                continue
    return images


def check_exact(path: Path) -> VideoFileSource:
    """Count, sequential and random reads all agree with plain decoding."""
    expected = [number_of(image) for image in decoded(path)]
    source = open_video(path)
    assert len(source) == len(expected)
    images = [source.read(frame) for frame in range(len(source))]
    assert [number_of(image) for image in images] == expected
    source.close()
    source = open_video(path)
    for frame in np.random.default_rng(0).permutation(len(source)).tolist():
        np.testing.assert_array_equal(source.read(frame), images[frame], err_msg=f"frame {frame}")
    return source


KINDS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "b frames": (".mp4", lambda path: write_video(path, PICTURES)),
    "matroska": (".mkv", lambda path: write_video(path, PICTURES)),
    "quicktime": (".mov", lambda path: write_video(path, PICTURES)),
    "transport stream": (".ts", lambda path: write_video(path, PICTURES)),
    "one group": (".mp4", lambda path: write_video(path, PICTURES, group=500)),
    "all key frames": (".mp4", lambda path: write_video(path, PICTURES, group=1, b_frames=0)),
    "open groups": (".mp4", lambda path: write_video(path, PICTURES, options=OPEN_GROUPS)),
    "open groups in ts": (".ts", lambda path: write_video(path, PICTURES, options=OPEN_GROUPS)),
    "intra refresh": (".mp4", lambda path: write_video(path, PICTURES, b_frames=0, options=REFRESH)),
    "hevc open groups": (".mp4", lambda path: write_video(path, PICTURES, codec="libx265", options=X265_OPEN)),
    "vp9": (".webm", lambda path: write_video(path, PICTURES, codec="libvpx-vp9", b_frames=0)),
    "vp8": (".webm", lambda path: write_video(path, PICTURES, codec="libvpx", b_frames=0)),
    "mpeg-2 program stream": (".mpg", lambda path: write_video(path, PICTURES, codec="mpeg2video")),
    "mpeg-4 with b frames in avi": (".avi", lambda path: write_video(path, PICTURES, codec="mpeg4")),
    "mpeg-4 in avi": (".avi", lambda path: write_video(path, PICTURES, codec="mpeg4", b_frames=0)),
    "h264 in avi": (".avi", lambda path: write_video(path, PICTURES)),
    "motion jpeg in avi": (
        ".avi", lambda path: write_video(path, PICTURES, codec="mjpeg", b_frames=0, pix_fmt="yuvj420p"),
    ),
    "bare h264": (".h264", lambda path: write_video(path, PICTURES)),
    "gif": (".gif", lambda path: write_video(path, PICTURES, codec="gif", b_frames=0, pix_fmt="rgb8")),
}  # fmt: skip


# Those that are decoded once when they are opened, because their packets do not tell which pictures there are.
SCANNED = {"vp8", "gif", "bare h264", "h264 in avi", "mpeg-4 with b frames in avi"}
# Those without reliable time stamps, whose pictures are counted from the start.
COUNTED = {"bare h264", "h264 in avi", "mpeg-4 with b frames in avi"}
WITHOUT_RESTART = {"one group", "intra refresh", *SCANNED}


@pytest.mark.parametrize("kind", KINDS)
def test_opening_and_seeking_are_cheap_where_they_can_be(tmp_path: Path, kind: str) -> None:
    suffix, write = KINDS[kind]
    path = write(tmp_path / f"a{suffix}")
    index = build_index(path)
    assert index.is_sound == (kind not in SCANNED)
    assert index.is_timed == (kind not in COUNTED)
    if kind not in WITHOUT_RESTART:
        source = open_video(path)
        last = source._key_frames[-1]
        assert last >= NUM - 13
        assert next(source.walk(NUM - 1))[0] == last
        source.close()


def test_key_frames_that_are_none(tmp_path: Path) -> None:
    """Some cameras leave out the table of key frames, which means that every picture is one."""
    path = write_video(tmp_path / "a.mp4", PICTURES, codec="mpeg4", b_frames=0)
    path.write_bytes(path.read_bytes().replace(b"stss", b"free"))
    assert len(build_index(path).keys) == NUM
    check_exact(path).close()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_numbered_as_decoded(tmp_path: Path, kind: str) -> None:
    suffix, write = KINDS[kind]
    path = write(tmp_path / f"a{suffix}")
    source = check_exact(path)
    assert len(source) == NUM
    assert source.size == SIZE
    np.testing.assert_allclose([source.time(frame) for frame in range(NUM)], np.arange(NUM) / 25, atol=1e-3)
    assert source.stem(7) == "00007"
    source.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_variable_rate_keeps_its_times(tmp_path: Path, suffix: str) -> None:
    stamps = np.cumsum(np.random.default_rng(0).integers(5, 120, NUM))
    path = write_video(tmp_path / f"a{suffix}", PICTURES, stamps=stamps.tolist(), time_base=Fraction(1, 1000))
    source = check_exact(path)
    times = [source.time(frame) for frame in range(NUM)]
    np.testing.assert_allclose(times, (stamps - stamps[0]) / 1000, atol=1e-3)
    assert float(source.rate) == pytest.approx((NUM - 1) / times[-1], rel=1e-2)
    source.close()


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(25), Fraction(10)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_constant_rate_is_exact_although_the_container_rounds(tmp_path: Path, rate: Fraction, suffix: str) -> None:
    stamps = [round(number / rate * 1000) for number in range(NUM)]
    path = write_video(tmp_path / f"a{suffix}", PICTURES, stamps=stamps, time_base=Fraction(1, 1000))
    source = open_video(path)
    assert abs(float(source.rate / rate) - 1) < 1e-3
    source.close()


@pytest.mark.parametrize(("skipped", "b_frames"), [(7, 2), (15, 2), (24, 2), (7, 0)])
def test_what_an_edit_list_skips_is_no_frame(tmp_path: Path, skipped: int, b_frames: int) -> None:
    path = write_video(tmp_path / "a.mp4", PICTURES, b_frames=b_frames)
    edit_first_entry(path, skipped / RATE)
    source = check_exact(path)
    assert build_index(path).is_sound
    assert len(source) == NUM - skipped
    assert number_of(source.read(0)) == skipped
    assert source.time(0) == 0
    assert source.time(1) == pytest.approx(0.04)
    source.close()


def test_recordings_put_one_behind_another(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.ts", PICTURES)
    path.write_bytes(path.read_bytes() * 2)
    source = check_exact(path)
    assert len(source) == 2 * NUM
    assert number_of(source.read(NUM + 3)) == 3
    times = [source.time(frame) for frame in range(len(source))]
    assert times == sorted(times)
    source.close()


def test_recording_that_begins_in_the_middle_of_a_group(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.ts", PICTURES)
    path.write_bytes(path.read_bytes()[188 * 40 :])
    source = check_exact(path)
    assert 0 < len(source) < NUM
    assert number_of(source.read(len(source) - 1)) == NUM - 1
    source.close()


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 0.95, 0.999])
@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_cut_off_file_has_the_frames_that_can_be_decoded(tmp_path: Path, suffix: str, share: float) -> None:
    whole = write_video(tmp_path / f"whole{suffix}", PICTURES)
    check_exact(cut_off(whole, tmp_path / f"cut{suffix}", share)).close()


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 0.999])
def test_mp4_cut_off_behind_its_table_of_contents(tmp_path: Path, share: float) -> None:
    whole = write_video(tmp_path / "whole.mp4", PICTURES, container_options={"movflags": "faststart"})
    with pytest.raises(AppError, match=rf"cut\.mp4 is cut off: \d+ of its {NUM} pictures") as caught:
        open_source(cut_off(whole, tmp_path / "cut.mp4", share))
    assert "ffmpeg" in caught.value.hint


def test_mp4_without_its_table_of_contents(tmp_path: Path) -> None:
    path = cut_off(write_video(tmp_path / "whole.mp4", PICTURES), tmp_path / "cut.mp4", 0.5)
    with pytest.raises(AppError, match=r"cut\.mp4 cannot be read as a video: Invalid data") as caught:
        open_source(path)
    assert caught.value.hint


def test_nothing_behind_the_table_of_contents(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mp4", PICTURES, container_options={"movflags": "faststart"})
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[: whole.read_bytes().index(b"mdat") + 4])
    with pytest.raises(AppError, match=r"cut\.mp4"):
        open_source(path)


def test_hole_in_the_middle_spoils_only_its_own_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", PICTURES, options={"x264-params": "b-pyramid=none:b-adapt=0"})
    good = decoded(path)
    with av.open(str(path)) as container:
        # Nothing else is predicted from a B picture here.
        kinds = [picture.pict_type for picture in container.decode(video=0)]
    lost = kinds.index(PictureType.B, 20)
    with av.open(str(path)) as container:
        victim = next(p for p in container.demux(video=0) if p.size and p.pts * p.time_base * RATE == lost)
    data = bytearray(path.read_bytes())
    data[victim.pos : victim.pos + victim.size] = bytes(victim.size)
    path.write_bytes(data)
    source = open_video(path)
    assert len(source) == NUM
    for frame in range(NUM):
        if frame == lost:
            for _ in range(2):
                with pytest.raises(AppError, match=rf"Frame {lost} of .*a\.mp4"):
                    source.read(frame)
        else:
            np.testing.assert_array_equal(source.read(frame), good[frame], err_msg=f"frame {frame}")
    assert number_of(source.read(3)) == 3
    source.close()


def test_sound_without_pictures(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        track = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    with pytest.raises(AppError, match=r"sound\.mp4 has no video in it"):
        open_source(path)


@pytest.mark.parametrize("content", [b"", b"no video at all", bytes(100_000)])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.webm", "a.h264"])
def test_file_that_is_no_video(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AppError, match=name) as caught:
        open_source(path)
    assert "Errno" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.mp4", "does not exist"), ("a.txt", "not look like a video"), ("a.png", "is a single image")],
)
def test_other_paths(tmp_path: Path, name: str, message: str) -> None:
    if name != "missing.mp4":
        (tmp_path / name).write_text("x")
    with pytest.raises(AppError, match=message):
        open_source(tmp_path / name)


def test_metadata_in_another_encoding_does_no_harm(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", PICTURES[:3])
    data = path.read_bytes()
    path.write_bytes(data.replace(b"Lavf", b"L\xe4\xfff"))
    source = open_video(path)
    assert len(source) == 3
    source.close()


def test_read_out_of_range(tmp_path: Path) -> None:
    source = open_video(write_video(tmp_path / "a.mp4", PICTURES[:3]))
    for frame in (-1, 3):
        with pytest.raises(IndexError):
            source.read(frame)
    source.close()


def test_single_picture(tmp_path: Path) -> None:
    source = check_exact(write_video(tmp_path / "a.mp4", PICTURES[5:6]))
    assert len(source) == 1 and source.time(0) == 0 and source.rate > 0
    source.close()


def test_walk_hands_out_what_it_meets(tmp_path: Path) -> None:
    source = open_video(write_video(tmp_path / "a.mp4", PICTURES))
    met = list(source.walk(30, keep=3))
    assert [frame for frame, _ in met] == list(range(24, 31))  # from the key frame
    assert [number_of(image) for _, image in met if image is not None] == [28, 29, 30]
    assert [frame for frame, _ in source.walk(32)] == [31, 32]  # on from there, without a seek
    stopped = source.walk(59)
    assert next(stopped)[0] == 48
    stopped.close()
    assert [frame for frame, _ in source.walk(50)] == [49, 50]
    source.close()


def test_two_readers_at_different_places_do_not_make_each_other_seek(tmp_path: Path) -> None:
    source = open_video(write_video(tmp_path / "a.mp4", PICTURES, group=500))
    source.read(40)
    source.read(5)
    for step in range(1, 15):
        assert [frame for frame, _ in source.walk(40 + step)] == [40 + step]
        assert [frame for frame, _ in source.walk(5 + step)] == [5 + step]
    source.close()


def test_jumping_about_leaves_the_sequential_reader_alone(tmp_path: Path) -> None:
    source = open_video(write_video(tmp_path / "a.mp4", PICTURES))
    for frame in range(3):
        source.read(frame)
    for step, elsewhere in enumerate((50, 34, 40, 33, 55, 36)):
        source.read(elsewhere)
        source.read(elsewhere - 14)
        assert [frame for frame, _ in source.walk(3 + step)] == [3 + step]
    source.close()


def test_same_count_and_pictures_as_opencv(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", PICTURES)
    edit_first_entry(path, 7 / RATE)
    source = open_video(path)
    capture = cv2.VideoCapture(str(path))
    count = 0
    while True:
        is_read, image = capture.read()
        if not is_read:
            break
        assert np.abs(image[..., ::-1].astype(int) - source.read(count)).max() <= 2
        count += 1
    assert count == len(source)
    source.close()


def test_fingerprint_follows_the_content(tmp_path: Path) -> None:
    first = write_video(tmp_path / "a.mp4", PICTURES)
    copy = tmp_path / "b.mp4"
    copy.write_bytes(first.read_bytes())
    other = write_video(tmp_path / "c.mp4", PICTURES[::-1])
    prints = []
    for path in (first, copy, other):
        source = open_video(path)
        prints.append(source.fingerprint())
        source.close()
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    ("name", "count", "size", "rate"),
    [
        ("dog_720p.mp4", 289, Size(720, 1280), Fraction(30000, 1001)),
        ("coffee_720p.mp4", 287, Size(720, 1280), Fraction(30000, 1001)),
        ("street_768frames.mp4", 768, Size(360, 864), Fraction(30)),
        ("fencing_480p.mp4", 117, Size(480, 640), Fraction(25)),
    ],
)
def test_real_videos(shared: Path, name: str, count: int, size: Size, rate: Fraction) -> None:
    path = shared / "data/videos" / name
    source = open_video(path)
    assert (len(source), source.size, source.rate) == (count, size, rate)
    checked = sorted({0, 1, count // 2, count - 2, count - 1})
    straight = {}
    for frame in range(count):
        image = source.read(frame)
        if frame in checked:
            straight[frame] = image
    for frame in reversed(checked):
        np.testing.assert_array_equal(source.read(frame), straight[frame])
    assert source.time(count - 1) == pytest.approx((count - 1) / float(rate))
    source.close()


def test_track_without_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    with pytest.raises(AppError, match=r"a\.mp4"):
        open_source(path)


@pytest.mark.parametrize("name", ["vidéo 中.mp4", "50%03d#?.mp4", "http:x.mp4", "-i.mkv"])
def test_names_with_odd_characters(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "a.mp4", PICTURES[:3]).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    source = open_video(Path(name))
    assert len(source) == 3 and source.name == Path(name).stem
    source.close()


def test_last_picture_that_cannot_be_decoded_is_no_frame(tmp_path: Path) -> None:
    """A recording that stopped in the middle of writing: the container is whole, the last picture is not."""
    path = write_video(tmp_path / "a.mp4", PICTURES)
    with av.open(str(path)) as container:
        last = [packet for packet in container.demux(video=0) if packet.size][-1]
    data = bytearray(path.read_bytes())
    data[last.pos : last.pos + last.size] = bytes(last.size)
    path.write_bytes(data)
    source = check_exact(path)
    assert len(source) == NUM - 1
    source.close()
