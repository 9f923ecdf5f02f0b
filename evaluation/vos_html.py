"""The scores of a data set as one page: tables, and J and F of every object over the frames. No file beside it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from evaluation.report import Row
from evaluation.svg import COLORS, Line, line_chart
from evaluation.vos_run import RunRecord
from evaluation.vos_score import ObjectScore
from evaluation.vos_summary import SeenUnseen, VosSummary

_STYLE = """
body { font: 14px/1.5 sans-serif; color: #222; max-width: 62em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.1em; margin: 2em 0 .3em; }
table { border-collapse: collapse; margin: .5em 0 1.5em; }
th, td { padding: .15em .7em; text-align: right; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; } tr.mean td { font-weight: bold; }
.key { display: inline-block; width: 1.5em; border-top: 3px solid; vertical-align: middle; margin-right: .3em; }
.legend { color: #444; } .legend span { margin-right: 1.2em; white-space: nowrap; }
"""
_HEADINGS = ("Sequence", "Object", "Frames", "J&F", "J", "J recall", "J decay", "F", "F recall", "F decay", "T")


def page(title: str, notes: Sequence[str], summary: VosSummary, records: Mapping[str, RunRecord]) -> str:
    """The whole page as text.

    Args:
        notes: paragraphs under the title: by which rules, what is unusual.
        records: of the run, for its speed; empty when the masks come from elsewhere.
    """
    parts = [
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>",
        *(f"<p>{escape(note)}</p>" for note in notes),
        _table(summary),
    ]
    if summary.split is not None:
        parts.append(_split_table(summary.split))
    if records:
        parts.append(_speed(records))
    for name in dict.fromkeys(item.sequence for item in summary.objects):
        parts += _curves(name, [item for item in summary.objects if item.sequence == name])
    return "\n".join([*parts, "</body></html>"]) + "\n"


def _table(summary: VosSummary) -> str:
    costs: dict[tuple[str, str], float | None] = {
        (item.sequence, str(item.object_id)): item.stability for item in summary.objects
    }
    lines = [_cells("th", _HEADINGS, "")]
    for row in summary.rows:
        is_last = row is summary.overall
        cost = summary.stability if is_last else costs.get((row.sequence, row.object_name))
        lines.append(_cells("td", (row.sequence, row.object_name, *_numbers(row, cost)), "mean" if is_last else ""))
    return f"<table>{''.join(lines)}</table>"


def _numbers(row: Row, cost: float | None) -> tuple[str, ...]:
    j, f = row.region, row.contour
    shares = (row.j_and_f, j.mean, j.recall, j.decay, f.mean, f.recall, f.decay)
    return (str(row.num_frames), *(f"{100 * value:.1f}" for value in shares), "" if cost is None else f"{cost:.3f}")


def _cells(kind: str, texts: Sequence[str], name: str) -> str:
    inner = "".join(f"<{kind}>{escape(text)}</{kind}>" for text in texts)
    return f'<tr class="{name}">{inner}</tr>' if name else f"<tr>{inner}</tr>"


def _split_table(split: SeenUnseen) -> str:
    names = ("G", "J seen", "J unseen", "F seen", "F unseen")
    values = (split.overall, split.region_seen, split.region_unseen, split.contour_seen, split.contour_unseen)
    cells = ["" if value is None else f"{100 * value:.1f}" for value in values]
    rows = _cells("th", names, "") + _cells("td", cells, "")
    return f"<h2>Classes seen and unseen in training</h2><table>{rows}</table>"


def _speed(records: Mapping[str, RunRecord]) -> str:
    predictions = sum(record.predictions for record in records.values())
    seconds = sum(record.seconds for record in records.values())
    first = next(iter(records.values()))
    speed = f", {predictions / seconds:.2f} frames/s" if seconds else ""
    settings = ", ".join(f"{name} {value}" for name, value in first.settings.items() if value != "")
    return (
        f"<p>Engine {escape(first.engine)} on {escape(first.device)}: {predictions} frames computed in {seconds:.1f} s"
        f"{speed}, loading of the networks included. Settings: {escape(settings)}.</p>"
    )


def _curves(name: str, objects: Sequence[ObjectScore]) -> list[str]:
    stems = sorted(frozenset[str]().union(*(item.stems for item in objects)))
    is_numbered = all(stem.isdecimal() for stem in stems)
    place = {stem: int(stem) if is_numbered else number for number, stem in enumerate(stems)}
    lines, legend = [], []
    for color, item in enumerate(objects):
        for measure, values, is_dashed in (("J", item.region, False), ("F", item.contour, True)):
            points = [(place[stem], float(value)) for stem, value in zip(item.stems, values, strict=True)]
            lines.append(Line(f"{measure} of object {item.object_id}", points, color, is_dashed))
        about = f"object {item.object_id}{f' ({item.category})' if item.category else ''}"
        about += "" if item.proposal is None else f", proposal {item.proposal}"
        key = f'<i class="key" style="border-color: {COLORS[color % len(COLORS)]}"></i>'
        legend.append(f"<span>{key}{escape(about)}</span>")
    what = f"frame, {stems[0]} to {stems[-1]}; J solid, F dashed"
    return [f"<h2>{escape(name)}</h2>", f'<p class="legend">{"".join(legend)}</p>', line_chart(lines, what)]
