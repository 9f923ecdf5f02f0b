"""File, Merge another project: the dialog worked as a person would."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest

from gui.merge_dialog import MergeDialog
from storage.frame_source import open_source
from storage.project_parts import ObjectInfo
from storage.workspace import Workspace
from tests.gui.driver import Driver, area
from tests.gui.test_object_window import press
from tests.synthetic import SyntheticVideo


@pytest.fixture
def other(synthetic_folder: Path, synthetic_video: SyntheticVideo, tmp_path: Path) -> Path:
    """Somebody else's project: three objects on every frame."""
    workspace = Workspace.open(open_source(synthetic_folder), tmp_path / "theirs.masks")
    workspace.project.objects = [ObjectInfo(1, "disc"), ObjectInfo(2, "box"), ObjectInfo(3, "bar")]
    for frame, mask in enumerate(synthetic_video.masks):
        workspace.masks.set(frame, mask)
    workspace.close()
    return workspace.folder


def shown(driver: Driver) -> MergeDialog:
    merges = driver.window.controller.merges
    driver.wait(lambda: merges.dialog is not None and merges.dialog.isVisible())
    assert merges.dialog is not None
    return merges.dialog


def test_another_project_is_merged_in_one_step(
    opened: Driver, other: Path, synthetic_video: SyntheticVideo
) -> None:
    session = opened.session
    press(opened, "object.add")
    session.rename_object(1, "disc")
    mask = np.zeros(session.frames.size, np.uint8)
    mask[:5, :5] = 1
    session.import_masks({3: mask})
    opened.wait_idle()
    opened.dialogs.folder = other
    press(opened, "file.merge")
    dialog = shown(opened)
    assert dialog.table.topLevelItemCount() == 3 and dialog.boxes[1].currentText() == "disc"
    box = dialog.boxes[3]
    box.setCurrentIndex(box.findText("Leave out"))
    dialog.first.setValue(9)
    dialog.last.setValue(2)
    assert not dialog.import_button.isEnabled(), "the last frame lies before the first"
    dialog.first.setValue(2)
    dialog.last.setValue(6)
    assert "one of these frames something is locked" in dialog.hint.text()
    QTest.mouseClick(dialog.import_button, Qt.LeftButton)
    opened.wait_idle()
    assert session.masks.frames() == [2, 3, 4, 5, 6] and session.objects.order == (1, 2)
    theirs = synthetic_video.masks[4]
    assert np.array_equal(opened.mask(4) == 1, theirs == 1) and np.array_equal(opened.mask(4) == 2, theirs == 2)
    assert area(opened.mask(3), 1) == 25 and area(opened.mask(3), 2) == area(synthetic_video.masks[3], 2)
    source = session.provenance.on(4, 2)
    assert source is not None and source.origin == str(other)
    assert "5 frames, 5 changed. On 1 frame something is locked" in opened.window.hint_label.full_text
    press(opened, "edit.undo")
    opened.wait_idle()
    assert session.masks.frames() == [3] and session.objects.order == (1,)


def test_what_cannot_be_merged_is_told(opened: Driver, tmp_path: Path) -> None:
    opened.dialogs.folder = None
    press(opened, "file.merge")
    assert opened.window.controller.merges.dialog is None, "nothing was chosen"
    opened.dialogs.folder = opened.session.workspace.folder
    press(opened, "file.merge")
    opened.wait(lambda: opened.dialogs.errors)
    assert "in use" in opened.dialogs.errors[0].message
    opened.dialogs.folder = tmp_path
    press(opened, "file.import_masks")
    opened.wait(lambda: len(opened.dialogs.errors) == 2)
