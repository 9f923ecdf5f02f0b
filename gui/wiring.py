"""What triggers what: every signal of the window's parts and every action, in one place. GUI thread."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, get_args

from gui.menus.objects import NUM_SELECT_KEYS
from gui.menus.tools import TOOLS
from inference_core.api import Direction

if TYPE_CHECKING:
    from gui.controller import Controller


def connect_parts(controller: Controller) -> None:
    """The signals of the window's parts."""
    window, edit = controller.window, controller.edit
    window.canvas.pointer.connect(edit.on_pointer)
    window.canvas.view_changed.connect(edit.on_view_changed)
    window.canvas.brush_resized.connect(edit.resize_brush)
    window.canvas.dropped.connect(controller.open)
    window.canvas.key_pressed.connect(edit.held.key_pressed)
    window.canvas.key_released.connect(edit.held.key_released)
    window.canvas.focus_left.connect(edit.held.forget)
    window.canvas.space_tapped.connect(partial(window.actions_by_id.trigger_key, "Space"))
    window.timeline.seek_requested.connect(edit.seek)
    window.timeline.object_clicked.connect(edit.select_object)
    window.object_panel.object_selected.connect(edit.select_object)
    window.tool_panel.brush_size_changed.connect(edit.set_brush_size)
    window.start_page.chosen.connect(controller.open)
    window.recent_menu.aboutToShow.connect(controller.show_recent)


def make_commands(controller: Controller) -> dict[str, Callable[[], object]]:
    """What every action of the table does, by its id."""
    window, edit = controller.window, controller.edit
    commands: dict[str, Callable[[], object]] = {
        "file.open_video": controller.opener.ask_video,
        "file.open_folder": controller.opener.ask_folder,
        "file.open_example": controller.opener.open_example,
        "file.import_masks": controller.imports.ask_folder,
        "file.import_file": controller.imports.ask_file,
        "file.merge": controller.merges.ask,
        "file.export_masks": controller.exports.ask_export_masks,
        "file.export_overlay": controller.exports.ask_export_overlay,
        "file.cancel_export": controller.exports.cancel,
        "file.quit": window.close,
        "edit.undo": lambda: edit.session.undo(),
        "edit.redo": lambda: edit.session.redo(),
        "edit.clear_frame": lambda: edit.session.clear_frame(),
        "object.add": lambda: edit.session.add_object(),
        "object.suggest": controller.suggest.start,
        "object.previous": lambda: edit.select_beside(-1),
        "object.next": lambda: edit.select_beside(1),
        "object.pick": edit.pick_object,
        "edit.copy_previous": lambda: edit.session.copy_from_key(-1),
        "edit.copy_next": lambda: edit.session.copy_from_key(1),
        "tool.keep_others": edit.keep_switches,
        "tool.pressure": edit.keep_pressure,
        "tool.smaller": lambda: edit.resize_brush(-1),
        "tool.larger": lambda: edit.resize_brush(1),
        "play.toggle": edit.toggle_playing,
        "frame.previous": lambda: edit.step(-1),
        "frame.next": lambda: edit.step(1),
        "frame.previous_10": lambda: edit.step(-10),
        "frame.next_10": lambda: edit.step(10),
        "frame.first": lambda: edit.step(-len(edit.session.frames)),
        "frame.last": lambda: edit.step(len(edit.session.frames)),
        "frame.previous_key": lambda: edit.seek_key(-1),
        "frame.next_key": lambda: edit.seek_key(1),
        "range.first": lambda: edit.session.in_out.set_first(edit.session.frame),
        "range.last": lambda: edit.session.in_out.set_last(edit.session.frame),
        "range.clear": lambda: edit.session.in_out.clear(),
        "propagate.only_selected": edit.keep_switches,
        "propagate.stop_at_cuts": edit.keep_switches,
        "propagate.settings": controller.engine.ask_settings,
        "propagate.pause": controller.propagation.toggle_pause,
        "propagate.cancel": controller.cancel_running,
        "region.leave": lambda: edit.session.set_region(None),
        "tool.model": controller.methods.open_list,
        "weights.show": controller.weights.show,
    }
    commands |= controller.objects.commands()
    commands |= controller.review.commands()
    commands |= controller.looks.commands() | controller.help.commands()
    commands |= {f"object.select_{n}": partial(edit.select_object, n) for n in range(1, NUM_SELECT_KEYS + 1)}
    commands |= {f"tool.{name}": partial(edit.choose_tool, name) for name in TOOLS}
    commands |= {f"propagate.{way}": partial(controller.propagation.start, way) for way in get_args(Direction)}
    return commands
