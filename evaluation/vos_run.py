"""Carries the given objects of one sequence after another, each written and recorded before the next begins.

    OUTPUT/masks/NAME/00000.png   the masks
    OUTPUT/runs/NAME.json         written when a sequence is done; such a sequence is not computed again
    OUTPUT/run.json               the settings; another run cannot go on in this folder

An object begins on the frame where it is given, as the rules of DAVIS and YouTube-VOS have it, and is carried forward
only. Where one begins later, what was found of the others on that frame is kept and all go on together, so that they
compete for pixels (so the published STCN does it).
"""
from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from evaluation.vos_tree import VosSequence
from inference_core.api import CoreApi, KeyFrame, ObjectProposer, PropagationRequest
from interact.annotations import object_ids
from interact.headless import Masks
from interact.headless_output import OutputMasks
from interact.headless_stats import installed_versions
from interact.headless_zero_shot import ZeroShotRun
from storage.atomic_file import disk_error, write_atomic
from storage.frame_source import open_source
from storage.frame_store import FrameStore
from storage.mask_folder import frame_numbers
from util.config import AppConfig
from util.errors import AppError
from util.jobs import CancelToken
from util.shards import Shard
from util.types import IndexMask
from util.vos_config import VosConfig

MASKS, RUNS, PLAN = "masks", "runs", "run.json"
_COUNTS_FOR_RESULT = (
    "engine", "weights", "mem_every", "top_k", "max_memory_frames", "budget", "update_rate", "size", "device", "no_amp",
    "mem_profile",
)


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """What became of one sequence.

    Args:
        predictions: frames that the engine computed, in `seconds`.
    """

    name: str
    frames: int
    objects: list[int]
    predictions: int
    seconds: float
    engine: str
    device: str
    settings: Mapping[str, str | int | float]
    versions: Mapping[str, str]


class VosRun:
    """All sequences of a shard.

    Args:
        config: the data set and where the results go.
        engine: the networks' settings.
    """

    def __init__(self, config: VosConfig, engine: AppConfig, shard: Shard) -> None:
        self._config, self._engine, self._shard = config, engine, shard
        self._output = config.output

    def begin(self) -> None:
        """Make the folders. AppError when they cannot be made, or hold the results of other settings."""
        try:
            for name in (MASKS, RUNS):
                (self._output / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, self._output) from error
        plan = {
            "dataset": self._config.dataset,
            "subset": self._config.subset,
            "task": self._config.task,
            "all_frames": self._config.all_frames,
            **{name: getattr(self._engine, name) for name in _COUNTS_FOR_RESULT},
        }
        text = json.dumps(plan, indent=1, default=str) + "\n"
        file = self._output / PLAN
        if not file.exists():
            write_atomic(file, text.encode())
        elif file.read_text(encoding="utf-8") != text:
            raise AppError(
                f"{file}: this folder holds a run with other settings.", "Give the same settings, or another --output."
            )

    def is_done(self, sequence: VosSequence) -> bool:
        return self._record(sequence).is_file()

    def carry(self, sequence: VosSequence, token: CancelToken) -> Generator[int, None, None]:
        """Compute and write one sequence, yielding how many frames are predicted after each.

        Raises AppError, and `Cancelled` through `token`; the sequence then counts as not done.
        """
        config = dataclasses.replace(self._engine, images=sequence.images)
        with closing(FrameStore(open_source(sequence.images), budget_bytes=config.budgets.frames)) as frames:
            whole = range(len(frames))
            masks = OutputMasks(self._output / MASKS / sequence.name, frames, whole, config.budgets.masks)
            begun, done = time.monotonic(), 0
            with self._work(config, sequence, frames, masks, token) as (engine, work), _written(masks, whole):
                for done in work:
                    yield done
            ids = frozenset[int]().union(*(object_ids(masks.get(frame)) for frame in whole))
            seconds = round(time.monotonic() - begun, 3)
            record = RunRecord(
                sequence.name, len(frames), sorted(ids), done, seconds, engine.engine, engine.device, engine.settings,
                installed_versions(),
            )
        text = json.dumps(dataclasses.asdict(record), indent=1) + "\n"
        write_atomic(self._record(sequence), text.encode())

    @contextmanager
    def _work(
        self, config: AppConfig, sequence: VosSequence, frames: FrameStore, masks: OutputMasks, token: CancelToken
    ) -> Iterator[tuple[CoreApi | ObjectProposer, Iterator[int]]]:
        """The engine and its work. Imports torch only now, so that wrong input is told before."""
        cores = os.cpu_count() or 1
        spare = cores - max(1, cores // self._shard.local_size)
        if self._config.task == "unsupervised":
            from inference_core.proposals import build_proposer

            with closing(build_proposer(config, frames.size, config.weights, spare_cores=spare)) as proposer:
                yield proposer, ZeroShotRun(proposer, frames, masks, range(len(frames))).run(token)
            return
        from inference_core.factory import build_core

        number = frame_numbers(frames)
        given = {number[stem]: mask for stem, mask in sequence.given().items()}
        with closing(build_core(config, frames, masks.get, spare_cores=spare)) as core:
            yield core, carry_given(core, given, masks, len(frames), token)

    def _record(self, sequence: VosSequence) -> Path:
        return self._output / RUNS / f"{sequence.name}.json"


@contextmanager
def _written(masks: OutputMasks, whole: range) -> Iterator[None]:
    """Masks are begun here and on disk at the end, frames without an object included."""
    masks.begin()
    try:
        yield
    except BaseException:
        with suppress(AppError):  # the first error is the one to be told
            masks.finish(())
        raise
    masks.finish(whole)


def carry_given(
    core: CoreApi, given: Mapping[int, IndexMask], masks: Masks, num_frames: int, token: CancelToken
) -> Generator[int, None, None]:
    """Carry every object forward from where it is given, yielding how many frames are predicted after each.

    Args:
        given: frame -> uint8 [H, W], the objects that begin there.
        masks: what the core reads as existing; nothing but background at the beginning.
    """
    stops = sorted(given)
    keys: list[KeyFrame] = []
    known = frozenset[int]()
    done = 0
    for stop, following in zip(stops, [*stops[1:], num_frames - 1], strict=True):
        token.check()
        mask = np.where(given[stop] > 0, given[stop], masks.get(stop)).astype(np.uint8)
        known |= object_ids(given[stop])
        masks.set(stop, mask)
        keys.append(KeyFrame(stop, mask, known))
        if following == stop:
            continue
        core.sync(keys)
        # The frame where the next object begins is visited too, to know what the others are there.
        for result in core.propagate(PropagationRequest(stop, "forward", stop + 1, following), token):
            masks.set(result.frame, result.mask)
            done += 1
            yield done


def read_records(output: Path) -> dict[str, RunRecord]:
    """Name -> record of every sequence that is done. AppError when a record is damaged."""
    records = {}
    for file in sorted((output / RUNS).glob("*.json")):
        try:
            record = RunRecord(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise AppError(f"{file}: is no record of a sequence ({error}).", "Remove it and run again.") from error
        records[record.name] = record
    return records
