"""Tools as state machines: scripts of events and the actions they lead to."""
from __future__ import annotations

import pytest

from interact.events import PointerEvent
from interact.prompts import Box, Click, Point, Polygon, Stroke
from interact.tool_base import (
    Action,
    Fill,
    OutlineChanged,
    PaintEnd,
    PaintTo,
    RegionDrawn,
    Tool,
    ToolSettings,
)
from interact.tools import (
    BrushTool,
    ClickTool,
    FillTool,
    LassoTool,
    PolygonTool,
    RectangleTool,
    ScribbleTool,
    make_tools,
)

SETTINGS = ToolSettings(brush_size=20, snap_radius=4)


def play(tool: Tool, script: str) -> list[Action]:
    """Words `<kind>[button]x,y`: "press" "Press" (right) "move" "release" "Release" "double" "cancel"."""
    actions = []
    for word in script.split():
        name, place = word.split("@")
        x, y = map(float, place.split(","))
        kind = name.lower()
        button = "none" if kind == "cancel" else "right" if name[0].isupper() else "left"
        action = tool.handle(PointerEvent(kind, x, y, button), SETTINGS)
        if action is not None:
            actions.append(action)
    return actions


def test_click_answers_every_press_and_nothing_else() -> None:
    script = "move@1,1 press@2,3 move@4,4 release@4,4 Press@5,6 Release@5,6 cancel@0,0"
    assert play(ClickTool(), script) == [Click(2, 3, True), Click(5, 6, False)]


def test_fast_second_click_counts() -> None:
    assert play(ClickTool(), "press@2,3 release@2,3 double@2,3 release@2,3") == [Click(2, 3, True)] * 2


def test_scribble_gives_one_stroke_at_its_end() -> None:
    tool = ScribbleTool()
    assert play(tool, "press@1,1 move@5,5") == [OutlineChanged()] * 2
    assert tool.outline == ((1, 1), (5, 5))
    actions = play(tool, "release@9,5")
    assert actions == [Stroke((Point(1, 1), Point(5, 5), Point(9, 5)), True, SETTINGS.snap_radius)]
    assert tool.outline == ()


def test_right_scribble_is_background_and_other_buttons_do_not_disturb() -> None:
    actions = play(ScribbleTool(), "Press@1,1 press@3,3 release@3,3 Release@4,4")
    stroke = actions[-1]
    assert isinstance(stroke, Stroke) and not stroke.positive
    assert (stroke.points[0], stroke.points[-1]) == ((1, 1), (4, 4))


def test_escape_discards_a_scribble() -> None:
    tool = ScribbleTool()
    assert play(tool, "press@1,1 move@5,5 cancel@5,5 release@5,5") == [OutlineChanged()] * 3
    assert tool.outline == ()


def test_brush_paints_piece_by_piece() -> None:
    assert play(BrushTool("brush"), "move@0,0 press@1,1 move@1,1 move@4,1 move@4,4 release@4,4 move@9,9") == [
        PaintTo(Point(1, 1), Point(1, 1), False),
        PaintTo(Point(1, 1), Point(4, 1), False),
        PaintTo(Point(4, 1), Point(4, 4), False),
        PaintEnd(keep=True),
    ]


@pytest.mark.parametrize(("name", "script"), [("eraser", "press@1,1 move@2,2"), ("brush", "Press@1,1 move@2,2")])
def test_eraser_and_right_brush_erase(name: str, script: str) -> None:
    assert [action.erase for action in play(BrushTool(name), script)] == [True, True]


def test_escape_takes_a_brush_drag_back() -> None:
    assert play(BrushTool("brush"), "press@1,1 cancel@1,1 move@5,5 release@5,5")[1:] == [PaintEnd(keep=False)]


def test_brush_can_be_used_again_after_a_right_drag() -> None:
    tool = BrushTool("brush")
    play(tool, "Press@1,1 Release@1,1")
    assert [a.erase for a in play(tool, "press@1,1 move@3,3") if isinstance(a, PaintTo)] == [False, False]


SQUARE = "press@10,10 release@10,10 press@30,10 release@30,10 press@30,30 release@30,30 "
CORNERS = (Point(10, 10), Point(30, 10), Point(30, 30))


def test_double_click_closes_the_polygon_at_its_last_corner() -> None:
    actions = play(PolygonTool(), SQUARE + "press@10,30 release@10,30 double@10,30 release@10,30")
    assert [a for a in actions if isinstance(a, Polygon)] == [Polygon((*CORNERS, Point(10, 30)))]


def test_click_on_the_first_corner_closes() -> None:
    tool = PolygonTool()
    actions = play(tool, SQUARE + "press@12,12 release@12,12")
    assert [a for a in actions if isinstance(a, Polygon)] == [Polygon(CORNERS)]
    assert tool.outline == ()
    assert play(tool, "double@12,12") == []  # the same hand, a little too fast


def test_click_near_but_not_on_the_first_corner_is_a_corner() -> None:
    tool = PolygonTool()
    play(tool, SQUARE + "press@13,13")
    assert tool.outline[:4] == (*CORNERS, (13, 13))


def test_two_corners_do_not_close() -> None:
    tool = PolygonTool()
    assert Polygon not in map(type, play(tool, "press@10,10 press@30,10 double@30,10 press@10,10"))
    assert len(tool.outline) == 4  # three corners, the third on the first, and the pointer


def test_right_click_and_step_back_remove_the_last_corner() -> None:
    tool = PolygonTool()
    play(tool, SQUARE + "Press@0,0")
    assert tool.outline[:-1] == CORNERS[:2]
    assert tool.step_back() and tool.step_back()
    assert not tool.step_back() and tool.outline == ()


def test_outline_follows_the_pointer() -> None:
    tool = PolygonTool()
    assert play(tool, "move@5,5") == [] and tool.outline == ()
    play(tool, "press@10,10 move@20,15")
    assert tool.outline == ((10, 10), (20, 15))


def test_escape_discards_the_polygon() -> None:
    tool = PolygonTool()
    assert play(tool, SQUARE + "cancel@0,0")[-1] == OutlineChanged()
    assert tool.outline == ()
    assert play(tool, "cancel@0,0") == []


def test_tools_are_named_as_they_are_listed() -> None:
    assert [tool.name for tool in make_tools().values()] == [
        "click", "scribble", "box", "brush", "eraser", "polygon", "lasso", "fill", "region",
    ]  # fmt: skip
    assert all(name == tool.name for name, tool in make_tools().items())


def test_lasso_closes_at_its_end_and_erases_with_the_right_button() -> None:
    tool = LassoTool()
    corners = (Point(1, 1), Point(9, 1), Point(9, 9))
    assert play(tool, "press@1,1 move@9,1 release@9,9")[-1] == Polygon(corners)
    assert play(tool, "Press@1,1 move@9,1 Release@9,9")[-1] == Polygon(corners, erase=True)
    assert play(tool, "press@1,1 release@2,2") == [OutlineChanged()] * 2, "two points enclose nothing"
    assert play(tool, "press@1,1 move@9,1 cancel@0,0 release@9,9") == [OutlineChanged()] * 3


def test_box_and_region_are_dragged_from_any_corner() -> None:
    script = "press@9,2 move@5,5 release@1,8"
    assert play(RectangleTool("box"), script)[-1] == Box(1, 2, 9, 8)
    assert play(RectangleTool("region"), script)[-1] == RegionDrawn(Point(9, 2), Point(1, 8))
    assert play(RectangleTool("box"), "press@9,2 release@8,8")[-1] == OutlineChanged(), "a slip"
    tool = RectangleTool("box")
    play(tool, "press@9,2 move@5,5")
    assert tool.outline == ((9, 2), (5, 2), (5, 5), (9, 5))


def test_fill_acts_at_once() -> None:
    actions = play(FillTool(), "move@1,1 press@2,3 release@2,3 Press@4,5 Release@4,5")
    assert actions == [Fill(Point(2, 3), False), Fill(Point(4, 5), True)]
