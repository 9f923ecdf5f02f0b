"""The worker thread: order, cancelling, failures, newest wins, back-pressure and the end."""
from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest
from PyQt5.QtCore import QTimer
from pytestqt.qtbot import QtBot

from gui.job_runner import JobRunner
from tests.gui.job_record import Record
from util.errors import AppError
from util.jobs import CancelToken, Outcome

THREAD_NAME = "test-worker"


def count_to(number: int) -> Callable[[CancelToken], Iterator[object]]:
    return lambda token: iter(range(number))


def until_cancelled(token: CancelToken) -> Iterator[object]:
    step = 0
    while True:
        token.check()
        yield step
        step += 1


@pytest.fixture
def runner(qtbot: QtBot) -> Iterator[JobRunner]:
    runner = JobRunner(THREAD_NAME)
    yield runner
    assert runner.shutdown()
    assert not [thread for thread in threading.enumerate() if thread.name == THREAD_NAME]


def test_jobs_run_in_order_on_one_other_thread(runner: JobRunner, qtbot: QtBot) -> None:
    log: list[tuple[str, object]] = []
    runner.started.connect(lambda job_id, name, total: log.append(("started", (job_id, name, total))))
    runner.stepped.connect(lambda job_id, result: log.append(("event", (job_id, result))))
    runner.finished.connect(lambda job_id, outcome: log.append(("finished", (job_id, outcome.kind))))
    first, second = Record("first"), Record("second")
    ids = [runner.submit(first.job(count_to(3), total=3)), runner.submit(second.job(count_to(2)))]
    assert runner.is_busy()
    qtbot.waitUntil(lambda: not runner.is_busy())
    assert log == [
        ("started", (ids[0], "first", 3)),
        ("event", (ids[0], 0)), ("event", (ids[0], 1)), ("event", (ids[0], 2)),
        ("finished", (ids[0], "done")),
        ("started", (ids[1], "second", None)),
        ("event", (ids[1], 0)), ("event", (ids[1], 1)),
        ("finished", (ids[1], "done")),
    ]
    assert first.results == [0, 1, 2] and second.results == [0, 1]
    assert first.outcomes == second.outcomes == [Outcome("done")]
    threads = first.run_threads | second.run_threads
    assert len(threads) == 1 and threads.pop().name == THREAD_NAME


def test_apply_comes_before_the_signal(runner: JobRunner, qtbot: QtBot) -> None:
    record = Record()
    seen: list[list[object]] = []
    runner.stepped.connect(lambda job_id, result: seen.append(list(record.results)))
    runner.submit(record.job(count_to(2)))
    qtbot.waitUntil(lambda: record.is_over)
    assert seen == [[0], [0, 1]]


def test_cancel_ends_a_running_job_and_closes_its_generator_on_the_worker(runner: JobRunner, qtbot: QtBot) -> None:
    record = Record()
    job_id = runner.submit(record.job(until_cancelled))
    qtbot.waitUntil(lambda: len(record.results) > 3)
    runner.cancel(job_id)
    qtbot.waitUntil(lambda: record.is_over)
    assert record.outcomes == [Outcome("cancelled")]
    assert record.results == list(range(len(record.results))), "results given before the cancel are all applied"
    assert [thread.name for thread in record.closed_in] == [THREAD_NAME]


def test_cancel_before_the_start_finishes_without_running(runner: JobRunner, qtbot: QtBot) -> None:
    blocker, waiting, after = Record(), Record(), Record()
    blocking = runner.submit(blocker.job(until_cancelled))
    queued = runner.submit(waiting.job(count_to(3)))
    runner.submit(after.job(count_to(1)))
    runner.cancel(queued)
    assert not waiting.is_over, "finish must not be called from within cancel"
    qtbot.waitUntil(lambda: waiting.is_over)
    assert waiting.outcomes == [Outcome("cancelled")] and waiting.results == [] and not waiting.run_threads
    runner.cancel(blocking)
    qtbot.waitUntil(lambda: after.is_over)
    assert after.outcomes == [Outcome("done")]


def test_cancel_without_an_id_ends_everything(runner: JobRunner, qtbot: QtBot) -> None:
    records = [Record() for _ in range(3)]
    for record in records:
        runner.submit(record.job(until_cancelled))
    runner.cancel()
    qtbot.waitUntil(lambda: not runner.is_busy())
    assert [record.outcomes for record in records] == [[Outcome("cancelled")]] * 3


def test_cancel_of_an_unknown_or_finished_job_does_nothing(runner: JobRunner, qtbot: QtBot) -> None:
    record, other = Record(), Record()
    job_id = runner.submit(record.job(count_to(1)))
    qtbot.waitUntil(lambda: record.is_over)
    runner.cancel(job_id)
    runner.cancel(12345)
    runner.submit(other.job(count_to(1)))
    qtbot.waitUntil(lambda: other.is_over)
    assert record.outcomes == other.outcomes == [Outcome("done")]


def test_an_exception_in_run_is_the_outcome_and_the_thread_lives_on(
    runner: JobRunner, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    def steps(token: CancelToken) -> Iterator[object]:
        yield 1
        raise ZeroDivisionError("in the network")

    record, after = Record("broken"), Record()
    runner.submit(record.job(steps))
    runner.submit(after.job(count_to(1)))
    qtbot.waitUntil(lambda: after.is_over)
    assert record.results == [1]
    assert [outcome.kind for outcome in record.outcomes] == ["failed"]
    assert isinstance(record.outcomes[0].error, ZeroDivisionError)
    assert len([entry for entry in caplog.records if "broken failed\nTraceback" in entry.message]) == 1
    assert after.outcomes == [Outcome("done")]


def test_an_app_error_is_logged_without_a_traceback(
    runner: JobRunner, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    def steps(token: CancelToken) -> Iterator[object]:
        raise AppError("frame 00003.png cannot be read.")
        yield

    record = Record()
    runner.submit(record.job(steps))
    qtbot.waitUntil(lambda: record.is_over)
    assert isinstance(record.outcomes[0].error, AppError)
    assert not [entry for entry in caplog.records if "Traceback" in entry.message]


def test_a_failing_apply_stops_the_job_and_reaches_the_generators_finally(
    runner: JobRunner, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    error = OSError("disk full")
    record, after = Record(apply_error=error), Record()
    emitted: list[object] = []
    runner.stepped.connect(lambda job_id, result: emitted.append(result))

    def endless(token: CancelToken) -> Iterator[object]:
        while True:  # never looks at its token
            yield 0

    runner.submit(record.job(endless))
    qtbot.waitUntil(lambda: record.is_over)
    assert record.outcomes == [Outcome("failed", error)]
    assert record.results == [] and emitted == []
    assert [thread.name for thread in record.closed_in] == [THREAD_NAME]
    runner.submit(after.job(count_to(20)))
    qtbot.waitUntil(lambda: after.is_over)
    assert after.results == list(range(20)), "every slot of the back-pressure was given back"


def test_a_failing_finish_is_reported_and_the_thread_lives_on(
    runner: JobRunner, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    record = Record(finish_error=ValueError("in finish"))
    with qtbot.waitSignal(runner.finished) as blocker:
        runner.submit(record.job(count_to(1)))
    assert blocker.args[1].kind == "failed" and isinstance(blocker.args[1].error, ValueError)
    assert not runner.is_busy()


def test_replace_newest_wins(runner: JobRunner, qtbot: QtBot) -> None:
    entered, release = threading.Event(), threading.Event()

    def slow(token: CancelToken) -> Iterator[object]:
        entered.set()
        release.wait(5)
        yield "stale"

    running, queued, newest, other = Record(), Record(), Record(), Record()
    runner.submit(running.job(slow), replace="predict")
    qtbot.waitUntil(entered.is_set)
    runner.submit(queued.job(count_to(1)), replace="predict")
    runner.submit(other.job(count_to(1)), replace="another key")
    runner.submit(newest.job(lambda token: iter(["newest"])), replace="predict")
    release.set()
    qtbot.waitUntil(lambda: not runner.is_busy())
    assert running.results == [] and running.outcomes == [Outcome("cancelled")]
    assert queued.results == [] and queued.outcomes == [Outcome("cancelled")]
    assert newest.results == ["newest"] and newest.outcomes == [Outcome("done")]
    assert other.results == [0] and other.outcomes == [Outcome("done")]


def test_replace_drops_results_that_wait_to_be_applied(runner: JobRunner, qtbot: QtBot) -> None:
    posted = threading.Event()

    def steps(token: CancelToken) -> Iterator[object]:
        yield "stale"
        posted.set()

    stale, newest = Record(), Record()
    runner.submit(stale.job(steps), replace="predict")
    assert posted.wait(5), "the event loop does not run, so the result is in the mailbox now"
    runner.submit(newest.job(lambda token: iter(["newest"])), replace="predict")
    qtbot.waitUntil(lambda: not runner.is_busy())
    assert stale.results == [] and [outcome.kind for outcome in stale.outcomes] == ["cancelled"]
    assert newest.results == ["newest"]


def test_the_job_waits_when_results_are_not_applied(qtbot: QtBot) -> None:
    runner = JobRunner(THREAD_NAME, max_pending=2)
    produced: list[int] = []
    third = threading.Event()

    def steps(token: CancelToken) -> Iterator[object]:
        for number in range(10):
            produced.append(number)
            if number == 2:
                third.set()
            yield number

    record = Record()
    runner.submit(record.job(steps))
    assert third.wait(5)
    # The event loop stands still: two results wait, the third is in hand, and no fourth is begun.
    assert not _happens(lambda: len(produced) > 3, within=0.1)
    qtbot.waitUntil(lambda: record.is_over)
    assert record.results == list(range(10))
    assert runner.shutdown()


def _happens(condition: Callable[[], bool], within: float) -> bool:
    """Whether `condition` comes true in `within` seconds, while the calling thread (and its event loop) waits."""
    over = threading.Event()
    return any(condition() or over.wait(within / 10) for _ in range(10))


def test_a_fast_job_leaves_the_event_loop_alive(runner: JobRunner, qtbot: QtBot) -> None:
    record = Record()
    ticks: list[int] = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(len(record.results)))
    timer.start(5)
    runner.submit(record.job(until_cancelled))
    qtbot.waitUntil(lambda: len(ticks) > 20)
    runner.cancel()
    qtbot.waitUntil(lambda: record.is_over)
    assert len(set(ticks)) > 10, "results were applied between the ticks"


def test_shutdown_while_busy_applies_what_was_given_and_ends_the_thread(qtbot: QtBot) -> None:
    runner = JobRunner(THREAD_NAME)
    filled = threading.Event()

    def steps(token: CancelToken) -> Iterator[object]:
        for number in range(1000):
            token.check()
            if number == 4:
                filled.set()
            yield number

    record, waiting = Record(), Record()
    runner.submit(record.job(steps))
    runner.submit(waiting.job(count_to(1)))
    assert filled.wait(5), "four results wait and the worker is stuck in the back-pressure"
    assert runner.shutdown()
    assert record.outcomes == [Outcome("cancelled")] and record.results == list(range(len(record.results)))
    assert len(record.results) >= 4
    assert waiting.outcomes == [Outcome("cancelled")] and waiting.results == []
    assert not runner.is_busy()
    assert not [thread for thread in threading.enumerate() if thread.name == THREAD_NAME]
    with pytest.raises(RuntimeError, match="too late"):
        runner.submit(record.job(count_to(1)))
    assert runner.shutdown(), "a second call is harmless"


def test_shutdown_says_when_a_job_does_not_end_in_time(qtbot: QtBot) -> None:
    runner = JobRunner(THREAD_NAME)
    entered, release = threading.Event(), threading.Event()

    def stuck(token: CancelToken) -> Iterator[object]:
        entered.set()
        release.wait(10)
        yield 1

    record = Record()
    runner.submit(record.job(stuck))
    assert entered.wait(5)
    assert not runner.shutdown(timeout_ms=50)
    release.set()
    assert runner.shutdown()
    assert len(record.outcomes) == 1


def test_results_are_not_kept_alive_after_the_job(runner: JobRunner, qtbot: QtBot) -> None:
    class Tensor:
        pass

    held: list[weakref.ref[Tensor]] = []

    def steps(token: CancelToken) -> Iterator[object]:
        tensor = Tensor()
        held.append(weakref.ref(tensor))
        yield 1
        raise RuntimeError("out of memory")

    record = Record("large")
    runner.submit(record.job(steps))
    qtbot.waitUntil(lambda: record.is_over and not runner.is_busy())
    gc.collect()
    assert record.outcomes[0].kind == "failed" and held[0]() is None
