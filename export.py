"""Writes masks in formats of other programs: `python export.py --project DIR --format NAME --output PATH`; and takes
somebody else's work on the same video into a workspace: `python export.py merge --project DIR --other PATH`.

Exit codes: 0 written, read back and right; 2 wrong input or an export that did not come back right, with a message on
stderr; 130 stopped with Ctrl-C. In the last two cases nothing of the export is left.
"""
from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager

from interact.headless_export import Opened, choose_objects, opened_masks, opened_project
from interact.headless_merge import merge, opened_session, survey_merge
from storage.disk_space import will_fill
from storage.exchange.export_run import check_target, run_export
from storage.exchange.format import Format
from storage.exchange.formats import BY_NAME, FORMATS
from storage.exchange.material import Edge, Material
from storage.exchange.report import Report
from util.errors import AppError
from util.export_config import MERGE, ExportConfig, parse_export_config
from util.interrupts import interrupt_cancels
from util.jobs import Cancelled
from util.merge_config import MergeConfig, parse_merge_config
from util.progress import ProgressLine
from util.threads import calm_openmp

EXIT_INPUT = 2
EXIT_STOPPED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] == MERGE:
        return run_merge(parse_merge_config(argv[1:]))
    config = parse_export_config(argv, list(BY_NAME))
    if config.is_list:
        print(table())
        return 0
    try:
        with _opened(config) as opened:
            report = run(config, BY_NAME[config.format], opened)
    except AppError as error:
        print(f"export.py: {error}", file=sys.stderr)
        return EXIT_INPUT
    except (Cancelled, KeyboardInterrupt):
        print("export.py: stopped; nothing was written.", file=sys.stderr)
        return EXIT_STOPPED
    print("\n".join(report.lines()))
    if not report.is_good:
        print(f"export.py: {config.output}: {report.problems[0]}; nothing was written.", file=sys.stderr)
    return 0 if report.is_good else EXIT_INPUT


def run_merge(config: MergeConfig) -> int:
    """The sub-command; returns the exit code."""
    assert config.project is not None and config.other is not None
    try:
        with opened_session(config.project, config.video or config.images) as session, interrupt_cancels() as token:
            surveyed = survey_merge(session, config.other, config.map)
            print("\n".join(surveyed.lines()))
            if not config.is_survey:
                print(merge(session, surveyed, config, token).text)
    except AppError as error:
        print(f"export.py merge: {error}", file=sys.stderr)
        return EXIT_INPUT
    except (Cancelled, KeyboardInterrupt):
        print("export.py merge: stopped; nothing was changed.", file=sys.stderr)
        return EXIT_STOPPED
    return 0


def run(config: ExportConfig, fmt: Format, opened: Opened) -> Report:
    """One export, with a progress line. Raises AppError; Cancelled on Ctrl-C."""
    assert config.output is not None
    for note in opened.notes:
        print(f"export.py: {note}", file=sys.stderr)
    material = Material(
        opened.frames,
        opened.masks,
        choose_objects(opened.objects, config.objects),
        config.range.resolve(len(opened.frames)),
        config.with_frames,
        Edge(config.feather, round(config.grow)),
    )
    check_target(fmt, material, config.output, opened.kept)
    needed = fmt.estimate(material.size, len(material.wanted), len(material.objects), with_frames=config.with_frames)
    if will_fill(config.output.absolute(), needed):
        text = f"the disk may become full; this takes about {needed >> 20} MB"
        print(f"export.py: {config.output}: {text}.", file=sys.stderr)
    line = ProgressLine(sys.stderr, 2 * len(material.wanted), "steps")
    try:
        with interrupt_cancels() as token:
            steps = run_export(fmt, material, config.output, token, replace=config.replace)
            while True:
                try:
                    line.update(next(steps).done)
                except StopIteration as stop:
                    report: Report = stop.value
                    return report
    finally:
        line.close()


def table() -> str:
    """All formats: name, what it is, and why it cannot be written here."""
    width = max(len(entry.name) for entry in FORMATS)
    rows = []
    for entry in FORMATS:
        reason = entry.missing()
        rows.append(f"{entry.name.ljust(width)}  {entry.about}" + (f" - not here: {reason}" if reason else ""))
    return "\n".join(rows)


def _opened(config: ExportConfig) -> AbstractContextManager[Opened]:
    source = config.video or config.images
    if config.project is not None:
        return opened_project(config.project, source)
    assert config.masks is not None
    assert source is not None
    return opened_masks(config.masks, source, config.range.start or 0)


if __name__ == "__main__":
    sys.exit(main())
