"""The official package `davisinteractive` (GPL-3, to be installed apart: requirements-eval.txt), as far as we use it.

Nothing else imports it, and it is imported only when `load` is called. It was written for numpy 1, networkx 2 and
pandas 1; what is missing today is put back here, and its downloads are turned off: a benchmark that fetches gigabytes
because a file is not where it looks for it is of no use. The robot's lines are drawn along skeletons, whose thinning
breaks ties at random: with a seed one run is like the next.
"""
# ruff: noqa: ANN401 - the package has no types
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from util.errors import AppError

_INSTALL = (
    "Run `pip install -r requirements-eval.txt`, then "
    "`pip install --no-build-isolation --no-deps davisinteractive`."
)
_METRICS = ("jaccard", "contour", "j_and_f", "timing")


@dataclass(frozen=True)
class SequenceInfo:
    """What the package's table of sequences says about one."""

    name: str
    num_frames: int
    num_objects: int
    width: int
    height: int
    num_scribbles: int

    def entry(self, subset: str) -> dict[str, object]:
        return {
            "name": self.name, "set": subset, "num_frames": self.num_frames, "num_objects": self.num_objects,
            "image_size": [self.width, self.height], "num_scribbles": self.num_scribbles,
        }


class Official:
    """The package, loaded; made by `load`."""

    def __init__(self, session: Any, davis: Any, service: Any, robot: Any, robot_settings: Mapping[str, Any]) -> None:
        self._session, self._davis, self._service = session, davis, service
        self._robot, self._robot_settings = robot, robot_settings

    def benchmark(self, subset: str) -> list[SequenceInfo]:
        """The sequences of a subset of DAVIS 2017."""
        return [_info(self._davis.dataset[name]) for name in self._davis.sets[subset]]

    def first_scribbles(self, truth: NDArray[np.uint8], num_objects: int) -> list[dict[str, Any]]:
        """What the robot draws on a frame that has no mask yet: for lack of a person's scribbles.

        Args:
            truth: uint8 [H, W].
        """
        robot = self._robot(**self._robot_settings)
        answer = robot.interact("", np.zeros((1, *truth.shape), int), truth[None], nb_objects=num_objects, frame=0)
        return list(answer["scribbles"][0])

    @contextmanager
    def session(
        self, root: Path, subset: str, sequences: Sequence[SequenceInfo], output: Path, rounds: int, seconds: int | None
    ) -> Iterator[Any]:
        """A running `DavisInteractiveSession` over these sequences and no others.

        Args:
            rounds, seconds: per sample; seconds also per object, None for no limit.
        """
        before = self._davis.sets, self._davis.dataset, self._service.summarize_report
        names = [info.name for info in sequences]
        self._davis.sets = {subset: names}
        self._davis.dataset = {info.name: info.entry(subset) for info in sequences}
        self._service.summarize_report = _summarize(before[2])
        try:
            with self._session(
                davis_root=str(root), subset=subset, max_nb_interactions=rounds, max_time=seconds,
                metric_to_optimize="J_AND_F", report_save_dir=str(output),
            ) as running:
                yield running
        finally:
            self._davis.sets, self._davis.dataset, self._service.summarize_report = before


def load(seed: int) -> Official:
    """Import the package. AppError when it, or something it needs, is not installed.

    Args:
        seed: of the robot: the same errors get the same lines, whatever was drawn before. Counts for the whole process.
    """
    _put_back_what_is_gone()
    try:
        from davisinteractive.dataset import Davis
        from davisinteractive.evaluation import EvaluationService
        from davisinteractive.evaluation.service import ROBOT_DEFAULT_PARAMETERS
        from davisinteractive.robot import InteractiveScribblesRobot, interactive_robot
        from davisinteractive.session import DavisInteractiveSession
        from skimage.morphology import medial_axis
    except ImportError as error:
        raise AppError(f"The package davisinteractive cannot be imported ({error}).", _INSTALL) from error
    interactive_robot.medial_axis = partial(medial_axis, rng=seed)
    Davis._download_scribbles = Davis._download_annotations = _no_download
    return Official(
        DavisInteractiveSession, Davis, EvaluationService, InteractiveScribblesRobot, ROBOT_DEFAULT_PARAMETERS
    )


def _put_back_what_is_gone() -> None:
    """Names of numpy and networkx that the package uses while it is imported and later."""
    for name, kind in (("int", int), ("float", float), ("object", object)):
        if name not in vars(np):
            setattr(np, name, kind)
    if not hasattr(np, "trapz"):
        setattr(np, "trapz", np.trapezoid)  # noqa: B010 - mypy knows numpy has no such name
    try:
        import networkx
    except ImportError as error:
        raise AppError("The package networkx is not installed.", _INSTALL) from error
    if not hasattr(networkx, "from_scipy_sparse_matrix"):
        networkx.from_scipy_sparse_matrix = networkx.from_scipy_sparse_array


def _summarize(original: Any) -> Any:
    """Means over a text column fail today, and over numbers that are kept as objects."""

    def summarize(service: Any, report: Any) -> Any:
        return original(service, report.drop(columns="session_id").astype(dict.fromkeys(_METRICS, float)))

    return summarize


def _no_download(davis: Any) -> None:
    raise AppError(f"{davis.davis_root}: a scribble or a mask is missing.", "Unpack the data set again.")


def _info(entry: Mapping[str, Any]) -> SequenceInfo:
    width, height = entry["image_size"]
    counts = (entry["num_frames"], entry["num_objects"], width, height, entry["num_scribbles"])
    return SequenceInfo(entry["name"], *(int(count) for count in counts))
