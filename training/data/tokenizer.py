"""The word pieces of a trained model, and the special ones that come first: blank is 0, as CTC has
it. `training vocabulary` learns them."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from training.paths import WORK

BLANK, BOS, EOS, PAD = 0, 1, 2, 3
SPECIAL = ["<blank>", "<bos>", "<eos>", "<pad>"]
FIRST_PIECE = len(SPECIAL) + 256
"""Behind the special ones and single bytes."""
VOCABULARY = 5000
"""Word pieces; boxes have tokens behind them (`boxes.py`)."""
FILE = WORK / "tokenizer.json"


def load(path: Path = FILE) -> Tokenizer:
    return Tokenizer.from_file(str(path))
