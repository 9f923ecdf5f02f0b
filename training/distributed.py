"""One process, or several under torchrun."""
from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import distributed, nn

_GPU_ASKS_EVERY = 10
"""Steps between two agreements on GPUs, where asking also waits for the queue. On CPUs ten steps may take longer than
the 30 s that torchrun leaves processes to end in, and the state would be lost."""


@dataclass(frozen=True)
class Crew:
    """The processes of a training.

    Args:
        rank: which one this is. size: how many. ask_every: steps between two agreements.
    """

    rank: int = 0
    size: int = 1
    ask_every: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files, measures and talks."""
        return self.rank == 0

    def prepare(self, network: nn.Module, device: torch.device) -> nn.Module:
        """The network with batch statistics over all processes, where these have GPUs.

        On CPUs, which have no such layer, each process normalises by its own samples; the running statistics are the
        first process's. Tensor names do not change.
        """
        if self.size == 1 or device.type != "cuda":
            return network
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module with gradients averaged over all processes."""
        if self.size == 1:
            return module
        return nn.parallel.DistributedDataParallel(module, find_unused_parameters=True)

    def agree(self, wish: bool, step: int) -> bool:
        """Whether any process has this wish; every process must ask at every step, and all get the same answer.

        With several processes the answer is no between two agreements.
        """
        if self.size == 1:
            return wish
        if step % self.ask_every:
            return False
        wishes = torch.tensor(float(wish), device="cuda" if distributed.get_backend() == "nccl" else "cpu")
        distributed.all_reduce(wishes, distributed.ReduceOp.MAX)
        return bool(wishes)


def join(device: torch.device) -> Crew:
    """The crew that torchrun describes in the environment, else this process alone; GPUs are dealt out."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Crew()
    if device.type == "cuda":
        own = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(own)
        distributed.init_process_group("nccl", device_id=own)
        return Crew(distributed.get_rank(), distributed.get_world_size(), _GPU_ASKS_EVERY)
    distributed.init_process_group("gloo")
    return Crew(distributed.get_rank(), distributed.get_world_size())


def leave(crew: Crew) -> None:
    if crew.size > 1:
        distributed.destroy_process_group()
