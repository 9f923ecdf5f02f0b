"""Frame store: byte budget, order of eviction, prefetch that gives way, threads that end."""
from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.frame_source import open_source
from storage.frame_store import FrameCache, FrameStore
from tests.video_files import number_of, numbered_picture, write_video
from util.errors import AppError
from util.types import ImageU8, Size

SIZE = Size(4, 5)
FRAME_BYTES = 4 * 5 * 3
WAIT = 20.0


def image_of(frame: int) -> ImageU8:
    return np.full((*SIZE, 3), frame % 251, np.uint8)


class FakeSource:
    """A video with a key frame every `group` frames, a log of what was decoded and a gate to stop it at a frame."""

    def __init__(self, num_frames: int = 100, group: int = 1) -> None:
        self.path = Path("fake")
        self.name = "fake"
        self.size = SIZE
        self.rate = Fraction(25)
        self.num_frames = num_frames
        self.group = group
        self.decoded: list[int] = []
        self.broken: set[int] = set()
        self.gates: dict[int, threading.Event] = {}
        self.reached: dict[int, threading.Event] = {}
        self.is_closed = False
        self._position = -1
        self._user: int | None = None

    def __len__(self) -> int:
        return self.num_frames

    def stem(self, frame: int) -> str:
        return f"f{frame}"

    def time(self, frame: int) -> float:
        return frame / 25

    def stop_at(self, frame: int) -> None:
        self.gates[frame] = threading.Event()
        self.reached[frame] = threading.Event()

    def read(self, frame: int) -> ImageU8:
        raise NotImplementedError

    def walk(self, frame: int, keep: int = 1) -> Generator[tuple[int, ImageU8 | None], None, None]:
        assert self._user is None, "two threads in the source at a time"
        assert not self.is_closed
        self._user = threading.get_ident()
        try:
            key = frame - frame % self.group
            start = self._position + 1 if key <= self._position + 1 <= frame else key
            for number in range(start, frame + 1):
                if number in self.gates:
                    self.reached[number].set()
                    assert self.gates[number].wait(WAIT)
                if number in self.broken and number == frame:
                    raise AppError(f"frame {number} is broken")
                self.decoded.append(number)
                self._position = number
                yield number, image_of(number) if number > frame - keep else None
        finally:
            self._user = None

    def fingerprint(self) -> str:
        return "fake"

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def make_store() -> Iterator[Callable[..., FrameStore]]:
    stores = []

    def make(source: FakeSource, num_fitting: int = 20) -> FrameStore:
        stores.append(FrameStore(source, budget_bytes=num_fitting * FRAME_BYTES))
        return stores[-1]

    yield make
    for store in stores:
        for gate in store.source.gates.values():
            gate.set()
        store.close()


def wait_until_cached(store: FrameStore, frames: list[int]) -> None:
    """Wait on the condition that the store notifies, not by the clock."""
    done = threading.Event()

    def poll() -> None:
        while not all(store.is_cached(frame) for frame in frames):
            if done.wait(0.002):
                return
        done.set()

    thread = threading.Thread(target=poll)
    thread.start()
    is_done = done.wait(WAIT)
    done.set()
    thread.join()
    assert is_done, f"not cached: {[frame for frame in frames if not store.is_cached(frame)]}"


@given(
    budget=st.integers(0, 5 * FRAME_BYTES),
    actions=st.lists(st.tuples(st.sampled_from(["get", "put"]), st.integers(0, 8), st.integers(1, 3)), max_size=60),
)
def test_cache_keeps_its_budget_and_the_most_recent(budget: int, actions: list[tuple[str, int, int]]) -> None:
    cache = FrameCache(budget)
    recent: list[tuple[int, ImageU8]] = []  # least recently used first; the model has no budget
    for action, frame, height in actions:
        known = dict(recent)
        if action == "put":
            image = np.zeros((height, 5, 3), np.uint8)
            cache.put(frame, image)
            recent = [pair for pair in recent if pair[0] != frame] + [(frame, image)]
        elif cache.get(frame) is not None:
            assert cache.get(frame) is known[frame]
            recent = [pair for pair in recent if pair[0] != frame] + [(frame, known[frame])]
        held = [pair for pair in recent if pair[0] in cache]
        assert len(held) == len(cache)
        assert cache.nbytes == sum(image.nbytes for _, image in held)
        assert cache.nbytes <= budget or len(cache) == 1
        # What is held are the last ones used.
        assert [frame for frame, _ in held] == [frame for frame, _ in recent[len(recent) - len(held) :]]
        recent = held
    cache.clear()
    assert cache.nbytes == len(cache) == 0


def test_get_decodes_once(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource()
    store = make_store(source)
    first = store.get(7)
    np.testing.assert_array_equal(first, image_of(7))
    assert store.get(7) is first
    assert source.decoded == [7]
    assert store.is_cached(7) and not store.is_cached(8)


def test_images_are_read_only(make_store: Callable[..., FrameStore]) -> None:
    image = make_store(FakeSource()).get(0)
    with pytest.raises(ValueError, match="read-only"):
        image[0, 0] = 1


def test_passes_on_what_the_source_says(make_store: Callable[..., FrameStore]) -> None:
    store = make_store(FakeSource(num_frames=9))
    assert (len(store), store.size, store.stem(3), store.time(5)) == (9, SIZE, "f3", 0.2)


@pytest.mark.parametrize("frame", [-1, 100])
def test_out_of_range(make_store: Callable[..., FrameStore], frame: int) -> None:
    with pytest.raises(IndexError):
        make_store(FakeSource()).get(frame)


def test_budget_holds_while_the_whole_video_is_read(make_store: Callable[..., FrameStore]) -> None:
    store = make_store(FakeSource(), num_fitting=6)
    for frame in range(100):
        store.get(frame)
        assert sum(store.is_cached(other) for other in range(100)) <= 6
    assert [frame for frame in range(100) if store.is_cached(frame)] == list(range(94, 100))


def test_frame_larger_than_the_budget(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource()
    store = make_store(source, num_fitting=0)
    store.get(3)
    store.get(3)
    assert source.decoded == [3]


def test_stepping_backwards_decodes_a_group_a_few_times_only(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource(group=100)
    store = make_store(source, num_fitting=60)
    for frame in range(99, -1, -1):
        np.testing.assert_array_equal(store.get(frame), image_of(frame))
    # One picture at a time would be 5050.
    assert len(source.decoded) <= 400


def test_prefetch_decodes_in_order_and_get_finds_it(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource()
    store = make_store(source)
    store.prefetch(range(5, 12))
    wait_until_cached(store, list(range(5, 12)))
    assert source.decoded == list(range(5, 12))
    store.get(8)
    assert source.decoded == list(range(5, 12))


def test_prefetch_stays_within_half_the_budget(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource()
    store = make_store(source, num_fitting=10)
    kept = [store.get(frame) for frame in (90, 91, 92)]
    store.prefetch([-5, *range(100), 200])
    wait_until_cached(store, [0, 1, 2, 3, 4])
    store.prefetch(range(5))
    assert source.decoded == [90, 91, 92, 0, 1, 2, 3, 4]
    assert all(store.get(90 + place) is image for place, image in enumerate(kept))
    assert len(source.decoded) == 8


def test_newest_prefetch_wins(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource()
    source.stop_at(10)
    store = make_store(source)
    store.prefetch(range(10, 18))
    assert source.reached[10].wait(WAIT)
    store.prefetch(range(40, 44))
    source.gates[10].set()
    wait_until_cached(store, [40, 41, 42, 43])
    assert source.decoded == [10, 40, 41, 42, 43]


def test_get_goes_before_a_long_prefetch(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource(group=50)
    source.stop_at(20)
    store = make_store(source)
    store.prefetch([45])  # 46 pictures to decode
    assert source.reached[20].wait(WAIT)
    got: list[ImageU8] = []
    thread = threading.Thread(target=lambda: got.append(store.get(60)))
    thread.start()
    while not store._num_waiting:
        pass
    source.gates[20].set()
    thread.join(WAIT)
    np.testing.assert_array_equal(got[0], image_of(60))
    # The prefetch let go after the picture in hand and was taken up again afterwards.
    assert source.decoded[:32] == [*range(21), *range(50, 61)]
    wait_until_cached(store, [45])


def test_get_takes_over_what_the_prefetch_began(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource(group=50)
    source.stop_at(20)
    store = make_store(source)
    store.prefetch([45])
    assert source.reached[20].wait(WAIT)
    thread = threading.Thread(target=store.get, args=(45,))
    thread.start()
    while not store._num_waiting:
        pass
    source.gates[20].set()
    thread.join(WAIT)
    assert source.decoded == list(range(46))


def test_error_while_prefetching_reaches_get(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource()
    source.broken = {6}
    store = make_store(source)
    store.prefetch(range(5, 9))
    wait_until_cached(store, [5, 7, 8])
    source.broken.clear()
    with pytest.raises(AppError, match="frame 6"):
        store.get(6)
    np.testing.assert_array_equal(store.get(6), image_of(6))  # tried again, in case it was the disk


def test_unreadable_frame(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource()
    source.broken = {6}
    store = make_store(source)
    with pytest.raises(AppError, match="frame 6"):
        store.get(6)
    np.testing.assert_array_equal(store.get(7), image_of(7))


def test_many_threads_get_and_prefetch(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource(group=10)
    store = make_store(source, num_fitting=12)
    errors: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            rng = np.random.default_rng(seed)
            for frame in rng.integers(0, 100, 150).tolist():
                if frame % 7 == 0:
                    store.prefetch(range(frame, frame + 6))
                np.testing.assert_array_equal(store.get(frame), image_of(frame))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_close_ends_the_thread_and_the_source(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource()
    store = make_store(source)
    store.prefetch(range(5))
    wait_until_cached(store, list(range(5)))
    assert [thread for thread in threading.enumerate() if thread.name == "frame-prefetch"]
    store.close()
    store.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "frame-prefetch"]
    assert source.is_closed
    with pytest.raises(RuntimeError, match="closed"):
        store.get(0)
    with pytest.raises(RuntimeError, match="closed"):
        store.prefetch([1])


def test_close_while_others_decode(make_store: Callable[..., FrameStore]) -> None:
    source = FakeSource(group=50)
    source.stop_at(5)
    store = make_store(source)
    errors: list[Exception] = []

    def read() -> None:
        try:
            store.get(40)
        except RuntimeError as error:
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert source.reached[5].wait(WAIT)
    store.prefetch([49])
    closer = threading.Thread(target=store.close)
    closer.start()
    while not store._is_closed:
        pass
    source.gates[5].set()
    closer.join(WAIT)
    reader.join(WAIT)
    assert not closer.is_alive() and not reader.is_alive()
    assert source.is_closed
    assert len(errors) == 1 and len(source.decoded) < 10


def test_real_decoder_under_a_small_budget(tmp_path: Path) -> None:
    pictures = [numbered_picture(number) for number in range(60)]
    source = open_source(write_video(tmp_path / "a.mp4", pictures))
    store = FrameStore(source, budget_bytes=10 * 48 * 64 * 3)
    for frame in [*range(60), *range(59, -1, -1), 30, 5, 55]:
        store.prefetch(range(frame + 1, frame + 4))
        assert number_of(store.get(frame)) == frame
    store.close()
