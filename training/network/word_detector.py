"""The word detector: what is in a photo, as evidence for each piece of the vocabulary.

Detectors of words, and a language model that puts them together, are Fang et al. 2015. Here one
tells the network, where a prompt names a thing, whether the eyes see it, and the slots, which words
are this photo's (`model.py`). It is learnt first (`eyes/words.py`), and then stays as it is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MOST = 4.0
"""Nats that count: beyond that a detector that has seen a piece in a dozen photos is too sure."""


class WordDetector(nn.Module):
    """Features [B, cells, channels] to evidence [B, vocabulary]: how much likelier texts about the
    photo have a piece than texts about any photo, as a difference of log odds within ±MOST. 0 for
    pieces that say nothing of what is seen, and where there is no cell."""

    def __init__(self, channels: int, hidden: int, vocabulary: int) -> None:
        super().__init__()
        # [in, out], so that they are exported under their names.
        self.register_buffer("inside", torch.zeros(channels, hidden))
        self.register_buffer("bias", torch.zeros(hidden))
        self.register_buffer("table", torch.zeros(hidden, vocabulary))

    def forward(self, features: Tensor) -> Tensor:
        if features.shape[1] == 0:
            return features.new_zeros(len(features), self.table.shape[1])
        inside = F.gelu(features.mean(1) @ self.inside + self.bias, approximate="tanh")
        return (inside @ self.table).clamp(-MOST, MOST)
