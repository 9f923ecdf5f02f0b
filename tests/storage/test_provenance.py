"""Sources of masks by object and frame: what was put is found, and putting back what was cut restores it."""
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.provenance import Provenance, Source, Span

NUM_FRAMES = 12
SOURCES = [Source("hand", name, "2026-01-01T00:00:00Z") for name in "abc"]


@st.composite
def spans(draw: st.DrawFn) -> Span:
    first, stop = draw(st.tuples(st.integers(0, NUM_FRAMES), st.integers(0, NUM_FRAMES)))
    return Span(draw(st.integers(1, 2)), range(first, stop), draw(st.sampled_from([None, *SOURCES])))


@settings(max_examples=60)
@given(st.lists(st.lists(spans(), max_size=3), max_size=6), spans())
def test_agrees_with_a_table(batches: list[list[Span]], wanted: Span) -> None:
    book = Provenance()
    table: dict[tuple[int, int], Source | None] = {}
    for batch in batches:
        book.put(batch)
        table |= {(frame, span.object_id): span.source for span in batch for frame in span.frames}
    for object_id in (1, 2):
        for frame in range(NUM_FRAMES):
            assert book.on(frame, object_id) == table.get((frame, object_id))
        runs = book.of(object_id)
        assert all(span.source is not None and span.frames for span in runs)
        for one, other in zip(runs, runs[1:], strict=False):
            assert one.frames.stop < other.frames.start or (
                one.frames.stop == other.frames.start and one.source != other.source
            )
    assert Provenance(book) == book
    before = book.cut(wanted.object_id, wanted.frames)
    assert [frame for span in before for frame in span.frames] == list(wanted.frames)
    copy = Provenance(book)
    book.put([wanted])
    assert all(book.on(frame, wanted.object_id) == wanted.source for frame in wanted.frames)
    book.put(before)
    assert book == copy
