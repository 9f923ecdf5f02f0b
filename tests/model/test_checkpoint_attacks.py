"""Files made to attack, files that lie about their contents, settings in pickles, and PyTorch's oldest format."""
from __future__ import annotations

import argparse
import io
import os
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from model.checkpoint import load_checkpoint, load_into, load_state
from model.checkpoint_file import read_settings
from util.errors import AppError
from util.process_memory import peak_bytes

STATE = {"weight": torch.arange(6.0).view(2, 3), "bias": torch.ones(2)}


class Attack:
    """Unpickled carelessly, this creates a folder."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.target),)


def repack(path: Path, change: Callable[[str, bytes], bytes], compression: int = zipfile.ZIP_STORED) -> None:
    """Write a zip file anew with other contents."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, change(name, content))


def test_a_packed_zip_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    torch.save({"weight": torch.ones(2)}, path)
    repack(path, lambda name, content: bytes(1 << 24) if "data/" in name else content, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 16
    with pytest.raises(AppError, match=r"bomb\.pth is no weight file: what is packed in it is larger"):
        load_state(path)


def test_a_storage_smaller_than_claimed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lie.pth"
    torch.save({"weight": torch.ones(1000, 100)}, path)
    repack(path, lambda name, content: content[:400] if name.endswith("data/0") else content)
    with pytest.raises(AppError, match=r"lie\.pth"):
        load_state(path)


@pytest.mark.parametrize("shape", [(1 << 20, 1 << 20), (1 << 40,)])
def test_a_huge_shape_without_memory_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "huge.pth"
    torch.save({"weight": torch.zeros(()).expand(shape)}, path)
    with pytest.raises(AppError, match=r"huge\.pth claims tensors that are larger"):
        load_state(path)


@pytest.mark.filterwarnings("ignore:Validating sparse tensor")
@pytest.mark.parametrize("tensor", [torch.eye(3).to_sparse(), torch.empty(3, device="meta")])
def test_tensors_of_another_kind_are_refused(tmp_path: Path, tensor: Tensor) -> None:
    path = tmp_path / "kind.pth"
    torch.save({"weight": tensor}, path)
    with pytest.raises(AppError, match=r"kind\.pth holds sparse, quantized or empty tensors"):
        load_state(path)


def test_a_huge_safetensors_shape_is_refused(tmp_path: Path) -> None:
    header = b'{"weight":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    path = tmp_path / "huge.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    with pytest.raises(AppError, match=r"huge\.safetensors is no weight file or is incomplete"):
        load_state(path)


@pytest.mark.parametrize("dtype", [torch.int8, torch.bool, torch.int64])
def test_tensors_of_another_type_are_refused(tmp_path: Path, dtype: torch.dtype) -> None:
    state = {key: tensor.to(dtype) for key, tensor in STATE.items()}
    with pytest.raises(AppError, match=r"a\.pth: weight holds torch.\w+, not torch.float32"):
        load_into(nn.Linear(3, 2), state, tmp_path / "a.pth")


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="weight holds torch.complex64"):
        load_into(nn.Linear(3, 2), {key: tensor.cfloat() for key, tensor in STATE.items()}, tmp_path / "a.pth")


def test_counters_may_be_missing_and_extras_only_where_allowed(tmp_path: Path) -> None:
    state = {key: tensor for key, tensor in nn.BatchNorm2d(2).state_dict().items() if "tracked" not in key}
    load_into(nn.BatchNorm2d(2), state, tmp_path / "a.pth")
    state["aspp_dropout"] = torch.ones(())
    load_into(nn.BatchNorm2d(2), state, tmp_path / "a.pth", may_have=("aspp_dropout",))
    load_into(nn.BatchNorm2d(2), state, tmp_path / "a.pth", may_have=None)
    with pytest.raises(AppError, match="unexpected aspp_dropout"):
        load_into(nn.BatchNorm2d(2), state, tmp_path / "a.pth")
    del state["weight"]
    with pytest.raises(AppError, match="missing weight"):
        load_into(nn.BatchNorm2d(2), state, tmp_path / "a.pth", may_have=None)


def test_config_and_list_come_out_as_data(tmp_path: Path) -> None:
    config = {"class": "os.system", "params": {"width": {"type": "builtin", "value": 18, "specified": True}}}
    path = tmp_path / "ritm.pth"
    torch.save({"config": config, "state_dict": STATE}, path)
    (network,) = load_checkpoint(path)
    assert network.config == config and network.wrapping == ("state_dict",)
    torch.save([{"config": {**config, "step": step}, "state_dict": STATE} for step in range(3)], path)
    assert [network.config["step"] for network in load_checkpoint(path)] == [0, 1, 2]
    with pytest.raises(AppError, match="holds 3 networks; one is needed"):
        load_state(path)


def test_an_optimiser_beside_the_network_stays_behind(tmp_path: Path) -> None:
    path = tmp_path / "afb.pth"
    torch.save({"epoch": 3, "model": STATE, "optimizer": {"state": {0: torch.ones(2)}}, "loss": 0.5, "seed": 1}, path)
    (network,) = load_checkpoint(path)
    assert network.state.keys() == STATE.keys()
    assert network.extras == {"epoch": 3, "loss": 0.5, "seed": 1}


def test_endless_data_beside_the_network_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    doubled: list[object] = ["ha"]
    for _ in range(60):
        doubled = [doubled, doubled]
    endless: list[object] = []
    endless.append(endless)
    torch.save({"model": STATE, "doubled": doubled, "endless": endless, "epoch": 3}, path)
    (network,) = load_checkpoint(path)
    assert network.extras == {"epoch": 3}


def test_settings_of_a_training_program(tmp_path: Path) -> None:
    path = tmp_path / "args.pkl"
    path.write_bytes(pickle.dumps(argparse.Namespace(base_model="resnet101", hidden_size=128, skip=None)))
    assert read_settings(path) == {"base_model": "resnet101", "hidden_size": 128, "skip": None}


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_settings_that_attack(tmp_path: Path, protocol: int) -> None:
    target, path = tmp_path / "attacked", tmp_path / "args.pkl"
    path.write_bytes(pickle.dumps(argparse.Namespace(a=Attack(target)), protocol))
    with pytest.raises(AppError, match=r"args\.pkl was not read: it asks for \w+\.\w+"):
        read_settings(path)
    assert not target.exists()


def test_a_memo_number_reserves_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "args.pkl"
    path.write_bytes(b"\x80\x02}r\xff\xff\xff\x7f.")  # an empty dict, remembered as number 2147483647
    before = peak_bytes() or 0
    assert read_settings(path) == {}
    assert (peak_bytes() or 0) - before < 1 << 28


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04N.", pickle.dumps([1, 2]), pickle.dumps({"a": 1})[:-3], bytes(2 << 20)]
)
def test_no_settings(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "args.pkl"
    path.write_bytes(content)
    with pytest.raises(AppError, match=r"args\.pkl"):
        read_settings(path)


class OldPickler(pickle.Pickler):
    """Names tensors by number, as PyTorch 0.1 did."""

    def persistent_id(self, obj: object) -> str | None:
        return str(id(obj)) if isinstance(obj, Tensor) else None


class Renamed:
    """Stands for a class that is pickled by another name."""


def old_tar(state: object, tensors: dict[str, Tensor], cut: int = 0) -> bytes:
    """The tar format of PyTorch before 0.1.10, written as that version did."""
    storages, layouts, names = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pickle.dump(len(tensors), storages, 2)
    pickle.dump(len(tensors), layouts, 2)
    for number, tensor in enumerate(tensors.values(), 1):
        storages.write(_by_name((number, "cpu"), "torch", "FloatStorage"))
        storages.write(struct.pack("<q", tensor.numel()) + tensor.numpy().tobytes())
        layouts.write(_by_name((id(tensor), number), "torch", "FloatTensor"))
        layouts.write(struct.pack("<i4x", tensor.dim()))
        layouts.write(struct.pack(f"<{2 * tensor.dim() + 1}q", *tensor.shape, *tensor.stride(), 0))
    pickle.dump([], storages, 2)
    OldPickler(names, 2).dump(state)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.PAX_FORMAT) as tar:
        for name, part in (("storages", storages), ("tensors", layouts), ("pickle", names)):
            content = part.getvalue()[: -cut or None]
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def _by_name(numbers: tuple[object, ...], module: str, name: str) -> bytes:
    """A pickled tuple that ends with a class this process need not have."""
    head = b"".join(pickle.dumps(number, 2)[2:-1] for number in numbers)
    return b"\x80\x02(" + head + f"c{module}\n{name}\n".encode() + b"t."


def test_the_oldest_format(tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    path.write_bytes(old_tar(OrderedDict(STATE), STATE))
    loaded = load_state(path)
    assert loaded.keys() == STATE.keys()
    assert all(torch.equal(loaded[key], STATE[key]) for key in STATE)


def test_the_oldest_format_damaged_or_hostile(tmp_path: Path) -> None:
    target, path = tmp_path / "attacked", tmp_path / "old.pth"
    path.write_bytes(old_tar({**STATE, "attack": Attack(target)}, STATE))
    with pytest.raises(AppError, match="holds more than tensors"):
        load_state(path)
    assert not target.exists()
    path.write_bytes(old_tar(OrderedDict(STATE), STATE, cut=20))
    with pytest.raises(AppError, match=r"old\.pth is no weight file or is incomplete"):
        load_state(path)
    whole = old_tar(OrderedDict(STATE), STATE)
    path.write_bytes(whole[: len(whole) // 4])
    with pytest.raises(AppError, match=r"old\.pth is no weight file or is incomplete"):
        load_state(path)
    true, false = struct.pack("<3q", 2, 1, 0), struct.pack("<3q", 9, 1, 0)
    assert whole.count(true) == 1
    path.write_bytes(whole.replace(true, false))
    with pytest.raises(AppError, match=r"old\.pth is no weight file .*out of bounds"):
        load_state(path)
