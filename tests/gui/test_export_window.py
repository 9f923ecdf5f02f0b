"""The export and import dialogs, worked as a person would."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest

from gui.export_dialog import ExportDialog
from gui.import_dialog import ImportDialog
from gui.matte_preview import matte
from storage.exchange.alpha import soft_alpha
from storage.exchange.export_run import Progress
from storage.exchange.formats import BY_NAME, FORMATS
from storage.exchange.index_png import IndexPng
from storage.exchange.material import Edge
from storage.mask_io import write_mask
from storage.video_codec import ProRes4444
from tests.gui.driver import Driver, area
from tests.synthetic import SyntheticVideo


@pytest.fixture
def marked(opened: Driver, synthetic_video: SyntheticVideo) -> Driver:
    """Three objects on every frame, the second called box."""
    opened.session.import_masks(dict(enumerate(synthetic_video.masks)))
    opened.wait_idle()
    opened.session.rename_object(2, "box")
    opened.session.set_category(2, "thing")
    return opened


def export_dialog(driver: Driver, action_id: str = "file.export_masks") -> ExportDialog:
    driver.trigger(action_id)
    dialog = driver.window.controller.exports.dialog
    assert dialog is not None and dialog.isVisible()
    return dialog


def import_dialog(driver: Driver) -> ImportDialog:
    imports = driver.window.controller.imports
    driver.wait(lambda: imports.dialog is not None and imports.dialog.isVisible())
    assert imports.dialog is not None
    return imports.dialog


def test_every_format_is_in_the_list_and_the_report_is_shown(marked: Driver, tmp_path: Path) -> None:
    dialog = export_dialog(marked)
    assert dialog.formats.count() == len(FORMATS) and dialog.fmt.name == "index-png"
    assert dialog.target.text() == str(dialog.proposal) and dialog.proposal.name == "synthetic_index_png"
    dialog.choose("coco")
    assert dialog.proposal.name == "synthetic_coco" and dialog.with_frames.isEnabled()
    assert not dialog.feather.isEnabled()
    dialog.first.setValue(3)
    dialog.last.setValue(5)
    row = next(i for i in range(3) if dialog.objects.item(i).data(Qt.UserRole) == 3)
    dialog.objects.item(row).setCheckState(Qt.Unchecked)
    dialog.set_target(tmp_path / "coco")
    QTest.mouseClick(dialog.start, Qt.LeftButton)
    assert not dialog.start.isEnabled() and marked.is_enabled("file.cancel_export")
    marked.wait_idle()
    text = dialog.report.toPlainText()
    assert "3 frames (00003 to 00005)" in text and "box, class thing, on 3 of 3" in text and "is right" in text
    assert dialog.start.isEnabled() and str(tmp_path / "coco") in dialog.bar.note.text()
    content = json.loads((tmp_path / "coco" / "annotations.json").read_text())
    assert len(content["images"]) == 3 and {entry["track_id"] for entry in content["annotations"]} == {1, 2}
    assert marked.dialogs.errors == []


def test_a_soft_edge_is_seen_before_it_is_written(marked: Driver) -> None:
    canvas = marked.window.canvas
    dialog = export_dialog(marked)
    assert not canvas.picture.has_matte, "an index PNG has no soft edge"
    dialog.choose("rgba")
    assert canvas.picture.has_matte and "as exported" in canvas._caption

    def alpha() -> np.ndarray:
        assert canvas.picture._matte is not None
        return canvas.picture._matte

    usual = alpha().astype(int)
    dialog.grow.setValue(4)
    assert alpha().sum() > usual.sum() and (alpha() >= usual - 1).all()
    dialog.grow.setValue(0)
    dialog.feather.setValue(5)
    assert len(np.unique(alpha())) > len(np.unique(usual)), "softer"
    dialog.leave_out(dialog.wish.object_ids)
    assert not alpha().any()
    marked.trigger("frame.next")
    marked.wait_idle()
    assert canvas.picture.has_matte, "another frame has its own"
    dialog.preview.click()
    assert not canvas.picture.has_matte
    dialog.preview.click()
    assert canvas.picture.has_matte
    dialog.close()
    assert not canvas.picture.has_matte and np.array_equal(marked.mask(), marked.session.masks.get(1))


def test_a_matte_is_what_the_export_writes(marked: Driver) -> None:
    mask = marked.mask()
    for edge in (Edge(0.8, 0), Edge(3, 5), Edge(0, -2)):
        assert np.array_equal(matte(mask, {1}, edge), (soft_alpha(mask == 1, edge) >> 8).astype(np.uint8))
    assert not matte(mask, (), Edge()).any()


def test_the_marked_range_is_proposed_and_nonsense_is_grey(marked: Driver) -> None:
    marked.window.controller.edit.seek(4)
    marked.trigger("range.first")
    dialog = export_dialog(marked)
    assert dialog.wish.frames == range(4, 12) and dialog.start.isEnabled()
    dialog.last.setValue(2)
    assert not dialog.start.isEnabled() and "before the first" in dialog.start.toolTip()
    dialog.last.setValue(6)
    for row in range(3):
        dialog.objects.item(row).setCheckState(Qt.Unchecked)
    assert not dialog.start.isEnabled() and "at least one object" in dialog.start.toolTip()


def test_a_format_that_cannot_be_written_is_grey_with_the_reason(
    marked: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProRes4444, "_ENCODER", "prores_none")
    dialog = export_dialog(marked)
    item = next(dialog.formats.item(i) for i in range(len(FORMATS))
                if dialog.formats.item(i).data(Qt.UserRole) == "prores4444")
    assert not item.flags() & Qt.ItemIsEnabled and "no ProRes 4444 encoder" in item.toolTip()
    dialog.choose("prores4444")
    assert dialog.fmt.name == "index-png"


def test_the_overlay_action_chooses_the_overlay(marked: Driver, tmp_path: Path) -> None:
    marked.session.objects.show_only(hidden=[2])
    dialog = export_dialog(marked, "file.export_overlay")
    assert dialog.wish.object_ids == (1, 3), "what is not drawn is left out"
    assert dialog.fmt.name == "overlay-video" and dialog.proposal.suffix == ".mp4"
    marked.dialogs.save = tmp_path / "a.mp4"
    QTest.mouseClick(dialog.browse, Qt.LeftButton)
    assert dialog.target.text() == str(tmp_path / "a.mp4")
    dialog.choose("rgba")
    assert dialog.wish.target == dialog.proposal, "a video's name is no folder's"
    marked.dialogs.folder = tmp_path
    QTest.mouseClick(dialog.browse, Qt.LeftButton)
    assert dialog.wish.target == tmp_path / "synthetic_rgba", "tmp_path holds something"


def test_cancelling_from_the_dialog_leaves_nothing(marked: Driver, tmp_path: Path) -> None:
    dialog = marked.export(tmp_path / "out", "rgba")
    QTest.mouseClick(dialog.bar.cancel_button, Qt.LeftButton)
    marked.wait_idle()
    assert not (tmp_path / "out").exists() and "nothing was written" in dialog.report.toPlainText()


def test_an_export_that_is_not_right_is_told(marked: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IndexPng, "check", lambda self, material, target: iter(["frame 0 is missing"]))
    dialog = marked.export(tmp_path / "out")
    marked.wait_idle()
    assert "WRONG: frame 0 is missing" in dialog.report.toPlainText() and not (tmp_path / "out").exists()
    assert "frame 0 is missing" in marked.dialogs.errors[0].message


def test_painting_while_an_export_runs_does_no_harm(
    marked: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = marked.window.controller.exports
    told = exports._told

    def paint(event: object) -> None:
        if isinstance(event, Progress) and event.done == 12:
            marked.session.clear_frame()
        told(event)  # type: ignore[arg-type]

    monkeypatch.setattr(exports, "_told", paint)
    before = marked.mask(0).copy()
    marked.export(tmp_path / "out")
    marked.wait_idle()
    assert not marked.mask(0).any() and marked.dialogs.errors == []
    assert np.array_equal(IndexPng().open(tmp_path / "out", marked.session.frames).mask(0), before)


def test_another_video_begins_the_dialog_anew(
    marked: Driver, tmp_path: Path, synthetic_video: SyntheticVideo
) -> None:
    dialog = export_dialog(marked)
    dialog.set_target(tmp_path / "out")
    (tmp_path / "short").mkdir()
    for frame in range(3):
        Image.fromarray(synthetic_video.frames[frame]).save(tmp_path / "short" / f"{frame:05d}.png")
    before = marked.session
    marked.window.controller.open(tmp_path / "short")
    marked.wait(lambda: marked.window.controller.video is not None and marked.session is not before)
    marked.wait_idle()
    QTest.mouseClick(dialog.start, Qt.LeftButton)
    assert dialog.objects.count() == 0 and dialog.wish.frames == range(3) and not dialog.start.isEnabled()
    assert not (tmp_path / "out").exists() and not marked.window.controller.exports.is_running


def test_what_is_found_is_mapped_before_it_is_imported(opened: Driver, tmp_path: Path) -> None:
    pixels = np.zeros((65, 97, 3), np.uint8)
    pixels[5:25, 5:25] = (255, 0, 0)
    pixels[30:50, 40:60] = (10, 220, 255)
    pixels[30:50, 70:90] = (255, 255, 255)
    (tmp_path / "given").mkdir()
    for frame in (1, 4):
        Image.fromarray(pixels).save(tmp_path / "given" / f"{frame:05d}.png")
    opened.session.add_object("cat")
    start = opened.session.history.undo_label
    opened.dialogs.folder = tmp_path / "given"
    opened.trigger("file.import_masks")
    dialog = import_dialog(opened)
    rows = [dialog.table.topLevelItem(i) for i in range(dialog.table.topLevelItemCount())]
    assert {row.text(0) for row in rows} == {"#ff0000", "#0adcff", "#ffffff"}
    assert all(row.text(2) == "2" and row.text(3) == "800" for row in rows)
    value_of = {row.text(0): int(row.text(1)) for row in rows}
    red, blue, white = (dialog.boxes[value_of[name]] for name in ("#ff0000", "#0adcff", "#ffffff"))
    assert [box.itemText(box.count() - 1) for box in (red, blue, white)] == ["Leave out"] * 3
    assert red.currentText().startswith("New object")
    red.setCurrentIndex(red.findText("cat"))
    white.setCurrentIndex(white.findText("Leave out"))
    new = int(blue.currentData())
    QTest.mouseClick(dialog.import_button, Qt.LeftButton)
    opened.wait_idle()
    for frame in (1, 4):
        assert area(opened.mask(frame), 1) == 400 and area(opened.mask(frame), new) == 400
        assert set(np.unique(opened.mask(frame))) == {0, 1, new}
        assert opened.session.key_frames.on(frame) == {1, new}
    opened.trigger("edit.undo")
    assert opened.session.history.undo_label == start and not opened.mask(1).any()
    assert opened.session.objects.order == (1,)


def test_a_coco_file_names_its_objects(opened: Driver, marked: Driver, tmp_path: Path) -> None:
    marked.export(tmp_path / "coco", "coco")
    marked.wait_idle()
    content = json.loads((tmp_path / "coco" / "annotations.json").read_text())
    for entry in content["annotations"]:
        entry["name"] = f"new {entry['name']}"
    (tmp_path / "new.json").write_text(json.dumps(content))
    marked.dialogs.masks = tmp_path / "new.json"
    marked.trigger("file.import_file")
    dialog = import_dialog(marked)
    assert sorted(dialog.mapping.values()) == [4, 5, 6]
    for value in (1, 3):
        dialog.boxes[value].setCurrentIndex(dialog.boxes[value].findText("Leave out"))
    QTest.mouseClick(dialog.import_button, Qt.LeftButton)
    marked.wait_idle()
    assert [marked.session.objects.name(i) for i in marked.session.objects.order][-1] == "new box"


def test_nothing_chosen_is_no_import_and_empty_masks_are_refused(opened: Driver, tmp_path: Path) -> None:
    write_mask(tmp_path / "00002.png", np.full((65, 97), 7, np.uint8))
    opened.dialogs.masks = tmp_path / "00002.png"
    opened.trigger("file.import_file")
    dialog = import_dialog(opened)
    assert dialog.mapping == {7: 7}
    dialog.boxes[7].setCurrentIndex(dialog.boxes[7].findText("Leave out"))
    assert not dialog.import_button.isEnabled()
    dialog.reject()
    write_mask(tmp_path / "00003.png", np.zeros((65, 97), np.uint8))
    opened.dialogs.masks = tmp_path / "00003.png"
    opened.trigger("file.import_file")
    opened.wait(lambda: opened.dialogs.errors)
    assert "no object is marked" in opened.dialogs.errors[0].message and opened.session.objects.order == ()


def test_formats_have_short_texts() -> None:
    for fmt in BY_NAME.values():
        assert len(fmt.title) < 34 and len(fmt.about) < 110 and not fmt.about.endswith(".")
