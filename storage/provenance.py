"""Where the masks come from: for every object and frame, by hand with its prompts, imported, or propagated by what.

Kept as stretches of frames with one source, in memory and in project.json: a propagation over a whole video is one
entry. A source that no frame has any more is forgotten.
"""
from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from storage.json_fields import Fields, Json, require

SourceKind = Literal["hand", "imported", "propagated"]
PromptKind = Literal["click", "stroke", "box"]
Setting = str | int | float


@dataclass(frozen=True)
class GivenPrompt:
    """Points are (x, y) in image pixels.

    Args:
        points: one of a click, the corners of a box, the line of a stroke.
        width: of a stroke, in pixels.
    """

    kind: PromptKind
    positive: bool
    points: tuple[tuple[float, float], ...]
    width: float | None = None


@dataclass(frozen=True)
class Source:
    """How a mask came about.

    Args:
        action: the step, as undo calls it.
        time: UTC, `2026-11-21T07:01:22Z`.
        anchor: of a propagation.
        engine, settings: of a propagation: which network, with what parameters.
        weights: SHA-256 of its weight file; empty for an engine without one.
        prompts: given by hand on this frame, in order.
        origin: the project or the masks that it was merged from; empty for what was done here.
    """

    kind: SourceKind
    action: str
    time: str
    anchor: int | None = None
    engine: str = ""
    weights: str = ""
    settings: tuple[tuple[str, Setting], ...] = ()
    prompts: tuple[GivenPrompt, ...] = ()
    origin: str = ""


@dataclass(frozen=True)
class Span:
    """Frames of an object with one source; None where its mask comes from nowhere."""

    object_id: int
    frames: range
    source: Source | None


class Provenance:
    """object -> stretches of frames, ascending and apart; neighbours of one source are one stretch."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._spans: dict[int, list[Span]] = {}
        self.put(spans)

    def __iter__(self) -> Iterator[Span]:
        for object_id in sorted(self._spans):
            yield from self._spans[object_id]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Provenance) and self._spans == other._spans

    def on(self, frame: int, object_id: int) -> Source | None:
        """The source of an object's mask on a frame."""
        spans = self._spans.get(object_id, [])
        place = bisect_right(spans, frame, key=lambda span: span.frames.start) - 1
        return spans[place].source if place >= 0 and frame in spans[place].frames else None

    def of(self, object_id: int) -> tuple[Span, ...]:
        return tuple(self._spans.get(object_id, ()))

    def cut(self, object_id: int, frames: range) -> tuple[Span, ...]:
        """What there is on `frames`, gaps included: putting it back restores them exactly."""
        found: list[Span] = []
        reached = frames.start
        for span in self._spans.get(object_id, []):
            inside = range(max(span.frames.start, frames.start), min(span.frames.stop, frames.stop))
            if inside:
                if inside.start > reached:
                    found.append(Span(object_id, range(reached, inside.start), None))
                found.append(Span(object_id, inside, span.source))
                reached = inside.stop
        if reached < frames.stop:
            found.append(Span(object_id, range(reached, frames.stop), None))
        return tuple(found)

    def put(self, spans: Iterable[Span]) -> None:
        """Set the source of all these frames."""
        by_object: dict[int, list[Span]] = {}
        for span in spans:
            if span.frames:
                by_object.setdefault(span.object_id, []).append(span)
        for object_id, new in by_object.items():
            old = self._spans.get(object_id, [])
            for span in new:
                old = [piece for other in old for piece in _without(other, span.frames)] + [span]
            kept = _joined(sorted((span for span in old if span.source), key=lambda span: span.frames.start))
            if kept:
                self._spans[object_id] = kept
            else:
                self._spans.pop(object_id, None)


def _without(span: Span, frames: range) -> list[Span]:
    if frames.stop <= span.frames.start or span.frames.stop <= frames.start:
        return [span]
    ends = (range(span.frames.start, frames.start), range(frames.stop, span.frames.stop))
    return [Span(span.object_id, rest, span.source) for rest in ends if rest]


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last is not None and last.frames.stop == span.frames.start and last.source == span.source:
            joined[-1] = Span(span.object_id, range(last.frames.start, span.frames.stop), span.source)
        else:
            joined.append(span)
    return joined


# ---- in project.json -------------------------------------------------------------------------------------------------


def provenance_json(provenance: Provenance) -> dict[str, Json]:
    """Every source once, and by object [first frame, last frame, place of the source]."""
    places: dict[Source, int] = {}
    objects: dict[str, list[Json]] = {}
    for span in provenance:
        assert span.source is not None
        place = places.setdefault(span.source, len(places))
        objects.setdefault(str(span.object_id), []).append([span.frames.start, span.frames.stop - 1, place])
    return {"sources": [_source_json(source) for source in places], "objects": dict(objects)}


def parse_provenance(content: Json, num_frames: int) -> Provenance:
    """Raises ValueError naming the field that is wrong."""
    top = Fields(content, "provenance.")
    listed = top.take("sources", list)
    sources = [_parse_source(item, f"provenance.sources[{place}].") for place, item in enumerate(listed)]
    spans: list[Span] = []
    for name, stretches in top.take("objects", dict).items():
        field = f"provenance.objects.{name}"
        require(name.isascii() and name.isdecimal() and 1 <= int(name) <= 254, field, "is not an object id")
        require(isinstance(stretches, list), field, "must be a list")
        assert isinstance(stretches, list)
        reached = 0
        for stretch in stretches:
            numbers = [n for n in stretch if type(n) is int] if isinstance(stretch, list) else []
            is_whole = isinstance(stretch, list) and len(numbers) == len(stretch) == 3
            require(is_whole, field, "must hold [first frame, last frame, source]")
            first, last, place = numbers
            require(reached <= first <= last < num_frames, field, f"must ascend within 0..{num_frames - 1}")
            require(0 <= place < len(sources), field, f"names the source {place} of {len(sources)}")
            spans.append(Span(int(name), range(first, last + 1), sources[place]))
            reached = last + 1
    top.end()
    return Provenance(spans)


def _source_json(source: Source) -> dict[str, Json]:
    content: dict[str, Json] = {"kind": source.kind, "action": source.action, "time": source.time}
    if source.kind == "propagated":
        settings: dict[str, Json] = dict(source.settings)
        content |= {"anchor": source.anchor, "engine": source.engine, "weights": source.weights, "settings": settings}
    if source.prompts:
        content["prompts"] = [_prompt_json(prompt) for prompt in source.prompts]
    if source.origin:
        content["origin"] = source.origin
    return content


def _prompt_json(prompt: GivenPrompt) -> dict[str, Json]:
    points: list[Json] = [[x, y] for x, y in prompt.points]
    return {"kind": prompt.kind, "positive": prompt.positive, "points": points, "width": prompt.width}


def _parse_source(content: Json, prefix: str) -> Source:
    item = Fields(content, prefix)
    kind = item.take("kind", str)
    kinds: Mapping[str, SourceKind] = {"hand": "hand", "imported": "imported", "propagated": "propagated"}
    require(kind in kinds, f"{prefix}kind", f"must be one of {', '.join(kinds)}")
    action, time = item.take("action", str), item.take("time", str)
    anchor, engine, weights, settings = None, "", "", {}
    if kind == "propagated":
        anchor, engine, weights = item.take("anchor", int), item.take("engine", str), item.take("weights", str)
        settings = item.take("settings", dict)
    values = tuple((name, value) for name, value in settings.items() if type(value) in (str, int, float))
    require(len(values) == len(settings), f"{prefix}settings", "must hold text and numbers")
    prompts = item.take("prompts", list) if item.has("prompts") else []
    origin = item.take("origin", str) if item.has("origin") else ""
    item.end()
    given = tuple(_parse_prompt(prompt, f"{prefix}prompts[{place}].") for place, prompt in enumerate(prompts))
    return Source(kinds[kind], action, time, anchor, engine, weights, values, given, origin)  # type: ignore[arg-type]


def _parse_prompt(content: Json, prefix: str) -> GivenPrompt:
    item = Fields(content, prefix)
    kind = item.take("kind", str)
    positive, points, width = item.take("positive", bool), item.take("points", list), item.take_any("width")
    item.end()
    kinds: Mapping[str, PromptKind] = {"click": "click", "stroke": "stroke", "box": "box"}
    require(kind in kinds, f"{prefix}kind", f"must be one of {', '.join(kinds)}")
    pairs: list[tuple[float, float]] = []
    for point in points:
        numbers = [n for n in point if type(n) in (int, float)] if isinstance(point, list) else []
        require(isinstance(point, list) and len(numbers) == len(point) == 2, f"{prefix}points", "must hold [x, y]")
        pairs.append((numbers[0], numbers[1]))  # type: ignore[arg-type]
    require(bool(pairs), f"{prefix}points", "must not be empty")
    require(width is None or type(width) in (int, float), f"{prefix}width", "must be null or a number")
    return GivenPrompt(kinds[kind], positive, tuple(pairs), width)  # type: ignore[arg-type]
