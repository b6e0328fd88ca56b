"""The processes that `torchrun` started, which share a run's work; without it, this one alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist


@contextmanager
def processes() -> Iterator[tuple[int, int]]:
    """This process's number and how many there are, which leave together."""
    rank, count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if count == 1:
        yield 0, 1
        return
    cuda = torch.cuda.is_available()
    dist.init_process_group("nccl" if cuda else "gloo")
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    yield rank, count
    dist.barrier()
    dist.destroy_process_group()
