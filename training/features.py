"""Every photo through `vision.onnx`, once: `python -m training.features`.

The features that training sees are the shipped graph's own output, f16 weights and all, so the
runtime and the training disagree by rounding alone. Training photos are kept mirrored as well.
"""

from __future__ import annotations

import json
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

VISION = WORK / "vision.onnx"
_BATCH = 32


def pixels(path: Path) -> np.ndarray:
    """A photo as the network takes it, float32 [3, IMAGE_SIZE, IMAGE_SIZE]."""
    with Image.open(path) as image:
        if image.size != (IMAGE_SIZE, IMAGE_SIZE):
            raise ValueError(f"{path}: expected {IMAGE_SIZE}×{IMAGE_SIZE} pixels, got {image.size}")
        rgb = np.asarray(image.convert("RGB"), dtype=np.float32) / 255
    return ((rgb - MEAN) / STD).transpose(2, 0, 1)


def vision_session() -> onnxruntime.InferenceSession:
    """The shipped vision graph, exported on first use."""
    if not VISION.exists():
        example = torch.zeros(2, 3, IMAGE_SIZE, IMAGE_SIZE)
        onnx_files.export(Backbone(), {"pixels": example}, "features", VISION)
    return onnxruntime.InferenceSession(VISION, providers=["CPUExecutionProvider"])


class Features:
    """Features of all photos, memory-mapped f16: `plain[i]` or `mirrored[i]` is [TOKENS, FEATURES].

    A photo without a mirrored copy has zeros there.
    """

    def __init__(self, folder: Path = WORK) -> None:
        self.names: list[str] = json.loads((folder / "photos.json").read_text())
        self.index = {name: i for i, name in enumerate(self.names)}
        shape = (len(self.names), TOKENS, FEATURES)
        self.plain = np.memmap(folder / "features.f16", np.float16, "r", shape=shape)
        self.mirrored = np.memmap(folder / "features-mirrored.f16", np.float16, "r", shape=shape)


def main() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    session, names, trained = vision_session(), photos(), training_photos()
    shape = (len(names), TOKENS, FEATURES)
    for file, mirror in (("features.f16", False), ("features-mirrored.f16", True)):
        rows = [i for i, name in enumerate(names) if not mirror or name in trained]
        out = np.memmap(WORK / (file + ".part"), np.float16, "w+", shape=shape)
        for start in tqdm(range(0, len(rows), _BATCH), desc=file):
            batch = rows[start : start + _BATCH]
            x = np.stack([pixels(DATA / names[i]) for i in batch])
            if mirror:
                x = np.ascontiguousarray(x[..., ::-1])
            out[batch] = session.run(None, {"pixels": x})[0]
        out.flush()
        (WORK / (file + ".part")).rename(WORK / file)
    (WORK / "photos.json").write_text(json.dumps(names))


if __name__ == "__main__":
    main()
