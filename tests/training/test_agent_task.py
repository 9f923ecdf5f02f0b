"""Teaching the frame agent: episodes are played by the engine, rewarded by comparison, and learnt from."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import train
from model.quality_agent import QualityAgent, load_quality_agent
from tests.evaluation.vos_trees import davis_tree
from tests.synthetic import SyntheticVideo
from tests.training.trainings import CPU, PRESET
from training import presets
from training.agent import AgentTask, PretrainTask, experiences
from training.agent_episodes import Episode, load_episodes
from training.agent_update import agent_loss, reward
from training.distributed import Crew
from training.loop import Trainer
from training.travel import export_weights
from util.errors import AppError

AGENT_PRESET = replace(PRESET, samples=64, batch=8, rate=1e-2, average=0.9)


def episode(number: int, frame: int, end: float, leader: str = "random", clip: str = "a") -> Episode:
    before, after = (0.9, 0.5, 0.4, 0.3), (end,) * 4
    return Episode(clip, leader, number, (frame,), (before, after))  # type: ignore[arg-type]


def test_rewards_compare_with_the_other_random_episodes_of_the_round() -> None:
    ends = [0.6, 0.7, 0.8, 0.9]
    played = [episode(n, n % 4, end) for n, end in enumerate(ends)] + [episode(0, 2, 0.95, "agent")]
    found = experiences(played, Path("x"))
    assert len(found) == 5
    expected = [reward(end, [e for e in ends if e != end], is_repeat=n == 0) for n, end in enumerate(ends)]
    expected.append(reward(0.95, ends, is_repeat=False))
    assert [one.step.item() for one in found] == [one.step for one in expected] == [-1, 1, 1, 1, 1]
    assert [one.done.item() for one in found] == pytest.approx([one.done for one in expected])
    last = found[-1]
    assert last.state.tolist()[0] == [pytest.approx(row) for row in ([0.9, 1], [0.5, 0], [0.4, 0], [0.3, 0])]
    assert last.action.tolist() == [2] and last.next_state[0, :, 1].tolist() == [1, 0, 1, 0]
    assert last.next_state[0, :, 0].tolist() == pytest.approx([0.95] * 4)


def test_rounds_without_enough_or_different_counterparts_are_left_out() -> None:
    few = [episode(n, 1, end) for n, end in enumerate((0.5, 0.7, 0.9))]
    alike = [episode(n, 1, 0.7, clip="b") for n in range(6)]
    enough = [episode(n, 1, 0.6 + 0.05 * n, clip="c") for n in range(4)]
    assert len(experiences([*few, *alike, *enough], Path("x"))) == 4
    with pytest.raises(AppError, match=r"x\.jsonl: no recommendation"):
        experiences([*few, *alike], Path("x.jsonl"))


def lesson(path: Path) -> Path:
    """Whoever takes the frame of middling quality ends well: neither the worst nor the best."""
    rng = np.random.default_rng(0)
    lines = []
    for number in range(40):
        quality = rng.permutation([0.2, 0.5, 0.9]).tolist()
        frame = int(rng.integers(3))
        end = 0.95 if quality[frame] == 0.5 else 0.6 + 0.1 * float(rng.random())
        first = [0.9, *quality]
        lines.append(
            f'{{"clip": "a", "leader": "{"agent" if number % 4 == 3 else "random"}", "number": {number}, '
            f'"frames": [{frame + 1}], "quality": [{first}, {[end] * 4}]}}'
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def make_task(path: Path, kind: type[AgentTask] = AgentTask) -> AgentTask:
    return kind(AGENT_PRESET, path, path, torch.device("cpu"))


def test_pretraining_leaves_out_what_an_agent_recommended(tmp_path: Path) -> None:
    path = lesson(tmp_path / "e.jsonl")
    assert [sum(len(group.action) for group in make_task(path, kind)._train) for kind in (AgentTask, PretrainTask)] == [
        40, 30
    ]


def test_batch_is_a_function_of_its_number(tmp_path: Path) -> None:
    path = lesson(tmp_path / "e.jsonl")
    one, again, other = (make_task(path).batch(number, 8, 32) for number in (4, 4, 5))
    assert torch.equal(one.state, again.state) and one.state.shape == (8, 4, 2) and one.action.shape == (8,)
    assert not torch.equal(one.state, other.state)


def test_the_target_is_the_moving_average(tmp_path: Path) -> None:
    own = make_task(lesson(tmp_path / "e.jsonl"))
    torch.manual_seed(0)
    network, average = QualityAgent(), QualityAgent().requires_grad_(False)
    own.follow(average)
    loss, batch = own.loss_module(network), own.batch(0, 8, 32)
    assert loss(batch, 0.0, torch.Generator())["value"] == agent_loss(network, average, batch)
    assert loss(batch, 0.0, torch.Generator())["value"] != agent_loss(network, network, batch)
    assert len(list(loss.parameters())) == len(list(network.parameters())), "it is not trained"


@pytest.mark.usefixtures("one_thread")
def test_the_shared_loop_teaches_what_worst_first_does_not_know(tmp_path: Path) -> None:
    path = lesson(tmp_path / "e.jsonl")
    own = make_task(path)
    (tmp_path / "out").mkdir()
    preset = replace(AGENT_PRESET, samples=1600, score_every=10_000)
    trainer = Trainer(own, preset, tmp_path / "out", CPU, Crew(), lambda line: None)
    assert own._average is trainer.state.average
    trainer.run()
    scores = own.score(trainer.state.average)
    assert scores["rank"] > 60 > 30 > scores["rank worst"]
    export_weights(tmp_path / "out", "agent", tmp_path / "agent.safetensors")
    state = torch.tensor([[[0.9, 1], [0.9, 0], [0.5, 0], [0.2, 0]]])
    assert load_quality_agent(tmp_path / "agent.safetensors")(state).argmax().item() == 2


def test_episodes_are_played_and_go_on(
    tmp_path: Path, synthetic_video: SyntheticVideo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, out = davis_tree(tmp_path / "tree", synthetic_video, ("a", "b")), tmp_path / "e.jsonl"
    command = ["produce-rewards", "--clips", str(tree), "--out", str(out), "--engine", "static", "--frames", "5"]
    command += ["--rounds", "2", "--threads", "1"]
    assert train.main([*command, "--count", "1", "--episodes", "2"]) == 0
    first = load_episodes(out)
    assert train.main([*command, "--episodes", "4"]) == 0
    played = load_episodes(out)
    assert played[:2] == first and [(e.clip, e.number) for e in played] == [(c, n) for c in "ab" for n in range(4)]
    for one in played:
        assert len(one.quality) == 3 and {len(row) for row in one.quality} == {5}
        assert one.quality[0] == played[0].quality[0] and one.quality[0][0] == 1
        assert all(one.quality[n + 1][frame] == 1 for n, frame in enumerate(one.frames)), "the truth was given"
    assert len({one.frames for one in played[:4]}) > 1
    capsys.readouterr()

    # What the agent says is done, but for the chance of any other frame.
    network = QualityAgent()
    save_file(network.state_dict(), tmp_path / "agent.safetensors")
    led = [*command, "--episodes", "1", "--agent", str(tmp_path / "agent.safetensors"), "--chance", "0"]
    assert train.main(led) == 0
    (one, _) = (e for e in load_episodes(out) if e.leader == "agent")
    state = torch.tensor([one.quality[0], one.counts(0)]).T[None]
    assert one.frames[0] == network(state.float())[0].argmax().item()

    monkeypatch.setitem(presets.PRESETS, ("agent", "cpu"), replace(AGENT_PRESET, samples=16))
    monkeypatch.setattr(torch, "set_flush_denormal", lambda on: True)
    files = ["--train", str(out), "--heldout", str(out), "--device", "cpu"]
    assert train.main(["agent", *files, "--out", str(tmp_path / "training")]) == 0
    assert "held out: rank" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "", "no json\n", '{"clip": "a"}\n',
        '{"clip": "a", "leader": "me", "number": 0, "frames": [1], "quality": [[1, 1], [1, 1]]}\n',
        '{"clip": "a", "leader": "agent", "number": 0, "frames": [2], "quality": [[1, 1], [1, 1]]}\n',
        '{"clip": "a", "leader": "agent", "number": 0, "frames": [1], "quality": [[1, 1], [1]]}\n',
    ],
)
def test_what_is_no_file_of_episodes(tmp_path: Path, text: str) -> None:
    (tmp_path / "e.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(AppError, match=r"e\.jsonl"):
        make_task(tmp_path / "e.jsonl")


def test_clips_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["produce-rewards", "--clips", str(tmp_path), "--out", str(tmp_path / "e.jsonl")]) == 2
    assert "no such folder" in capsys.readouterr().err
