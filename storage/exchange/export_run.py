"""One export from beginning to end: written aside, read back, and put in place only when it is right. Any thread."""
from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.atomic_file import disk_error
from storage.exchange.format import Format
from storage.exchange.material import Material
from storage.exchange.report import Report, note_strangers
from storage.mask_convert import present_values
from util.errors import AppError
from util.jobs import CancelToken
from util.types import IGNORE

_ASIDE = ".export-"


@dataclass(frozen=True)
class Progress:
    """`done` of `total` steps: every frame is written, and read back."""

    done: int
    total: int


def is_taken(target: Path) -> bool:
    """Whether there is something at `target` that an export would replace or mix with. AppError: cannot be told."""
    try:
        if target.is_dir():
            return any(not entry.name.startswith(".") for entry in target.iterdir())
        return target.exists()
    except OSError as error:
        raise disk_error(error, target) from error


def check_target(fmt: Format, material: Material, target: Path, kept: Sequence[Path]) -> None:
    """Raise AppError when the export cannot or must not go there.

    Args:
        kept: folders of the program's own, in which nothing may be written.
    """
    if reason := fmt.missing():
        raise AppError(f"{fmt.title} cannot be written here: {reason}", "Choose another format.")
    if not material.objects:
        raise AppError("There is no object to export.", "Mark an object, or choose at least one.")
    place = target.resolve()
    for folder in (folder.resolve() for folder in kept):
        if place == folder or folder in place.parents:
            raise AppError(f"{target} is in a folder where the workspace keeps its masks.", "Choose another place.")
    source = material.frames.source.path.resolve()
    if place == source:
        what = "holds the frames" if source.is_dir() else "is the video itself"
        raise AppError(f"{target} {what}; nothing of it may be overwritten.", "Choose another place.")
    if fmt.suffix and target.suffix.lower() != fmt.suffix:
        raise AppError(f"{target} is no name for {fmt.title}.", f"It has to end in {fmt.suffix}.")
    if target.exists() and target.is_dir() == bool(fmt.suffix):
        raise AppError(f"{target} is a {'folder' if fmt.suffix else 'file'}.", "Choose another name.")
    if not target.absolute().parent.is_dir():
        raise AppError(f"{target}: the folder {target.absolute().parent} does not exist.", "Create it first.")


def run_export(
    fmt: Format, material: Material, target: Path, token: CancelToken, *, replace: bool = False
) -> Generator[Progress, None, Report]:
    """Write `material` to `target`, yielding after every step; returns the report.

    What goes wrong or is cancelled leaves nothing behind, and nor does an export that does not come back right. A new
    folder or file appears in one step. Into a folder that is there already the finished files move one by one.

    Args:
        target: checked by `check_target`.
        replace: files of the same name may be replaced.

    Raises:
        AppError: `target` holds something and `replace` is not set; a frame or mask cannot be read; the disk is full.
        Cancelled.
    """
    if is_taken(target) and not replace:
        raise AppError(f"{target} holds something already.", "Choose another place, or have it replaced.")
    total = 2 * len(material.wanted)
    with _aside(target) as stage:
        made = stage / target.name
        with closing(_iterator(fmt.write(material, made))) as steps:
            for done, _ in enumerate(steps, 1):
                yield Progress(done, total)
                token.check()
        seen: Counter[int] = Counter()
        problems: list[str] = []
        for place, problem in enumerate(fmt.check(material, made)):
            token.check()
            if problem:
                problems.append(problem)
            if place < len(material.wanted):
                seen.update(present_values(material.masks(material.wanted[place])))
                yield Progress(len(material.wanted) + place + 1, total)
        report = _report(fmt, material, target, made, seen, problems)
        if report.is_good:
            token.check()
            if target.is_dir():
                fmt.join(made, target)
            _put(made, target)
    return report


def _iterator(steps: Iterator[int]) -> Generator[int, None, None]:
    """A generator, so that a writer's clean-up runs when it is left early."""
    yield from steps


def _report(
    fmt: Format, material: Material, target: Path, made: Path, seen: Counter[int], problems: list[str]
) -> Report:
    frames, chosen = material.frames, {info.object_id for info in material.objects}
    stems = frames.stem(material.wanted[0]), frames.stem(material.wanted[-1])
    notes = note_strangers(set(seen) - chosen - {IGNORE})
    absent = [info.name for info in material.objects if not seen[info.object_id]]
    if absent:
        notes.append(f"On none of these frames: {', '.join(absent)}.")
    written = _files(made) if made.is_dir() else [made]
    if target.is_dir():
        names = {file.relative_to(made) for file in written}
        there = (file.relative_to(target) for file in _files(target))
        others = [file for file in there if file not in names and not file.parts[0].startswith(".")]
        if others:
            notes.append(f"{len(others)} other files lie in {target}, for example {others[0].name}; left alone.")
    return Report(
        fmt.title, target, material.wanted, stems, material.size, round(float(frames.source.rate), 3),
        [(info, seen[info.object_id]) for info in material.objects], len(written), problems, notes,
    )


def _files(folder: Path) -> list[Path]:
    return sorted(Path(root, name) for root, _, names in os.walk(folder) for name in names)


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """A folder on the disk of `target`, so that moving out of it is a rename; gone at the end. AppError."""
    # Beside it where it is new; inside it where it is there, for what is beside may not be writable.
    folder = target if target.is_dir() else target.absolute().parent
    try:
        stage = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=folder))
    except OSError as error:
        raise disk_error(error, folder) from error
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _put(made: Path, target: Path) -> None:
    """Give what was made its place. AppError."""
    try:
        if not target.is_dir():
            os.replace(made, target)
            return
        for file in _files(made):
            place = target / file.relative_to(made)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, place)
    except OSError as error:
        raise disk_error(error, target) from error
