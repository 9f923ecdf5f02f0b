"""Folders of RVOS: read as its program reads them, refused when they are damaged, another's, or made to attack."""
from __future__ import annotations

import argparse
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model import checksums, zoo
from model.rvos_folder import load_rvos, load_settings
from model.weight_intake import install, verify
from model.zoo import WeightFile
from tests.rvos_folders import SMALL, shrink_base, write_rvos_folder
from util.errors import AppError


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink_base(monkeypatch)


class Attack:
    """Unpickled carelessly, this creates a folder."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.target),)


def write_settings(folder: Path, **changes: object) -> None:
    stored = {**vars(SMALL), **changes}
    stored = {name: value for name, value in stored.items() if value is not None}
    (folder / "args.pkl").write_bytes(pickle.dumps(argparse.Namespace(**stored)))


@pytest.mark.parametrize("takes_mask", [False, True])
def test_a_folder_as_its_training_saves_it(tmp_path: Path, takes_mask: bool) -> None:
    written = write_rvos_folder(tmp_path, takes_mask=takes_mask)
    loaded = load_rvos(tmp_path, takes_mask=takes_mask)
    assert loaded.settings == SMALL and not loaded.training
    state = loaded.state_dict()
    assert all(torch.equal(state[key], tensor) for key, tensor in written.state_dict().items())


def test_prefixes_and_the_stop_branch_are_left_out(tmp_path: Path) -> None:
    """Several GPUs put `module.` before every key; an older decoder had a branch that said when to stop."""
    written = write_rvos_folder(tmp_path, takes_mask=True)
    for name, extra in (("encoder.pt", {}), ("decoder.pt", {"fc_stop.weight": torch.ones(1, 8)})):
        state = {**torch.load(tmp_path / name, weights_only=True), **extra}
        torch.save({f"module.{key}": tensor for key, tensor in state.items()}, tmp_path / name)
    (tmp_path / "enc_opt.pt").write_bytes(b"never opened")
    state = load_rvos(tmp_path, takes_mask=True).state_dict()
    assert state.keys() == written.state_dict().keys()
    assert all(torch.equal(state[key], tensor) for key, tensor in written.state_dict().items())


@pytest.mark.parametrize(("takes_mask", "message"), [(True, "cannot carry given masks"), (False, "find objects by it")])
def test_the_other_decoder_is_called_by_name(tmp_path: Path, takes_mask: bool, message: str) -> None:
    write_rvos_folder(tmp_path, takes_mask=not takes_mask)
    with pytest.raises(AppError, match=message):
        load_rvos(tmp_path, takes_mask=takes_mask)


def test_a_hostile_pickle_runs_nothing(tmp_path: Path) -> None:
    folder, target = tmp_path / "rvos", tmp_path / "attacked"
    for name in ("args.pkl", "encoder.pt", "decoder.pt"):
        write_rvos_folder(folder, takes_mask=True)
        content = argparse.Namespace(**vars(SMALL), attack=Attack(target))
        (folder / name).write_bytes(pickle.dumps(content))
        with pytest.raises(AppError, match=name):
            load_rvos(folder, takes_mask=True)
        torch.save({"attack": Attack(target)}, folder / name)
        with pytest.raises(AppError, match=name):
            load_rvos(folder, takes_mask=True)
    assert not target.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 1 << 30}, "hidden_size is 1073741824; it is a number from 8 to 512"),
        ({"hidden_size": True}, "hidden_size is True"),
        ({"kernel_size": 4}, "kernel_size is 4; it is a number from 1 to 7"),
        ({"skip_mode": ["concat"]}, "skip_mode is list; known are concat, sum, mul, none"),
        ({"base_model": "resnet1001"}, "base_model is 'resnet1001'; known are"),
        ({"only_temporal": "yes"}, "only_temporal is 'yes'; it is yes or no"),
        ({"hidden_size": None, "skip_mode": None}, "says nothing of hidden_size, skip_mode"),
        ({"maxseqlen": 10**9}, "maxseqlen is 1000000000"),
    ],
)
def test_settings_that_no_training_has(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    write_settings(tmp_path, **changes)
    with pytest.raises(AppError, match=rf"args\.pkl.*{message}"):
        load_settings(tmp_path / "args.pkl")


def test_tensors_that_do_not_fit_the_settings(tmp_path: Path) -> None:
    write_rvos_folder(tmp_path, takes_mask=True)
    write_settings(tmp_path, hidden_size=24)
    with pytest.raises(AppError, match=r"decoder\.pt does not hold"):
        load_rvos(tmp_path, takes_mask=True)
    write_settings(tmp_path, base_model="resnet50")
    with pytest.raises(AppError, match=r"encoder\.pt does not hold"):
        load_rvos(tmp_path, takes_mask=True)


@pytest.mark.parametrize("name", ["encoder.pt", "decoder.pt", "args.pkl"])
def test_a_missing_or_cut_file_is_named(tmp_path: Path, name: str) -> None:
    write_rvos_folder(tmp_path, takes_mask=True)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AppError, match=name):
        load_rvos(tmp_path, takes_mask=True)
    (tmp_path / name).unlink()
    with pytest.raises(AppError, match=f"{name} is not in it"):
        zoo.resolve("rvos", tmp_path)


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WeightFile:
    """The table's row, in a `saves/` of its own."""
    saves = tmp_path / "saves"
    (saves / ".unfinished").mkdir(parents=True)
    row = zoo.find("rvos")
    made = WeightFile(row.name, row.title, saves / "rvos", row.used_for, row.network, parts=row.parts)
    monkeypatch.setattr(zoo, "SAVES", saves)
    monkeypatch.setattr(zoo, "WEIGHT_FILES", (made,))
    return made


def zipped(folder: Path, target: Path, prefix: str = "one-shot-model/") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{prefix}{file.name}")
    return target


def test_a_published_zip_file_becomes_the_folder(entry: WeightFile, tmp_path: Path) -> None:
    write_rvos_folder(tmp_path / "made", takes_mask=True)
    (tmp_path / "made" / "enc_opt.pt").write_bytes(b"not wanted")
    archive = zipped(tmp_path / "made", entry.path.parent / ".unfinished" / "rvos")
    assert not entry.is_present and entry.num_bytes is None
    install(entry, archive)
    assert entry.is_present and (entry.num_bytes or 0) > 1000
    assert {file.name for file in entry.path.iterdir()} == {*entry.parts, "checksums.json"}
    assert verify(entry) == "as recorded"
    load_rvos(entry.path, takes_mask=True)
    assert list(archive.parent.iterdir()) == [archive]
    # Another file under the same name is noticed, whichever of the parts it is.
    write_rvos_folder(tmp_path / "made", takes_mask=True, seed=1)
    with pytest.raises(AppError, match="is not the file that was first used"):
        install(entry, zipped(tmp_path / "made", archive))
    write_rvos_folder(entry.path, takes_mask=True, seed=1)
    with pytest.raises(AppError, match="has changed since it was first used"):
        load_rvos(entry.path, takes_mask=True)


def test_a_folder_put_in_place_is_recorded_when_it_first_loads(entry: WeightFile) -> None:
    write_rvos_folder(entry.path, takes_mask=True)
    load_rvos(zoo.resolve("rvos"), takes_mask=True)
    assert all(checksums.recorded(file) is not None for file in entry.files)


@pytest.mark.parametrize("names", [("encoder.pt",), ("a/args.pkl", "b/args.pkl"), ("../args.pkl",)])
def test_an_archive_with_other_files_is_refused(entry: WeightFile, tmp_path: Path, names: tuple[str, ...]) -> None:
    archive = entry.path.parent / ".unfinished" / "rvos"
    with zipfile.ZipFile(archive, "w") as opened:
        for name in names:
            opened.writestr(name, b"x")
    with pytest.raises(AppError, match="holds no|holds 2 files called"):
        install(entry, archive)
    assert not entry.path.exists() and list(archive.parent.iterdir()) == [archive]


def test_no_archive_or_one_that_is_cut_is_refused(entry: WeightFile, tmp_path: Path) -> None:
    write_rvos_folder(tmp_path / "made", takes_mask=True)
    archive = zipped(tmp_path / "made", entry.path.parent / ".unfinished" / "rvos")
    whole = archive.read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole[:500] + bytes(40) + whole[540:]):
        archive.write_bytes(content)
        with pytest.raises(AppError, match="is no weight file or is incomplete"):
            install(entry, archive)
    assert not entry.path.exists()
