"""Carries masks through a video without a window: `python propagate.py --video FILE --masks DIR --output DIR`.

Or through many: `python propagate.py --list FILE`, under torchrun with several processes that share them.

Exit codes: 0 done; 2 wrong input, one message on stderr, or a job of a list failed; 130 stopped with Ctrl-C, finished
frames stay.
"""
from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from inference_core import registry
from inference_core.api import CoreApi, ObjectProposer
from interact.annotations import load_annotations, object_ids
from interact.headless import HeadlessRun
from interact.headless_done import is_done, job_record, note_done
from interact.headless_list import JobEnd, ListedJob, State, as_table, read_list
from interact.headless_output import OutputMasks, check_places, fill_workspace, open_new_workspace, write_overlay
from interact.headless_schedule import Stop, plan_stops
from interact.headless_stats import RunStats, SourceInfo, installed_versions, weights_info
from interact.headless_zero_shot import ZeroShotRun
from storage.atomic_file import write_atomic
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.workspace import Workspace
from util.config import HEADLESS, AppConfig, parse_config
from util.errors import AppError
from util.interrupts import interrupt_cancels
from util.jobs import Cancelled
from util.process_memory import peak_bytes
from util.progress import ProgressLine, format_duration, format_speed
from util.shards import read_shard, show_one_gpu
from util.threads import calm_openmp
from util.types import IndexMask

EXIT_INPUT = 2
EXIT_STOPPED = 130


@dataclass(frozen=True)
class Task:
    """What is to be done, checked. Without given masks there are no annotations and no stops."""

    config: AppConfig
    output: Path
    frames: FrameStore
    wanted: range
    annotations: Mapping[int, IndexMask]
    stops: Sequence[Stop]
    started: float


@dataclass(frozen=True)
class Done:
    """What was done. `finished`: frames with a mask, in order; `key_frames`: frame -> objects fixed there."""

    finished: Sequence[int]
    key_frames: Mapping[int, frozenset[int]]
    predictions: int
    seconds: float
    is_stopped: bool

    @property
    def object_ids(self) -> list[int]:
        return sorted(frozenset[int]().union(*self.key_frames.values()))


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    started = time.monotonic()
    calm_openmp(os.environ)
    config = parse_config(HEADLESS, sys.argv[1:] if argv is None else argv, registry.available())
    try:
        if config.list_file is not None:
            return run_list(config)
        return EXIT_STOPPED if run(config, started).is_stopped else 0
    except AppError as error:
        print(f"propagate.py: {error}", file=sys.stderr)
        return EXIT_INPUT
    except KeyboardInterrupt:
        place = "their folders" if config.output is None else config.output
        print(f"propagate.py: stopped; masks finished before that are in {place}.", file=sys.stderr)
        return EXIT_STOPPED


def run_list(config: AppConfig) -> int:
    """All jobs of a list, or this process's share of them; one that fails does not stop the others.

    Raises:
        AppError: the list makes no sense. Nothing is begun then.
    """
    shard = read_shard(os.environ)
    show_one_gpu(os.environ, shard)
    own = shard.own(read_list(config), lambda job: 1)
    ends: list[JobEnd] = []
    for number, job in enumerate(own, 1):
        print(f"{job.name} ({number} of {len(own)})", flush=True)
        ends.append(run_listed(job))
        if ends[-1].state == "stopped":
            print(as_table(ends))
            return EXIT_STOPPED
    if shard.world_size > 1:
        from inference_core.crew import gather

        ends = gather(ends)
    if shard.rank == 0:
        print(as_table(ends))
    return EXIT_INPUT if any(end.state == "failed" for end in ends) else 0


def run_listed(job: ListedJob) -> JobEnd:
    """One job, unless it was done before. What is wrong is told at once and stands in the table at the end."""
    started = time.monotonic()
    try:
        record = job_record(job.config)
        if is_done(job.config, record):
            return JobEnd(job.line, job.name, "done before")
        done = run(job.config, started)
        if not done.is_stopped:
            note_done(job.config, record, len(done.finished))
    except AppError as error:
        print(f"propagate.py: {error}", file=sys.stderr)
        return JobEnd(job.line, job.name, "failed", seconds=time.monotonic() - started, note=error.message)
    except Exception as error:  # a mistake of ours: the other videos need not wait until it is mended
        traceback.print_exc()
        return JobEnd(job.line, job.name, "failed", seconds=time.monotonic() - started, note=f"unexpected: {error!r}")
    state: State = "stopped" if done.is_stopped else "done"
    return JobEnd(job.line, job.name, state, len(done.finished), time.monotonic() - started)


def run(config: AppConfig, started: float) -> Done:
    """One whole job. Nothing is written before all input has been checked. Raises AppError."""
    assert config.source is not None
    assert config.output is not None
    with closing(FrameStore(open_source(config.source), budget_bytes=config.budgets.frames)) as frames:
        wanted = config.range.resolve(len(frames))
        annotations = {} if config.masks is None else load_annotations(config.masks, frames, wanted)
        check_places(config)
        present = {frame: object_ids(mask) for frame, mask in annotations.items()}
        stops = plan_stops(present, wanted, is_partial=config.partial)
        task = Task(config, config.output, frames, wanted, annotations, stops, started)
        masks = OutputMasks(config.output, frames, wanted, config.budgets.masks)

        with _job(task, masks) as (engine, job), _workspace(task) as workspace:
            masks.begin()
            done = carry(task, job, masks)
            if workspace is not None:
                fill_workspace(workspace, masks, done.finished, done.key_frames)
            if done.is_stopped:
                print(
                    f"propagate.py: stopped; {len(done.finished)} of {len(wanted)} frames are finished and stay in "
                    f"{config.output}.",
                    file=sys.stderr,
                )
                return done
            if config.overlay is not None:
                draw(config.overlay, task, masks)
            report(task, engine, done)
    return done


@contextmanager
def _job(task: Task, masks: OutputMasks) -> Iterator[tuple[CoreApi | ObjectProposer, HeadlessRun | ZeroShotRun]]:
    """The engine, and the work that it has to do. Imports torch only now, so that wrong input is told before."""
    config, frames = task.config, task.frames
    if config.zero_shot:
        from inference_core.proposals import build_proposer

        with closing(build_proposer(config, frames.size, config.weights)) as proposer:
            yield proposer, ZeroShotRun(proposer, frames, masks, task.wanted)
        return
    from inference_core.factory import build_core

    with closing(build_core(config, frames, masks.get)) as core:
        yield core, HeadlessRun(core, task.stops, task.annotations, masks, is_partial=config.partial)


@contextmanager
def _workspace(task: Task) -> Iterator[Workspace | None]:
    """The workspace to be filled, if one was asked for."""
    if task.config.workspace is None:
        yield None
        return
    with closing(open_new_workspace(task.frames, task.config.workspace)) as workspace:
        yield workspace


def carry(task: Task, job: HeadlessRun | ZeroShotRun, masks: OutputMasks) -> Done:
    """Do the job, with a progress line. Ctrl-C ends it after the frame in hand. AppError; finished masks stay."""
    line = ProgressLine(sys.stderr, job.total, "frames")
    if isinstance(job, HeadlessRun):
        job.tell = line.tell
    is_stopped = False
    begun = time.monotonic()
    predictions = 0
    try:
        with interrupt_cancels() as token:
            for predictions in job.run(token):
                line.update(predictions)
    except Cancelled:
        is_stopped = True
    except AppError:
        with suppress(AppError):  # the first error is the one to be told
            masks.finish(sorted(job.finished))
        raise
    finally:
        line.close()
    seconds = time.monotonic() - begun
    finished = sorted(job.finished) if is_stopped else task.wanted
    masks.finish(finished)
    return Done(finished, job.key_frames, predictions, seconds, is_stopped)


def draw(path: Path, task: Task, masks: OutputMasks) -> None:
    """Write the overlay video."""
    line = ProgressLine(sys.stderr, len(task.wanted), "overlay frames")
    try:
        for done in write_overlay(path, task.frames, masks, task.wanted):
            line.update(done)
    finally:
        line.close()


def report(task: Task, core: CoreApi | ObjectProposer, done: Done) -> None:
    """Write the statistics and the line at the end."""
    seconds = time.monotonic() - task.started
    speed = done.predictions / done.seconds if done.predictions else 0.0
    if task.config.stats is not None:
        write_atomic(task.config.stats, collect_stats(task, core, done, seconds, speed).to_json().encode())
    num_objects = len(done.object_ids)
    print(
        f"{len(task.wanted)} frames, {num_objects} object{'' if num_objects == 1 else 's'} -> {task.output} "
        f"({core.engine} on {core.device}, {format_speed(speed)} frames/s, {format_duration(seconds)} in all)"
    )


def collect_stats(
    task: Task, core: CoreApi | ObjectProposer, done: Done, seconds: float, speed: float
) -> RunStats:
    """What the statistics file says. `seconds`: the whole run; `speed`: predictions per second."""
    from inference_core.device import open_device

    config, source = task.config, task.frames.source
    weights = str(core.settings.get("weights", ""))
    return RunStats(
        frames=len(task.wanted),
        annotated_frames=len(task.annotations),
        objects=done.object_ids,
        predictions=done.predictions,
        seconds=round(seconds, 3),
        propagation_seconds=round(done.seconds, 3),
        frames_per_second=round(speed, 3),
        peak_memory_bytes=peak_bytes(),
        peak_gpu_memory_bytes=open_device(config.device, mixed_precision=not config.no_amp).peak_bytes(),
        engine=core.engine,
        device=core.device,
        settings={
            "range": str(config.range),
            "partial": config.partial,
            "size": config.size,
            "no_amp": config.no_amp,
            "mem_profile": config.mem_profile,
            **{name: value for name, value in core.settings.items() if name != "weights"},
        },
        weights=weights_info(Path(weights)) if weights else None,
        source=SourceInfo(
            str(source.path.absolute()), len(task.frames), source.size.width, source.size.height,
            round(float(source.rate), 3),
        ),
        versions=installed_versions(),
    )


if __name__ == "__main__":
    sys.exit(main())
