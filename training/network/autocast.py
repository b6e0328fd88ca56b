"""Which arithmetic networks are computed with while they train."""

from __future__ import annotations

import torch

_CPUS_WITH_BF16 = ("avx512_bf16", "amx_bf16", "bf16")
"""What `torch.cpu.get_capabilities` calls instructions for products in bf16; the last is ARM's."""


def autocast(device: torch.device) -> torch.autocast:
    """Products in bf16 where the device has instructions for them. A CPU without emulates them, in
    forty times what f32 takes."""
    has = device.type != "cpu" or any(map(torch.cpu.get_capabilities().get, _CPUS_WITH_BF16))
    return torch.autocast(device.type, torch.bfloat16, enabled=has)
