"""The shipped files, read back as a run, are exported again as the same bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import save_file

from training.eyes import backbone
from training.eyes.eyes import Eyes
from training.eyes.features import export_vision
from training.network.model import Narvl
from training.paths import MODEL
from training.shipping.adoption import adopt, adopt_eyes, config_of
from training.shipping.decoder_graph import WEIGHTS
from training.shipping.export import decoder_weights, export_fusion


@pytest.fixture(scope="module")
def shipped() -> Narvl:
    return adopt(MODEL, config_of(MODEL, ""))


def test_the_decoder_is_exported_as_it_was(shipped: Narvl, tmp_path: Path) -> None:
    save_file(decoder_weights(shipped, "int8"), tmp_path / WEIGHTS)
    assert (tmp_path / WEIGHTS).read_bytes() == (MODEL / WEIGHTS).read_bytes()


def test_fusion_is_exported_as_it_was(shipped: Narvl, tmp_path: Path) -> None:
    export_fusion(shipped, tmp_path / "fusion.onnx", "int8")
    assert (tmp_path / "fusion.onnx").read_bytes() == (MODEL / "fusion.onnx").read_bytes()


def test_files_of_another_size_are_refused() -> None:
    with pytest.raises(SystemExit, match=r"expected layers\.0\..* \(512, 256\)|matrices"):
        adopt(MODEL, replace(config_of(MODEL, ""), ffn=512))


def test_vision_is_exported_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backbone, "WORK", tmp_path)
    adopt_eyes(MODEL, "shipped")
    eyes = Eyes(config_of(MODEL, "").photo, False, "shipped")
    export_vision(eyes, tmp_path / "vision.onnx", "int8")
    assert (tmp_path / "vision.onnx").read_bytes() == (MODEL / "vision.onnx").read_bytes()
