"""What a call of a network costs: floating-point operations, counted, and processor time, measured.

Counted are convolutions and matrix products, a multiplication with its addition as 2 operations; all else a network
does (normalisation, activations, resizing, picking the best cells) is not, and shows in the time only.
"""
from __future__ import annotations

import platform
from collections.abc import Callable
from time import perf_counter, process_time

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(network: nn.Module) -> int:
    """How many numbers were learnt; running means and variances are not among them."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_flop(call: Callable[[], object]) -> int:
    """Floating-point operations of one call."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


def milliseconds(call: Callable[[], object], seconds: float) -> float:
    """Processor time, the least of several calls. Time in which other programs have the processor does not count.

    Args:
        call: has run once before, so that what is only done the first time is done.
        seconds: how long it is repeated; at least one call is measured.
    """
    times: list[float] = []
    begin = perf_counter()
    with torch.inference_mode():
        while not times or perf_counter() - begin < seconds:
            start = process_time()
            call()
            times.append(process_time() - start)
    return 1000 * min(times)


def surroundings() -> str:
    """The processor and what else a time depends on."""
    processor = torch.cpu.get_capabilities().get("cpu_name", platform.machine())
    threads = torch.get_num_threads()
    return f"{processor}, {threads} thread{'s'[threads == 1:]}, torch {torch.__version__}, {platform.system()}"
