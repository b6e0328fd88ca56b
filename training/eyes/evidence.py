"""On disk: the word detector, and what others like it say of photos that it learnt from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training.eyes.eyes import Eyes
from training.network.word_detector import WordDetector
from training.paths import WORK


def detector_file(eyes: Eyes) -> Path:
    return WORK / f"words-{eyes}.pt"


def evidence_files(eyes: Eyes) -> tuple[Path, Path, Path]:
    """The list of photos, the evidence of them and that of the mirrored ones."""
    names = f"evidence-{eyes}.json", f"evidence-{eyes}.f16", f"evidence-{eyes}-mirrored.f16"
    listing, plain, mirrored = (WORK / name for name in names)
    return listing, plain, mirrored


@dataclass
class Evidence:
    """What detectors say of training photos that they have not learnt from, by name."""

    index: dict[str, int]
    plain: np.ndarray
    mirrored: np.ndarray

    @classmethod
    def load(cls, eyes: Eyes) -> Evidence:
        listing, *files = evidence_files(eyes)
        if not listing.exists():
            raise SystemExit(f"{listing} is not there: run `python -m training words` first")
        names: list[str] = json.loads(listing.read_text())
        plain, mirrored = (
            np.memmap(file, np.float16, "r").reshape(len(names), -1) for file in files
        )
        return cls({name: i for i, name in enumerate(names)}, plain, mirrored)

    def of(self, image: str, mirrored: bool) -> np.ndarray:
        """[vocabulary], f16."""
        return (self.mirrored if mirrored else self.plain)[self.index[image]]


def detect_with(detector: WordDetector | None, eyes: Eyes) -> None:
    """Give a network's detector the weights that `python -m training words` kept."""
    if detector is None:
        return
    path = detector_file(eyes)
    if not path.exists():
        raise SystemExit(f"{path} is not there: run `python -m training words` first")
    detector.load_state_dict(torch.load(path, weights_only=True))
