"""`download_model.py` as it is called, against a local server and a folder of its own in place of saves/."""
from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

import download_model
from model import checksums, zoo
from model.fusion_net import FusionNet
from model.zoo import WeightFile
from tests.weight_server import Page, WeightServer, serve


def fusion_file(seed: int = 0) -> bytes:
    """A file of the fusion network's tensors."""
    torch.manual_seed(seed)
    return save(FusionNet().state_dict())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[WeightServer]:
    """Serves what a table of three entries asks for: `net` with a mirror, `other`, and `own` without an address."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    saves = tmp_path / "saves"
    with serve() as made:
        table = (
            WeightFile("net", "fusion network", saves / "net.pth", "fusion", "fusion",
                       (f"{made.url}/first", f"{made.url}/mirror"), licence="MIT"),
            WeightFile("other", "another one", saves / "other.pth", "clicks", "fusion", (f"{made.url}/other",)),
            WeightFile("own", "its own", saves / "own.pth", "nothing", by_hand="ask its authors"),
        )
        monkeypatch.setattr(zoo, "WEIGHT_FILES", table)
        monkeypatch.setattr(zoo, "SAVES", saves)
        yield made


def place(name: str) -> Path:
    return zoo.find(name).path


def test_by_name_from_the_mirror_and_only_once(server: WeightServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.pages["mirror"] = Page(fusion_file())
    assert download_model.main(["net"]) == 0
    assert capsys.readouterr().out == f"net: {place('net')} from {server.url}/mirror\n"
    assert place("net").read_bytes() == fusion_file()
    assert checksums.recorded(place("net")) == checksums.sha256(place("net"))
    asked = len(server.asked)
    assert download_model.main(["net"]) == 0
    assert "is there already" in capsys.readouterr().out and len(server.asked) == asked


def test_all_goes_on_after_a_failure_and_says_so(server: WeightServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.pages["other"] = Page(fusion_file())
    assert download_model.main(["--all"]) == download_model.EXIT_INPUT
    told = capsys.readouterr()
    assert place("other").is_file() and not place("own").exists()
    assert "net.pth could not be fetched" in told.err and "answers 404" in told.err and "own: " not in told.err


def test_another_networks_file_is_refused(server: WeightServer, capsys: pytest.CaptureFixture[str]) -> None:
    agent = {"encoder_fc1.weight": torch.zeros(128, 2), "lstm_cell.weight_ih": torch.ones(2)}
    server.pages["first"] = Page(save(agent))
    assert download_model.main(["net"]) == download_model.EXIT_INPUT
    assert "it looks like the agent of IVOS-W" in capsys.readouterr().err and not place("net").exists()


def test_a_file_unlike_the_recorded_one_is_refused(server: WeightServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.pages["first"] = Page(fusion_file())
    assert download_model.main(["net"]) == 0
    place("net").unlink()
    server.pages["first"] = Page(fusion_file(1))
    assert download_model.main(["net"]) == download_model.EXIT_INPUT
    assert "its checksum is another one" in capsys.readouterr().err and not place("net").exists()


def test_a_file_fetched_by_hand(server: WeightServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "from-the-browser"
    for seed in (0, 1):  # the second replaces the first, record and all
        file.write_bytes(fusion_file(seed))
        assert download_model.main(["net", "--from", str(file)]) == 0
        assert place("net").read_bytes() == fusion_file(seed)
        assert download_model.main(["--verify"]) == 0
        assert "net.pth is as recorded" in capsys.readouterr().out
    file.write_text("<html>quota</html>")
    assert download_model.main(["net", "--from", str(file)]) == download_model.EXIT_INPUT
    assert "is a web page" in capsys.readouterr().err and place("net").read_bytes() == fusion_file(1)
    assert download_model.main(["own", "--from", str(tmp_path / "gone")]) == download_model.EXIT_INPUT


def test_verify_finds_a_changed_file_and_records_a_new_one(
    server: WeightServer, capsys: pytest.CaptureFixture[str]
) -> None:
    zoo.SAVES.mkdir()
    place("net").write_bytes(fusion_file())
    assert download_model.main(["--verify"]) == 0
    assert capsys.readouterr().out == "net: net.pth is good\n"
    damaged = bytearray(fusion_file())
    damaged[-5] ^= 1
    place("net").write_bytes(damaged)
    place("other").write_bytes(b"rubbish")
    assert download_model.main(["--verify"]) == download_model.EXIT_INPUT
    told = capsys.readouterr().err
    assert "net.pth has changed since it was first used" in told and "other.pth is no weight file" in told


def test_list_names_everything(server: WeightServer, capsys: pytest.CaptureFixture[str]) -> None:
    zoo.SAVES.mkdir()
    place("other").write_bytes(b"x" * 2_000_000)
    assert download_model.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "network", "file", "size", "licence", "state", "used", "for"]
    assert lines[1].split() == ["net", "fusion", "network", "net.pth", "unknown", "MIT", "missing", "fusion"]
    assert lines[2].strip() == f"from {server.url}/first, else {server.url}/mirror"
    assert "2.0 MB" in lines[3] and "present" in lines[3]
    assert "ask its authors" in lines[6]


def test_without_an_address(server: WeightServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert download_model.main(["own"]) == download_model.EXIT_INPUT
    assert "no address of it is known. By hand: ask its authors" in capsys.readouterr().err


def test_stopping_keeps_what_has_come(
    server: WeightServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.pages["first"] = Page(fusion_file())

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(download_model.ProgressLine, "update", interrupt)
    assert download_model.main(["net"]) == download_model.EXIT_STOPPED
    assert "stopped" in capsys.readouterr().err
    monkeypatch.undo()


def test_the_list_needs_neither_torch_nor_gdown(repository: Path) -> None:
    code = (
        "import sys, download_model; code = download_model.main(['--list'])\n"
        "assert not code and not {'torch', 'gdown', 'requests'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "https://drive.google.com/uc?id=1mRrE0uCI2ktdWlUgapJI_KmgeIiF2eOm" in done.stdout


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ([], "give the names of weights"),
        (["net", "--all"], "give the names of weights"),
        (["--list", "--verify"], "give the names of weights"),
        (["nope"], "there are no weights called nope; there are net, other, own"),
        (["--from", "x"], "give the names of weights"),
        (["net", "other", "--from", "x"], "--from FILE needs the one name"),
        (["--al"], "unrecognized"),
    ],
)
def test_wrong_command_lines(
    server: WeightServer, argv: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        download_model.main(argv)
    error = capsys.readouterr().err
    assert ended.value.code == 2 and told in error and error.count("\n") == 1
