"""Written videos: playable, in step with their source, with its sound, and all or nothing."""
from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from storage import video_codec
from storage.frame_source import open_source
from storage.video_writer import VideoWriter
from tests.video_files import SIZE, number_of, numbered_picture, write_video
from util.errors import AppError
from util.types import Size

NUM = 50
PICTURES = [numbered_picture(number) for number in range(NUM)]


def write(path: Path, *, size: Size = SIZE, rate: Fraction = Fraction(25), audio_from: Path | None = None) -> Path:
    with VideoWriter(path, size, rate, audio_from=audio_from) as writer:
        for number in range(NUM):
            writer.write(numbered_picture(number, size))
    return path


def sound_of(path: Path) -> tuple[NDArray[np.float32], float]:
    """Samples of the first channel and the time of the first one behind the first picture."""
    with av.open(str(path)) as container:
        zero = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=48000)
    samples = [piece.to_ndarray()[0] for frame in [*frames, None] for piece in resampler.resample(frame)]
    return np.concatenate(samples), float(frames[0].time - zero)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".m4v", ".MP4"])
def test_pictures_come_back(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"out{suffix}")
    source = open_source(path)
    assert len(source) == NUM and source.size == SIZE and source.rate == 25
    for number in (0, 1, 17, NUM - 1):
        image = source.read(number)
        assert number_of(image) == number
        assert np.abs(image.astype(int) - PICTURES[number]).mean() < 6
    source.close()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_colours_survive(tmp_path: Path) -> None:
    colors = [[255, 255, 255], [0, 0, 0], [200, 30, 30], [30, 160, 60], [40, 60, 200], [128, 128, 128]]
    image = np.broadcast_to(np.repeat(np.array(colors, np.uint8), 32, axis=0), (64, 192, 3))
    with VideoWriter(tmp_path / "a.mp4", Size(64, 192), Fraction(25)) as writer:
        for _ in range(5):
            writer.write(np.ascontiguousarray(image))
    source = open_source(tmp_path / "a.mp4")
    assert np.abs(source.read(3)[32, 16::32].astype(int) - colors).max() <= 4
    source.close()
    with av.open(str(tmp_path / "a.mp4")) as container:
        picture = next(container.decode(video=0))
        assert (picture.format.name, picture.colorspace, picture.color_range) == ("yuv420p", 1, 1)
        assert container.streams.video[0].codec_context.name == "h264"


@pytest.mark.parametrize("size", [Size(47, 64), Size(48, 63), Size(47, 63)])
def test_odd_sides_repeat_the_edge(tmp_path: Path, size: Size) -> None:
    image = np.full((*size, 3), 128, np.uint8)
    image[-1] = image[:, -1] = 250
    with VideoWriter(tmp_path / "a.mp4", size, Fraction(25)) as writer:
        for _ in range(3):
            writer.write(image)
    source = open_source(tmp_path / "a.mp4")
    assert source.size == Size(48, 64)
    shown = source.read(1)
    assert shown[0, -1].min() > 230 and shown[-1, 0].min() > 230
    source.close()


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(15, 2), Fraction(60)])
def test_rate_is_exact(tmp_path: Path, rate: Fraction) -> None:
    source = open_source(write(tmp_path / "a.mp4", rate=rate))
    assert source.rate == rate
    np.testing.assert_allclose(
        [source.time(frame) for frame in range(NUM)], [float(frame / rate) for frame in range(NUM)], atol=1e-9
    )
    source.close()


@pytest.mark.parametrize("start", [0.0, 7.25])
def test_variable_times_are_kept_from_the_first_picture_on(tmp_path: Path, start: float) -> None:
    times = start + np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, NUM))
    with VideoWriter(tmp_path / "a.mp4", SIZE, Fraction(25)) as writer:
        for picture, time in zip(PICTURES, times, strict=True):
            writer.write(picture, float(time))
    source = open_source(tmp_path / "a.mp4")
    assert len(source) == NUM
    np.testing.assert_allclose([source.time(frame) for frame in range(NUM)], times - times[0], atol=2e-5)
    assert [number_of(source.read(frame)) for frame in range(NUM)] == list(range(NUM))
    source.close()


@pytest.mark.parametrize(
    ("source_suffix", "codec", "suffix", "expected"),
    [
        (".mp4", "aac", ".mp4", "aac"),
        (".mkv", "libopus", ".mp4", "opus"),
        (".mov", "pcm_s16le", ".mp4", "aac"),
        (".mkv", "flac", ".mp4", "aac"),
        (".ts", "aac", ".mp4", "aac"),
        (".ts", "mp2", ".mkv", "aac"),
        (".avi", "pcm_s16le", ".mov", "aac"),
    ],
)
def test_sound_is_kept(tmp_path: Path, source_suffix: str, codec: str, suffix: str, expected: str) -> None:
    source = write_video(tmp_path / f"source{source_suffix}", PICTURES, sound=codec)
    path = write(tmp_path / f"out{suffix}", audio_from=source)
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == expected
    samples, begin = sound_of(path)
    original, original_begin = sound_of(source)
    assert begin == pytest.approx(original_begin, abs=0.05)
    assert len(samples) / 48000 == pytest.approx(NUM / 25, abs=0.08)
    # The tone, at its pitch and loudness.
    middle = samples[30000:78000]
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 440
    assert np.std(middle) == pytest.approx(np.std(original[30000:78000]), rel=0.1)


def test_copied_sound_is_bit_exact(tmp_path: Path) -> None:
    source = write_video(tmp_path / "source.mp4", PICTURES, sound="aac")
    path = write(tmp_path / "out.mp4", audio_from=source)
    packets = []
    for file in (source, path):
        with av.open(str(file)) as container:
            packets.append([(packet.pts, bytes(packet)) for packet in container.demux(audio=0) if packet.size])
    original, written = packets
    # To the end of the last picture, and no further.
    assert written == [(pts, data) for pts, data in original if pts < NUM / 25 * 48000]


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_sound_of_a_part_begins_with_its_first_picture(tmp_path: Path, codec: str) -> None:
    # A beep every half second tells where a piece of sound comes from.
    path = write_video(tmp_path / "source.mov", PICTURES, sound=codec)
    with VideoWriter(tmp_path / "out.mp4", SIZE, Fraction(25), audio_from=path) as writer:
        for number in range(20, 40):
            writer.write(PICTURES[number], number / 25)
    samples, begin = sound_of(tmp_path / "out.mp4")
    assert begin == pytest.approx(0, abs=0.03)
    assert len(samples) / 48000 == pytest.approx(0.8, abs=0.06)
    original, original_begin = sound_of(path)
    place = round((0.8 + 0.2 - original_begin) * 48000)
    piece = samples[round((0.2 - begin) * 48000) :][:4800]
    # The phase of the tone moves by a turn in 109 samples; an offset of a packet (21 ms) would be 9 turns and a bit.
    nearest = min(range(-60, 61), key=lambda shift: np.abs(original[place + shift :][:4800] - piece).mean())
    assert abs(nearest) <= 55


def test_source_without_sound(tmp_path: Path) -> None:
    source = write_video(tmp_path / "source.mp4", PICTURES)
    path = write(tmp_path / "out.mp4", audio_from=source)
    with av.open(str(path)) as container:
        assert not container.streams.audio


def test_sound_that_ends_early(tmp_path: Path) -> None:
    source = write_video(tmp_path / "source.mp4", PICTURES[:10], sound="aac")
    path = write(tmp_path / "out.mp4", audio_from=source)
    samples, _ = sound_of(path)
    assert len(samples) / 48000 == pytest.approx(0.4, abs=0.06)
    assert len(open_source(path)) == NUM


def test_real_sound(shared: Path, tmp_path: Path) -> None:
    video = open_source(shared / "data/videos/coffee_720p.mp4")
    with VideoWriter(tmp_path / "out.mp4", Size(48, 64), video.rate, audio_from=video.path) as writer:
        for number in range(len(video)):
            writer.write(numbered_picture(number % 256), video.time(number))
    samples, begin = sound_of(tmp_path / "out.mp4")
    original, original_begin = sound_of(video.path)
    assert begin == pytest.approx(original_begin, abs=1e-3)
    shorter = min(len(samples), len(original))
    assert shorter > 9 * 48000
    np.testing.assert_allclose(samples[:shorter], original[:shorter], atol=1e-6)
    video.close()


@pytest.fixture
def old_video(tmp_path: Path) -> Path:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"what stood here before")
    return path


def check_untouched(path: Path) -> None:
    assert path.read_bytes() == b"what stood here before"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_error_in_the_block_leaves_nothing(old_video: Path) -> None:
    with pytest.raises(KeyError), VideoWriter(old_video, SIZE, Fraction(25)) as writer:
        writer.write(PICTURES[0])
        raise KeyError("caller")
    check_untouched(old_video)


def test_no_picture_is_no_video(old_video: Path) -> None:
    with pytest.raises(ValueError, match="at least one"), VideoWriter(old_video, SIZE, Fraction(25)):
        pass
    check_untouched(old_video)


@pytest.mark.parametrize(
    "image", [np.zeros((48, 65, 3), np.uint8), np.zeros((48, 64, 3), np.float32), np.zeros((48, 64), np.uint8)]
)
def test_wrong_picture(old_video: Path, image: NDArray[np.generic]) -> None:
    with pytest.raises(ValueError, match="expected uint8"), VideoWriter(old_video, SIZE, Fraction(25)) as writer:
        writer.write(image)
    check_untouched(old_video)


@pytest.mark.parametrize("time", [0.5, 0.4])
def test_time_that_does_not_pass(old_video: Path, time: float) -> None:
    with pytest.raises(ValueError, match="not later"), VideoWriter(old_video, SIZE, Fraction(25)) as writer:
        writer.write(PICTURES[0], 0.25)
        writer.write(PICTURES[1], 0.5)
        writer.write(PICTURES[2], time)
    check_untouched(old_video)


def test_write_after_close(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "a.mp4", SIZE, Fraction(25))
    writer.write(PICTURES[0])
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.write(PICTURES[0])
    assert (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize("name", ["a.avi", "a.png", "a"])
def test_wrong_suffix(tmp_path: Path, name: str) -> None:
    with pytest.raises(AppError, match=r"cannot be written") as caught:
        VideoWriter(tmp_path / name, SIZE, Fraction(25))
    assert ".mp4" in caught.value.hint


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"folder does not exist"):
        VideoWriter(tmp_path / "none" / "a.mp4", SIZE, Fraction(25))


def test_target_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(AppError, match=r"a\.mp4"):
        write(tmp_path / "a.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_unreadable_sound(old_video: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    broken = tmp_path_factory.mktemp("sound") / "sound.mp4"
    broken.write_bytes(b"x" * 1000)
    with pytest.raises(AppError, match=r"sound\.mp4"):
        VideoWriter(old_video, SIZE, Fraction(25), audio_from=broken)
    check_untouched(old_video)


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 20 kB: to the program that looks like a disk that is full."""
    resource = pytest.importorskip("resource", reason="needs limits on processes, which Windows lacks")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_disk_full(old_video: Path, small_files: None) -> None:
    rng = np.random.default_rng(0)
    size = Size(96, 128)
    with pytest.raises(AppError, match=r"out\.mp4"), VideoWriter(old_video, size, Fraction(25)) as writer:
        for _ in range(100):
            writer.write(rng.integers(0, 256, (*size, 3), dtype=np.uint8))
    check_untouched(old_video)


def test_other_encoder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first does not exist, the second is listed but does not run on this machine (no such hardware)."""
    monkeypatch.setattr(video_codec, "_ENCODERS", ("h264_none", "h264_v4l2m2m", "libx264"))
    assert len(open_source(write(tmp_path / "a.mp4"))) == NUM


def test_no_encoder(old_video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_codec, "_ENCODERS", ("h264_none",))
    with pytest.raises(AppError, match=r"no H\.264 encoder"):
        VideoWriter(old_video, SIZE, Fraction(25))
    check_untouched(old_video)
