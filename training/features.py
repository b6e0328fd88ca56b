"""Every photo through the vision graph, once: `python -m training.features`.

The features that training sees are the shipped graph's own output, f16 weights and all, so the
runtime and the training disagree by rounding alone. Training photos are kept mirrored as well.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image
from tqdm import tqdm

from training import onnx_files
from training.backbone import FEATURES, IMAGE_SIZE, MEAN, STD, TOKENS, Backbone
from training.data import photos, training_photos
from training.paths import DATA, WORK
from training.precision import Precision

_BATCH = 32


def pixels(path: Path) -> np.ndarray:
    """A photo as the network takes it, squashed to a square: float32 [3, IMAGE_SIZE, IMAGE_SIZE].
    The runtime resamples with a filter of its own; both leave a photo of this size as it is."""
    with Image.open(path) as image:
        square = image.convert("RGB")
        if square.size != (IMAGE_SIZE, IMAGE_SIZE):
            square = square.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC)
        rgb = np.asarray(square, dtype=np.float32) / 255
    return ((rgb - MEAN) / STD).transpose(2, 0, 1)


def vision_session(precision: Precision = "f16") -> onnxruntime.InferenceSession:
    """The vision graph as it is shipped in a precision, exported on first use."""
    path = WORK / f"vision-{precision}.onnx"
    if not path.exists():
        export_vision(path, precision)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def export_vision(path: Path, precision: Precision) -> None:
    example = torch.zeros(2, 3, IMAGE_SIZE, IMAGE_SIZE)
    onnx_files.export(Backbone(), {"pixels": example}, ["features"], path, precision)


@dataclass
class Features:
    """f16 features of photos by name: `plain[index[name]]` and, of training photos, `mirrored` are
    [TOKENS, FEATURES]. A photo without a mirrored copy has zeros there."""

    index: dict[str, int]
    plain: np.ndarray
    mirrored: np.ndarray

    @classmethod
    def load(cls) -> Features:
        """Those that `python -m training.features` kept, memory-mapped."""
        names: list[str] = json.loads((WORK / "photos.json").read_text())
        shape = (len(names), TOKENS, FEATURES)
        plain, mirrored = (
            np.memmap(WORK / file, np.float16, "r", shape=shape)
            for file in ("features.f16", "features-mirrored.f16")
        )
        return cls({name: i for i, name in enumerate(names)}, plain, mirrored)

    @classmethod
    def look(cls, names: list[str], precision: Precision) -> Features:
        """Looked at now, by the vision graph of a precision."""
        session = vision_session(precision)
        plain = np.zeros((len(names), TOKENS, FEATURES), np.float16)
        for start in tqdm(range(0, len(names), _BATCH), desc=f"vision, {precision}"):
            batch = names[start : start + _BATCH]
            x = np.stack([pixels(DATA / name) for name in batch])
            plain[start : start + len(batch)] = session.run(None, {"pixels": x})[0]
        return cls({name: i for i, name in enumerate(names)}, plain, np.zeros_like(plain[:0]))


def main() -> None:
    """Add what is missing: photos that earlier runs did keep their rows."""
    WORK.mkdir(parents=True, exist_ok=True)
    listing = WORK / "photos.json"
    kept: list[str] = json.loads(listing.read_text()) if listing.exists() else []
    names = sorted(set(photos()) - set(kept))
    session, trained = vision_session(), training_photos()
    size = TOKENS * FEATURES * np.dtype(np.float16).itemsize
    for file, mirror in (("features.f16", False), ("features-mirrored.f16", True)):
        path = WORK / file
        path.touch()
        os.truncate(path, (len(kept) + len(names)) * size)  # rows of a run that was cut are redone
        if not names:
            continue
        shape = (len(names), TOKENS, FEATURES)
        out = np.memmap(path, np.float16, "r+", offset=len(kept) * size, shape=shape)
        rows = [i for i, name in enumerate(names) if not mirror or name in trained]
        for start in tqdm(range(0, len(rows), _BATCH), desc=file):
            batch = rows[start : start + _BATCH]
            x = np.stack([pixels(DATA / names[i]) for i in batch])
            if mirror:
                x = np.ascontiguousarray(x[..., ::-1])
            out[batch] = session.run(None, {"pixels": x})[0]
        out.flush()
    listing.write_text(json.dumps(kept + names))


if __name__ == "__main__":
    main()
