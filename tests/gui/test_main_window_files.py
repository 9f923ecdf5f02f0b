"""The window and files: saved and resumed, masks in and out, and what happens when something cannot be saved."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from storage.mask_io import read_mask
from tests.gui.conftest import Start
from tests.gui.driver import Driver
from tests.synthetic import SyntheticVideo


def test_the_window_comes_back_where_it_was(start: Start) -> None:
    first = start()
    first.window.resize(1301, 777)
    size = first.window.size()
    first.close()
    again = start(resize=False)
    assert again.window.size() == size and size.height() == 777


def test_work_is_saved_and_resumed(opened: Driver, start: Start, synthetic_folder: Path) -> None:
    opened.trigger("tool.brush")
    opened.window.controller.edit.seek(3)
    opened.wait_open()
    opened.click(30, 30)
    opened.session.rename_object(1, "disc")
    opened.wait(lambda: opened.window.saved_label.text().startswith("✔ saved ")
                and not opened.session.masks.has_unsaved)
    painted = opened.mask().copy()
    saved = read_mask(synthetic_folder.with_name("synthetic.masks") / "masks" / "00003.png")
    assert np.array_equal(saved, painted) and painted.any()
    opened.close()
    again = start("--images", synthetic_folder)
    again.wait_open()
    again.wait_idle()
    assert again.session.frame == 3 and again.session.objects.name(1) == "disc"
    assert np.array_equal(again.mask(), painted) and again.session.key_frames.on(3) == {1}
    rows = again.window.object_panel.model.rows
    assert [(row.name, row.is_key) for row in rows] == [("disc", True)] and 0 < rows[0].coverage < 0.2


def test_num_objects_and_masks_by_flag(
    start: Start, synthetic_folder: Path, synthetic_video: SyntheticVideo, tmp_path: Path
) -> None:
    masks = synthetic_video.write_masks(tmp_path / "given")
    driver = start("--images", synthetic_folder, "--masks", masks / "00000.png", "--num_objects", 4)
    driver.wait_open()
    driver.wait_idle()
    assert driver.session.objects.order == (1, 2, 3, 4) and driver.session.objects.selected == 1
    assert np.array_equal(driver.mask(0), synthetic_video.masks[0])
    driver.close()
    again = start("--images", synthetic_folder, "--masks", masks)
    again.wait_open()
    again.wait_idle()
    assert "was not loaded" in again.window.hint_label.full_text
    assert list(again.session.key_frames) == [0]


def test_importing_masks_of_another_size_is_refused(opened: Driver, tmp_path: Path) -> None:
    from storage.mask_io import write_mask

    folder = tmp_path / "wrong"
    folder.mkdir()
    write_mask(folder / "00002.png", np.ones((64, 97), np.uint8))
    opened.dialogs.folder = folder
    opened.trigger("file.import_masks")
    opened.wait(lambda: opened.dialogs.errors)
    assert "00002.png" in opened.dialogs.errors[0].message
    assert opened.session.objects.order == ()


def test_masks_are_exported_for_every_frame(opened: Driver, tmp_path: Path) -> None:
    opened.trigger("tool.brush")
    opened.click(30, 30)
    target = tmp_path / "out"
    target.mkdir()
    opened.export(target)
    opened.wait_idle()
    assert sorted(path.name for path in target.iterdir()) == [f"{frame:05d}.png" for frame in range(12)]
    assert np.array_equal(read_mask(target / "00000.png"), opened.mask(0))
    assert not read_mask(target / "00011.png").any()
    opened.dialogs.says_yes = False
    (target / "00000.png").write_bytes(b"mine")
    opened.export(target)
    opened.wait_idle()
    assert len(opened.dialogs.questions) == 1 and (target / "00000.png").read_bytes() == b"mine"


def test_exporting_onto_the_workspaces_own_masks_is_refused(opened: Driver) -> None:
    opened.trigger("object.add")
    opened.export(opened.session.masks.folder)
    assert "workspace keeps its masks" in opened.dialogs.errors[0].message


def test_about_names_keys_and_the_workspace(opened: Driver) -> None:
    opened.trigger("help.about")
    assert str(opened.session.workspace.folder) in opened.dialogs.texts[0]


def test_an_unsaved_mask_keeps_the_window_open_unless_told(opened: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    from util.errors import AppError

    def fail() -> None:
        raise AppError("00000.png cannot be saved: the disk is full.")

    workspace, close = opened.session.workspace, opened.session.workspace.close
    monkeypatch.setattr(workspace, "close", fail)
    opened.dialogs.says_yes = False
    opened.window.close()
    opened.wait(lambda: opened.dialogs.questions)
    assert "disk is full" in opened.dialogs.questions[0] and opened.window.isVisible()
    opened.trigger("object.add")
    assert opened.session.objects.order == (1,), "work goes on"
    opened.dialogs.says_yes = True
    opened.close()
    close()  # the lock, which a process that ends lets go of by itself
