"""The phrase map: where in a photo a phrase is, as log odds of each cell.

A network that learns to write four tokens learns where things are badly: each of a box's edges is
one of 64 words to it, none nearer to the right one than another. Whether a cell lies in the box is
learnt from the same boxes in a minute, and the box that overlaps most with that is right more often
than the one that is likeliest as a text (`writing/pointing.py`). It reads what the network makes of
each cell, is learnt behind it (`runs/places.py`), and then stays as it is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.data.tokenizer import PAD


class PhraseMap(nn.Module):
    """Cells' rows [B, cells, width], as fusion has them before their norm, and prompt ids [B, P] to
    the log odds [B, cells] that a cell lies in the box that people draw for the prompt's phrase: a
    bilinear form between what is in the cell and the sum over the prompt's words, padding being
    none."""

    def __init__(self, width: int, units: int, vocabulary: int, cells: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        # [in, out], so that it is exported under its name.
        self.register_buffer("inside", torch.zeros(width, units))
        self.register_buffer("bias", torch.zeros(units))
        self.register_buffer("prior", torch.zeros(cells))
        self.table = nn.Embedding(vocabulary, units, padding_idx=PAD).requires_grad_(False)

    def forward(self, rows: Tensor, prompt: Tensor) -> Tensor:
        inside = self.norm(rows) @ self.inside + self.bias
        return log_odds(inside, self.table, prompt, self.prior)


def log_odds(inside: Tensor, table: nn.Embedding, prompt: Tensor, prior: Tensor) -> Tensor:
    """[B, cells] of what is in each cell [B, cells, units], before GELU, the table's rows of a
    prompt [B, P], and what is so before anything is asked [cells]."""
    inside = F.gelu(inside, approximate="tanh")
    asked = table(prompt).sum(1)
    return (inside @ asked.unsqueeze(2)).squeeze(2) + prior
