"""Rows of the table of actions. Tools, models and weights."""
from __future__ import annotations

from gui.action_spec import ActionSpec

TOOLS = ("click", "scribble", "box", "brush", "eraser", "polygon", "lasso", "fill", "region")

ROWS: tuple[ActionSpec, ...] = (
    ActionSpec("tool.click", "Click", ("C",), "Click: left adds to the object, right removes from it", "Tools",
               icon="click", group="tool", is_checkable=True, is_checked=True),
    ActionSpec("tool.scribble", "Scribble", ("S",), "Scribble: left over the object, right over what is not",
               "Tools", icon="scribble", group="tool", is_checkable=True),
    ActionSpec("tool.box", "Box", ("X",), "Box: drag it around the whole object", "Tools", icon="box", group="tool",
               is_checkable=True),
    ActionSpec("tool.brush", "Brush", ("D",), "Brush: paint the object, the right button erases", "Tools",
               icon="brush", group="tool", is_checkable=True),
    ActionSpec("tool.eraser", "Eraser", ("E",), "Eraser: rub out the selected object", "Tools", icon="eraser",
               group="tool", is_checkable=True),
    ActionSpec("tool.polygon", "Polygon", ("L",), "Polygon: click the corners, double-click closes it", "Tools",
               icon="polygon", group="tool", is_checkable=True),
    ActionSpec("tool.lasso", "Lasso", ("A",), "Lasso: draw around an area, the right button erases in it", "Tools",
               icon="lasso", group="tool", is_checkable=True),
    ActionSpec("tool.fill", "Fill", ("U",), "Fill: left takes the area under the pointer, right gives it up", "Tools",
               icon="fill", group="tool", is_checkable=True),
    ActionSpec("tool.region", "Local region", ("R",),
               "Local region: drag a rectangle, outside of which prompts and brushes change nothing", "Tools",
               icon="region", group="tool", is_checkable=True),
    ActionSpec("region.leave", "Leave the local region", ("Shift+R",),
               "Let prompts and brushes change the whole frame again; Esc does it too", "Tools",
               needs=("video", "region")),
    ActionSpec("tool.smaller", "Smaller brush", ("[",), "Make brush, eraser and scribble thinner", "Tools",
               separator=True),
    ActionSpec("tool.larger", "Larger brush", ("]",), "Make brush, eraser and scribble thicker", "Tools"),
    ActionSpec("tool.keep_others", "Leave others alone", ("H",),
               "Brush, polygon, lasso and fill leave the pixels of other objects alone", "Tools", is_checkable=True),
    ActionSpec("tool.pressure", "Pen pressure", ("Shift+B",),
               "A pen that presses less paints a thinner line with brush and eraser", "Tools", icon="pen",
               is_checkable=True, is_checked=True),
    ActionSpec("tool.model", "Choose the model…", ("M",),
               "Choose what answers clicks or scribbles; the list is in the tool panel", "Tools", separator=True),
    ActionSpec("weights.show", "Networks and weights…", ("Ctrl+Shift+N",),
               "See which networks' weights are here, and fetch those that are missing", "Tools"),
)
