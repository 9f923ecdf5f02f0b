"""The frame agent of IVOS-W: its values, its learning and its rewards against the published program's."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from model.quality_agent import QualityAgent
from tests.golden_rules import golden_rules
from tests.golden_weights import Golden, golden_cases, golden_state, require_golden
from training.agent_update import Experience, reward, update_agent


def experience_of(golden: Golden) -> Experience:
    given = {name: torch.from_numpy(array) for name, array in golden.arrays.items()}
    after = torch.stack([given["next_quality"], given["next_count"]], 2)
    return Experience(given["state"], given["action"], after, given["reward_step"], given["reward_done"])


@pytest.mark.golden
@pytest.mark.parametrize("golden", golden_cases("IVOS-W agent"))
def test_golden_agent(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    meta = golden.meta
    policy, target = QualityAgent(), QualityAgent()
    policy.load_state_dict(golden_state(policy, meta["weight_seed"], meta["overrides"]))
    target.load_state_dict(golden_state(target, meta["target_net_weight_seed"], meta["overrides"]))
    experience = experience_of(golden)
    golden.check("q_values", policy(experience.state).detach())

    loss = update_agent(policy, target, experience, torch.optim.SGD(policy.parameters(), 0.0))
    assert loss == pytest.approx(meta["loss_of_update_agent"], rel=1e-4)
    gradients = {name: parameter.grad for name, parameter in policy.named_parameters()}
    for recorded in (name for name in golden.arrays if name.startswith("grad_")):
        stored = golden.arrays[recorded]
        (key,) = (k for k in gradients if k.replace(".", "_").replace("lstm_cell", "lstm") == recorded[5:])
        gradient = gradients[key]
        assert gradient is not None
        steps = tuple(slice(None, None, have // want) for have, want in zip(gradient.shape, stored.shape, strict=True))
        golden.check(recorded, gradient[steps])


@pytest.mark.golden
def test_golden_reward() -> None:
    given = golden_rules()["goal_only_reward"]
    found = reward(given["new_metric_mean"], given["baseline_means_30"], is_repeat=given["repeat"])
    assert found == pytest.approx(given["reward_step_done"])


def test_rewards_of_repeats_and_of_starts_that_tell_nothing() -> None:
    assert reward(0.8, [0.6, 0.8], is_repeat=True).step == -1
    assert reward(0.9, [0.6, 0.8], is_repeat=False).done > reward(0.8, [0.6, 0.8], is_repeat=False).done
    with pytest.raises(ValueError, match="alike"):
        reward(0.8, [0.7, 0.7], is_repeat=False)


def test_updates_bring_values_to_their_targets() -> None:
    """With the same target for the step and the end a value can be learned exactly."""
    torch.manual_seed(0)
    policy, target = QualityAgent(), QualityAgent()
    with torch.no_grad():
        for parameter in target.parameters():
            parameter.zero_()
    state = torch.rand(4, 5, 2)
    value = torch.tensor([2.0, -1.0, 0.5, 1.0])
    experience = Experience(state, torch.tensor([0, 3, 4, 2]), torch.rand(4, 5, 2), value, value)
    optimizer = torch.optim.Adam(policy.parameters(), 3e-3)
    losses = [update_agent(policy, target, experience, optimizer) for _ in range(80)]
    assert losses[-1] < 0.05 * losses[0]
