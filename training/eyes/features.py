"""Features of photos, kept in files or looked at now."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image
from torch.nn import functional as F
from tqdm import tqdm

from training.data.examples import photos, training_photos
from training.eyes.backbone import MEAN, STD
from training.eyes.eyes import Eyes
from training.paths import DATA, WORK
from training.shipping import onnx_files
from training.shipping.precision import Precision

_BATCH = 32


def pixels(path: Path, photo: int) -> np.ndarray:
    """A photo as the network takes it, squashed to a square: float32 [3, photo, photo]. As in
    `src/reference/preprocess.ts`, the filter is a triangle that widens when the photo shrinks."""
    with Image.open(path) as image:
        rgb = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
    square = F.interpolate(
        rgb.unsqueeze(0).float() / 255, size=(photo, photo), mode="bilinear", antialias=True
    )
    return ((square[0] - MEAN) / STD).numpy()


def vision_session(eyes: Eyes, precision: Precision = "f16") -> onnxruntime.InferenceSession:
    """The vision graph as it is shipped in a precision, exported on first use."""
    path = WORK / f"vision-{eyes}-{precision}.onnx"
    if not path.exists():
        export_vision(eyes, path, precision)
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def export_vision(eyes: Eyes, path: Path, precision: Precision) -> None:
    example = torch.zeros(2, 3, eyes.photo, eyes.photo)
    onnx_files.export(eyes.network(), {"pixels": example}, ["features"], path, precision)


def _files(eyes: Eyes) -> tuple[Path, Path, Path]:
    """The list of photos, their features and those of the mirrored ones."""
    names = f"photos-{eyes}.json", f"features-{eyes}.f16", f"features-{eyes}-mirrored.f16"
    listing, plain, mirrored = (WORK / name for name in names)
    return listing, plain, mirrored


@dataclass
class Features:
    """f16 features of photos by name: `plain[index[name]]` and, of training photos, `mirrored` are
    [cells, channels]. A photo without a mirrored copy has zeros there."""

    index: dict[str, int]
    plain: np.ndarray
    mirrored: np.ndarray

    @classmethod
    def load(cls, eyes: Eyes) -> Features:
        """Those that `python -m training features` kept, memory-mapped."""
        listing, *files = _files(eyes)
        if not listing.exists():
            raise SystemExit(f"{listing} is not there: run `python -m training features` first")
        names: list[str] = json.loads(listing.read_text())
        shape = (len(names), eyes.cells, eyes.channels)
        plain, mirrored = (np.memmap(file, np.float16, "r", shape=shape) for file in files)
        return cls({name: i for i, name in enumerate(names)}, plain, mirrored)

    @classmethod
    def none(cls, eyes: Eyes) -> Features:
        """Of no photos, for who reads text alone."""
        none = np.zeros((0, eyes.cells, eyes.channels), np.float16)
        return cls({}, none, none)

    @classmethod
    def look(cls, eyes: Eyes, names: list[str], precision: Precision) -> Features:
        """Looked at now, by the vision graph of a precision."""
        session = vision_session(eyes, precision)
        plain = np.zeros((len(names), eyes.cells, eyes.channels), np.float16)
        for start in tqdm(range(0, len(names), _BATCH), desc=f"vision, {precision}"):
            batch = names[start : start + _BATCH]
            x = np.stack([pixels(DATA / name, eyes.photo) for name in batch])
            plain[start : start + len(batch)] = session.run(None, {"pixels": x})[0]
        return cls({name: i for i, name in enumerate(names)}, plain, np.zeros_like(plain[:0]))


def keep(eyes: Eyes) -> None:
    """Add what is missing: photos that earlier runs did keep their rows, and are mirrored if they
    have become training photos since."""
    listing, *files = _files(eyes)
    kept: list[str] = json.loads(listing.read_text()) if listing.exists() else []
    names = kept + sorted(set(photos()) - set(kept))
    session, trained = vision_session(eyes), training_photos()
    size = eyes.cells * eyes.channels * np.dtype(np.float16).itemsize
    for path, mirror in zip(files, (False, True), strict=True):
        if not names:
            continue
        path.touch()
        os.truncate(path, len(names) * size)
        shape = (len(names), eyes.cells, eyes.channels)
        out = np.memmap(path, np.float16, "r+", shape=shape)
        # What is not listed yet is redone where a run was cut.
        rows = list(range(len(kept), len(names)))
        if mirror:
            blank = [i for i in range(len(kept)) if not out[i, 0].any()]
            rows = [i for i in [*blank, *rows] if names[i] in trained]
        for start in tqdm(range(0, len(rows), _BATCH), desc=path.name):
            batch = rows[start : start + _BATCH]
            x = np.stack([pixels(DATA / names[i], eyes.photo) for i in batch])
            if mirror:
                x = np.ascontiguousarray(x[..., ::-1])
            out[batch] = session.run(None, {"pixels": x})[0]
        out.flush()
    listing.write_text(json.dumps(names))
