"""AFB-URR: its bank alone, and the whole evaluation loop, against what the published program stored."""
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from inference_core.channels import Channels
from inference_core.device import ComputeDevice
from inference_core.feature_bank import FeatureBank
from inference_core.geometry import Geometry
from inference_core.propagator import Memory
from inference_core.propagators.afb_urr import AfbUrrPropagator, BankSettings
from model.afb_urr import AfbUrr, folded
from tests.golden_weights import Golden, golden_cases, golden_state, require_golden
from util.types import Size

pytestmark = pytest.mark.golden

FLOAT32 = ComputeDevice(torch.device("cpu"), None)


def check_cells(golden: Golden, bank: FeatureBank, prefix: str, key: str, value: str, info: str, step: int) -> None:
    """The bank's cells against arrays `<prefix><key>_<object>` and so on; of the channels the step-th, 4 * step-th."""
    for i, cells in bank.cells.items():
        golden.check(f"{prefix}{key}_{i}", cells.key[::step])
        golden.check(f"{prefix}{value}_{i}", cells.value[:: step * 4 if step > 1 else 1])
        golden.check(f"{prefix}{info}_{i}", torch.stack([cells.born, cells.usage], 1))


@pytest.mark.parametrize("golden", golden_cases("AFB FeatureBank unit"))
def test_golden_feature_bank(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    meta, num_objects = golden.meta, golden.meta["obj_n"]
    bank = FeatureBank(
        num_objects, budget=meta["budget"], update_rate=meta["update_rate"], merge_above=meta["thres_close"]
    )
    assert bank.share == meta["class_budget"]

    def array(name: str) -> Tensor:
        return torch.from_numpy(golden.arrays[name])

    for i in range(num_objects):
        bank.absorb(i, array(f"in_key_{i}"), array(f"in_val_{i}"), 0)
    peak = [0] * num_objects
    for time, sizes in enumerate(meta["sizes_after_each_update"], 1):
        for i in range(num_objects):
            bank.cells[i].usage += array(f"t{time}_usage_added_{i}")
            bank.absorb(i, array(f"t{time}_new_key_{i}"), array(f"t{time}_new_val_{i}"), time)
        found = [bank.cells[i].count for i in range(num_objects)]
        assert found == sizes
        peak = [max(pair) for pair in zip(peak, found, strict=True)]
        check_cells(golden, bank, f"t{time}_", "key", "val", "info", 1)
    assert peak == meta["peak_n"]
    assert [bank.removed[i] for i in range(num_objects)] == meta["replace_n"]


@pytest.mark.parametrize("golden", golden_cases("AFB-URR eval loop"))
@torch.inference_mode()
def test_golden_evaluation_loop(golden: Golden | Path) -> None:
    golden = require_golden(golden)
    meta, arrays = golden.meta, golden.arrays
    network = AfbUrr().eval()
    network.load_state_dict(golden_state(network, meta["weight_seed"], meta["overrides"]))
    settings = BankSettings(meta["budget"], meta["update_rate"], meta["thres_close"])
    size = Size(*arrays["frames"].shape[1:3])
    engine = AfbUrrPropagator(folded(network), Geometry.padded(size, None), FLOAT32, settings, mem_every=1)
    ids = list(range(1, meta["obj_n_incl_bg"]))
    slots = [i - 1 for i in ids]
    engine.set_objects(ids)
    channels = Channels(engine, ids)

    first = channels.from_mask(arrays["first_mask"])
    engine.memorize(0, engine.encode(arrays["frames"][0]), first, slots, Memory.PINNED)
    engine.begin_pass(0, first)
    sizes, last = [], len(arrays["frames"]) - 1
    for frame in range(1, last + 1):
        features = engine.encode(arrays["frames"][frame])
        scores = engine.scores(features, slots)
        assert engine.bank is not None
        if frame == 1:
            sizes.append([cells.count for cells in engine.bank.cells.values()])
            check_start(golden, engine.bank)
        native = engine.to_native(scores)
        golden.check(f"score_{frame}", native[None, :, ::2, ::2])
        golden.check_labels(f"mask_{frame}", native.argmax(0).numpy())
        if frame < last:
            engine.memorize(frame, features, scores.softmax(0), slots, Memory.ROLLING)
            sizes.append([cells.count for cells in engine.bank.cells.values()])
    assert sizes == arrays["bank_sizes"].tolist()
    check_cells(golden, engine.bank, "bank_", "key", "val", "info", 8)
    golden.check_equal("replace_n", [engine.bank.removed[i] for i in engine.bank.cells])
    assert int(engine.bank.share) == int(arrays["class_budget"])


def check_start(golden: Golden, bank: FeatureBank) -> None:
    cells = list(bank.cells.values())
    golden.check("key0", torch.stack([one.key[::4] for one in cells]))
    golden.check("val0", torch.stack([one.value[::16] for one in cells]))
