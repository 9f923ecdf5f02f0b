"""project.json: exact round trip, strict reading."""
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.frame_runs import Runs, marks_by_frame, runs_by_object
from storage.project import NewerVersionError, Project
from storage.project_parts import ObjectInfo
from storage.provenance import GivenPrompt, Provenance, Source, Span
from util.errors import AppError
from util.types import Size

PATH = Path("somewhere/project.json")

IDS = st.integers(1, 254)
FLAGS = st.tuples(*[st.booleans()] * 3)
COLORS = st.none() | st.tuples(*[st.integers(0, 255)] * 3)
MARKS = st.dictionaries(st.integers(0, 5), st.sets(IDS, min_size=1, max_size=2), max_size=3).map(
    lambda marks: dict(sorted(marks.items()))
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=3,
)


CLICKED = Source("hand", "click on ball", "2026-11-21T07:01:22Z", prompts=(GivenPrompt("click", True, ((1.5, 2.0),)),))
PROPAGATED = Source("propagated", "propagate 8 frames", "2026-11-21T07:02:00Z", 3, "stcn", "ab12", (("top_k", 50),))
SOURCES = st.builds(
    Source, st.sampled_from(["hand", "imported"]), st.text(max_size=5), st.text(max_size=5),
    prompts=st.lists(
        st.builds(
            GivenPrompt, st.sampled_from(["click", "box"]), st.booleans(), st.just(((1.0, 2.5), (3, 4))),
            st.none() | st.just(2.5),
        ), max_size=2
    ).map(tuple),
) | st.builds(
    Source, st.just("propagated"), st.text(max_size=5), st.text(max_size=5), st.integers(0, 5), st.text(max_size=5),
    st.text(max_size=5), st.just((("mem_every", 5), ("scale", 0.5), ("size", "480"))),
)


@st.composite
def spans(draw: st.DrawFn, num_frames: int) -> Span:
    ends = draw(st.lists(st.integers(0, num_frames), min_size=2, max_size=2, unique=True).map(sorted))
    return Span(draw(st.integers(1, 3)), range(*ends), draw(st.none() | SOURCES))


def fits(runs: Runs, num_frames: int) -> bool:
    return all(stretches[-1].stop <= num_frames for stretches in runs.values())


@st.composite
def projects(draw: st.DrawFn) -> Project:
    num_frames = draw(st.integers(1, 1000))
    ids = draw(st.lists(IDS, unique=True, max_size=4))
    frames = st.integers(0, num_frames - 1)
    return Project(
        source_path=Path(draw(st.sampled_from(["/v/clip.mp4", "/v/\udcff.mp4", "/видео/кадры"]))),
        num_frames=num_frames,
        size=Size(draw(st.integers(1, 9999)), draw(st.integers(1, 9999))),
        fingerprint=draw(st.text()),
        objects=[
            ObjectInfo(object_id, draw(st.text()), draw(st.text()), draw(COLORS), *draw(FLAGS))
            for object_id in ids
        ],
        key_frames=draw(st.dictionaries(frames, st.sets(IDS, min_size=1), max_size=4)),
        locked=draw(MARKS.map(runs_by_object).filter(lambda runs: fits(runs, num_frames))),
        verified=draw(MARKS.map(runs_by_object).filter(lambda runs: fits(runs, num_frames))),
        current_frame=draw(frames),
        next_object_id=draw(st.integers(max(ids, default=0) + 1, 255)),
        settings=draw(st.dictionaries(st.text(max_size=9), JSON, max_size=2)),
        provenance=Provenance(draw(st.lists(spans(num_frames), max_size=4))),
        journal_id=draw(st.sampled_from(["", "ab12"])),
        journal_number=draw(st.integers(0, 1 << 40)),
    )


def sample() -> Project:
    return Project(
        source_path=Path("/videos/clip.mp4"),
        num_frames=12,
        size=Size(9, 13),
        fingerprint="abc",
        objects=[ObjectInfo(2, "dog", "animal", (9, 8, 7), is_locked=True), ObjectInfo(1, "ball", is_solo=True)],
        key_frames={7: {1, 2}, 3: {1}},
        locked={2: (range(3, 5),)},
        verified={1: (range(0, 2), range(7, 12))},
        current_frame=7,
        next_object_id=3,
        settings={"tool": "brush"},
        provenance=Provenance([Span(1, range(3, 4), CLICKED), Span(1, range(4, 12), PROPAGATED)]),
        journal_id="aa",
        journal_number=7,
    )


@settings(max_examples=40)
@given(projects())
def test_round_trip(project: Project) -> None:
    text = project.to_json()
    text.encode("ascii")
    assert Project.from_json(text, PATH) == project
    assert Project.from_json(text, PATH).to_json() == text


def test_equal_projects_have_equal_text() -> None:
    other = sample()
    other.key_frames = {3: {1}, 7: {2, 1}, 5: set()}  # another order, and a frame on which nothing is fixed
    assert other.to_json() == sample().to_json()
    assert [info.name for info in Project.from_json(sample().to_json(), PATH).objects] == ["dog", "ball"]


def test_spent_ids_are_remembered() -> None:
    project = sample()
    project.objects.append(ObjectInfo(9, "late"))
    project.spend_ids()
    assert project.next_object_id == 10
    project.objects.clear()
    project.spend_ids()
    assert project.next_object_id == 10
    project.objects.append(ObjectInfo(254, "last"))
    project.spend_ids()
    project.to_json()


def set_field(*keys: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        target: Any = content
        for key in keys[:-1]:
            target = target[key]
        target[keys[-1]] = value

    return change


def drop_field(*keys: str | int) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        target: Any = content
        for key in keys[:-1]:
            target = target[key]
        del target[keys[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *((drop_field(name), name) for name in json.loads(sample().to_json())),
        (drop_field("size", "width"), r"size\.width is missing"),
        (drop_field("objects", 1, "name"), r"objects\[1\]\.name is missing"),
        (set_field("extra", value=1), "extra is unknown"),
        (set_field("objects", 0, "color", value="red"), r"objects\[0\]\.color must be null or a list"),
        (set_field("objects", 0, "color", value=[1, 2]), r"objects\[0\]\.color must hold three whole numbers"),
        (set_field("objects", 0, "color", value=[1, 2, 256]), r"objects\[0\]\.color must hold 0\.\.255"),
        (set_field("objects", 0, "visible", value=1), r"objects\[0\]\.visible must be of type bool"),
        (set_field("objects", 0, "size", value=1), r"objects\[0\]\.size is unknown"),
        (set_field("locked", "x", value=[]), r"locked\.x is not an object id"),
        (set_field("locked", "02", value=[]), r"locked\.02 is there twice"),
        (set_field("locked", "2", value=3), r"locked\.2 must be a list"),
        (set_field("locked", "2", value=[[1]]), r"locked\.2 must hold pairs"),
        (set_field("locked", "2", value=[[1, 1.5]]), r"locked\.2 must hold pairs"),
        (set_field("locked", "2", value=[[3, 12]]), r"locked\.2 must hold ascending stretches of the frames 0\.\.11"),
        (set_field("locked", "2", value=[[3, 4], [5, 6]]), r"locked\.2 must hold ascending"),
        (set_field("verified", "0", value=[[3, 4]]), r"verified\.0 is not an id"),
        (set_field("num_frames", value="12"), "num_frames must be of type int"),
        (set_field("num_frames", value=True), "num_frames must be of type int"),
        (set_field("num_frames", value=12.0), "num_frames must be of type int"),
        (set_field("num_frames", value=0), "num_frames must be at least 1"),
        (set_field("size", value=[9, 13]), "size must be of type dict"),
        (set_field("size", "height", value=0), "size must be positive"),
        (set_field("objects", 0, value=None), r"objects\[0\] must be a JSON object"),
        (set_field("objects", 0, "id", value=0), r"objects\[0\]\.id must be 1\.\.254"),
        (set_field("objects", 0, "id", value=255), r"objects\[0\]\.id must be 1\.\.254"),
        (set_field("objects", 0, "id", value=1), "objects has an id twice"),
        (set_field("next_object_id", value=2), r"next_object_id must be 3\.\.255"),
        (set_field("next_object_id", value=256), r"next_object_id must be 3\.\.255"),
        (set_field("current_frame", value=12), r"current_frame must be 0\.\.11"),
        (set_field("current_frame", value=-1), r"current_frame must be 0\.\.11"),
        (set_field("key_frames", "1", value=[[0, 10**15]]), r"key_frames\.1 must hold ascending stretches"),
        (set_field("key_frames", "255", value=[[0, 1]]), r"key_frames\.255 is not an id"),
        (set_field("key_frames", "٣", value=[[0, 1]]), "is not an object id"),
        (set_field("journal", "id", value=1), r"journal\.id must be of type str"),
        (set_field("journal", "number", value=-1), r"journal\.number must not be negative"),
        (set_field("provenance", "objects", "0", value=[]), r"provenance\.objects\.0 is not an object id"),
        (set_field("provenance", "objects", "1", value=[[0, 12, 0]]), r"provenance\.objects\.1 must ascend"),
        (set_field("provenance", "objects", "1", value=[[0, 3, 0], [3, 4, 0]]), "must ascend"),
        (set_field("provenance", "objects", "1", value=[[0, 1, 9]]), "names the source 9 of 2"),
        (set_field("provenance", "objects", "1", value=[[0, 1]]), "must hold .first frame, last frame, source"),
        (set_field("provenance", "sources", 0, "kind", value="magic"), r"sources\[0\]\.kind must be one of"),
        (set_field("provenance", "sources", 0, "engine", value="x"), r"sources\[0\]\.engine is unknown"),
        (set_field("provenance", "sources", 0, "prompts", 0, "kind", value="nod"), "kind must be one of click, stroke"),
        (set_field("provenance", "sources", 0, "prompts", 0, "points", value=[]), "points must not be empty"),
        (set_field("provenance", "sources", 0, "prompts", 0, "points", value=[["a", 1]]), "points must hold"),
        (drop_field("provenance", "sources", 1, "anchor"), r"sources\[1\]\.anchor is missing"),
        (set_field("version", value=0), "version must be 4"),
        (set_field("version", value="1"), "version must be of type int"),
    ],
)
def test_wrong_content_names_file_and_field(change: Callable[[dict[str, Any]], None], message: str) -> None:
    content = json.loads(sample().to_json())
    change(content)
    with pytest.raises(AppError, match=message) as caught:
        Project.from_json(json.dumps(content), PATH)
    assert str(PATH) in caught.value.message and caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", "\0", '{"version": 1', "[" * 100_000, '{"version": NaN}', '{"a": 1, "a": 1}']
    + [sample().to_json()[:length] for length in (10, 100, 250)],
)
def test_damaged_text(text: str) -> None:
    with pytest.raises(AppError, match="project.json") as caught:
        Project.from_json(text, PATH)
    assert caught.value.hint and not isinstance(caught.value, NewerVersionError)


def test_newer_version_is_its_own_error() -> None:
    with pytest.raises(NewerVersionError, match="newer version of this program .format 5"):
        Project.from_json('{"version": 5, "whatever": "comes"}', PATH)


@given(MARKS)
def test_marks_survive_as_stretches(marks: dict[int, set[int]]) -> None:
    assert marks_by_frame(runs_by_object(marks)) == marks
    assert sum(len(runs) for runs in runs_by_object({frame: [1] for frame in marks}).values()) <= len(marks)


@given(projects(), st.data())
def test_no_single_change_of_a_character_is_fatal(project: Project, data: st.DataObject) -> None:
    text = project.to_json()
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.characters()) + text[place + 1 :]
    try:
        Project.from_json(changed, PATH).check()
    except AppError as error:
        assert "project.json" in error.message


def test_impossible_project_is_not_written() -> None:
    project = sample()
    project.current_frame = 99
    with pytest.raises(ValueError, match="current_frame"):
        project.to_json()
    project = sample()
    project.settings["scale"] = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        project.to_json()
