"""Every registered engine on a small video, with its own weights where they are here, else with random ones."""
from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import torch

from inference_core import registry
from inference_core.device import ComputeDevice
from inference_core.engine_setup import EngineSetup
from inference_core.geometry import Geometry
from inference_core.memory_bank import MemoryBank
from inference_core.propagator import Propagator
from inference_core.propagators import afb_urr, rvos, stcn, stm
from model import zoo
from model.afb_urr import AfbUrr
from model.attention import dot_similarity, l2_similarity
from model.rvos import RVOS, RvosSettings
from model.stcn import STCN
from model.stm import STM
from util.types import Size

Network = TypeVar("Network", bound=torch.nn.Module)

FLOAT32 = ComputeDevice(torch.device("cpu"), None)


def has_weights(name: str) -> bool:
    """Whether the engine's results mean something here."""
    weights = registry.find(name).weights
    return weights is None or zoo.is_available(weights)


@lru_cache(maxsize=4)
def random_network(network: Callable[[], Network]) -> Network:
    """Networks do not change, and drawing 54 million numbers takes longer than a test."""
    torch.manual_seed(0)
    return network().eval()


def small_rvos() -> RVOS:
    """For given masks, on the smallest base."""
    return RVOS(RvosSettings(base_model="resnet34", hidden_size=32), takes_mask=True)


def make_propagator(name: str, native: Size, mem_every: int = 2) -> Propagator:
    weights, kind = registry.find(name).weights, registry.find(name).module.rpartition(".")[2]
    if kind in ("afb_urr", "rvos", "stcn", "stm") and not has_weights(name):
        return _make_random(kind, native, mem_every)
    setup = EngineSetup(native, None if weights is None else zoo.resolve(weights), FLOAT32, mem_every=mem_every)
    module = importlib.import_module(registry.find(name).module)
    propagator: Propagator = module.build(setup)
    return propagator


def _make_random(kind: str, native: Size, mem_every: int) -> Propagator:
    geometry = Geometry.padded(native, None)
    if kind == "afb_urr":
        return afb_urr.AfbUrrPropagator(random_network(AfbUrr), geometry, FLOAT32, afb_urr.BankSettings(), mem_every)
    if kind == "rvos":
        unpadded = Geometry.padded(native, None, multiple=1)
        return rvos.RvosPropagator(random_network(small_rvos), unpadded, FLOAT32)
    if kind == "stm":
        network = random_network(STM)
        bank = MemoryBank(similarity=dot_similarity, top_k=stm.TOP_K, max_rolling=None, keys_per_object=True)
        return stm.StmPropagator(network, geometry, FLOAT32, bank, mem_every)
    bank = MemoryBank(similarity=l2_similarity, top_k=stcn.TOP_K, max_rolling=None)
    return stcn.StcnPropagator(random_network(STCN), geometry, FLOAT32, bank, mem_every)
