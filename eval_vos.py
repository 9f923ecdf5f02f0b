"""Benchmarks of video object segmentation: `python eval_vos.py run|score|pack --dataset NAME --root DIR --output DIR`.

Exit codes: 0 done; 2 wrong input, told on stderr before anything is computed; 130 stopped with Ctrl-C, sequences that
are done stay and the same command goes on. Under torchrun the processes share the sequences of `run`.
"""
from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.davis_csv import file_names, global_csv, sequence_csv
from evaluation.report import as_table
from evaluation.vos_html import page
from evaluation.vos_pack import pack
from evaluation.vos_run import MASKS, VosRun, read_records
from evaluation.vos_score import ObjectScore, check_results, score_sequence
from evaluation.vos_summary import VosSummary, objects_csv, summarize
from evaluation.vos_tree import VosTree, open_tree
from inference_core import registry
from model import zoo
from storage.atomic_file import disk_error, write_atomic
from util.config import AUTO
from util.errors import AppError
from util.interrupts import interrupt_cancels
from util.jobs import Cancelled
from util.progress import ProgressLine
from util.shards import read_shard, show_one_gpu
from util.threads import calm_openmp
from util.vos_config import VosCommand, VosConfig, parse_vos_config

EXIT_INPUT = 2
EXIT_STOPPED = 130

SCORES, REPORT, OBJECTS = "scores", "report.html", "objects.csv"
_RULES = {
    "davis": "DAVIS: J and F without the first and the last frame, every object counts the same.",
    "unsupervised": "DAVIS, unsupervised: J and F on all frames, proposals matched to objects over the whole sequence.",
    "youtube": "YouTube-VOS: J and F on every annotated frame after the one where the object is given.",
    "long": "J and F on every annotated frame after the first.",
    "folder": "J and F on every annotated frame after the one where the object is first seen, where it was given.",
}


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    calm_openmp(os.environ)
    command = parse_vos_config(sys.argv[1:] if argv is None else argv, registry.available())
    try:
        if command.command == "run":
            return run(command)
        tree = open_tree(command.vos)
        tell_note(tree)
        return score(command.vos, tree) if command.command == "score" else hand_in(command.vos, tree)
    except AppError as error:
        print(f"eval_vos.py: {error}", file=sys.stderr)
        return EXIT_INPUT
    except KeyboardInterrupt:
        print("eval_vos.py: stopped.", file=sys.stderr)
        return EXIT_STOPPED


def run(command: VosCommand) -> int:
    """Compute the sequences that are not done. Everything is checked first. Raises AppError."""
    shard = read_shard(os.environ)
    show_one_gpu(os.environ, shard)
    check_weights(command)
    tree = open_tree(command.vos)
    job = VosRun(command.vos, command.engine, shard)
    job.begin()
    own = shard.own(tree.sequences, lambda sequence: len(sequence.wanted))
    if shard.rank == 0:
        tell_note(tree)
    for number, sequence in enumerate(own, 1):
        head = f"{sequence.name} ({number} of {len(own)})"
        if job.is_done(sequence):
            print(f"{head}: done before", flush=True)
            continue
        line = ProgressLine(sys.stderr, len(sequence.wanted), "frames")
        try:
            with interrupt_cancels() as token:
                for done in job.carry(sequence, token):
                    line.update(done)
        except Cancelled:
            print(f"eval_vos.py: stopped in {sequence.name}; the same command goes on there.", file=sys.stderr)
            return EXIT_STOPPED
        finally:
            line.close()
        print(f"{head}: done", flush=True)
    return 0


def check_weights(command: VosCommand) -> None:
    """AppError when the engine's weights are missing, or it cannot do the task."""
    engine = command.engine
    if command.vos.task == "unsupervised":
        zoo.resolve(registry.proposal_weights(engine.engine), engine.weights)
    elif engine.engine != AUTO and (name := registry.find(engine.engine).weights) is not None:
        zoo.resolve(name, engine.weights)


def tell_note(tree: VosTree) -> None:
    """Say what is unusual about the data set."""
    if tree.layout.note:
        print(f"eval_vos.py: {tree.layout.note}", file=sys.stderr)


def masks_folder(config: VosConfig) -> Path:
    """Of a run, or the folder itself if it is one of masks that come from elsewhere. AppError if there is none."""
    if not config.output.is_dir():
        raise AppError(f"--output {config.output}: no such folder.", "Run first.")
    inner = config.output / MASKS
    return inner if inner.is_dir() else config.output


def score(config: VosConfig, tree: VosTree) -> int:
    """Score, print the table and write the files. Raises AppError."""
    masks = masks_folder(config)
    check_results(masks, tree.sequences, config)
    line = ProgressLine(sys.stderr, len(tree.sequences), "sequences")
    objects: list[ObjectScore] = []
    try:
        for number, sequence in enumerate(tree.sequences, 1):
            objects += score_sequence(sequence, masks / sequence.name, config)
            line.update(number)
    finally:
        line.close()
    summary = summarize(objects, tree.seen)
    write_scores(config, tree, summary)
    print(as_table(summary.rows))
    tell_split(config, summary)
    cost = "" if summary.stability is None else f"  T {summary.stability:.3f}"
    print(f"J&F {100 * summary.overall.j_and_f:.1f}{cost}")
    return 0


def write_scores(config: VosConfig, tree: VosTree, summary: VosSummary) -> None:
    """The DAVIS tool's tables, one of all objects, and the page."""
    folder = config.output / SCORES
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise disk_error(error, folder) from error
    rule = config.task if config.task in _RULES else config.dataset.rstrip("0123456789")
    over_all, by_sequence = file_names(tree.layout.subset)
    records = read_records(config.output)
    title = f"{config.dataset} {tree.layout.subset}: J&F {100 * summary.overall.j_and_f:.1f}"
    notes = [note for note in (_RULES[rule], tree.layout.note) if note]
    texts = {
        over_all: global_csv(summary.overall),
        by_sequence: sequence_csv([item.row for item in summary.objects]),
        OBJECTS: objects_csv(summary.objects),
        REPORT: page(title, notes, summary, records),
    }
    for name, text in texts.items():
        write_atomic(folder / name, text.encode())
    print(f"{folder}: {', '.join(texts)}", file=sys.stderr)


def tell_split(config: VosConfig, summary: VosSummary) -> None:
    """The four figures of YouTube-VOS and their mean, or why there are none."""
    if not config.dataset.startswith("youtube"):
        return
    if summary.split is None:
        print("train/meta.json is not here: which classes are unseen in training is not known, so there is no G.")
        return
    split = summary.split
    values = {
        "G": split.overall, "J seen": split.region_seen, "J unseen": split.region_unseen,
        "F seen": split.contour_seen, "F unseen": split.contour_unseen,
    }
    print("  ".join(f"{name} {'-' if value is None else f'{100 * value:.1f}'}" for name, value in values.items()))


def hand_in(config: VosConfig, tree: VosTree) -> int:
    """Pack the masks. Raises AppError."""
    file = config.output / f"{config.dataset}-{tree.layout.subset}.zip"
    count = pack(file, masks_folder(config), tree.sequences, config)
    print(f"{file}: {count} masks, sequences: {len(tree.sequences)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
