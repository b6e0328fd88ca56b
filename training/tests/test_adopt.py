"""The shipped files, read back as a run, are exported again as the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import save_file

from training.adopt import adopt
from training.decoder_graph import WEIGHTS
from training.export import decoder_weights, export_fusion
from training.model import Config, Narvl
from training.paths import MODEL
from training.recipe import recipe


@pytest.fixture(scope="module")
def shipped() -> Narvl:
    tags = "names" in json.loads((MODEL / "manifest.json").read_text(encoding="utf-8"))
    return adopt(MODEL, Config(**recipe().model | {"tags": tags}))


def test_the_decoder_is_exported_as_it_was(shipped: Narvl, tmp_path: Path) -> None:
    save_file(decoder_weights(shipped, "int8"), tmp_path / WEIGHTS)
    assert (tmp_path / WEIGHTS).read_bytes() == (MODEL / WEIGHTS).read_bytes()


def test_fusion_is_exported_as_it_was(shipped: Narvl, tmp_path: Path) -> None:
    export_fusion(shipped, tmp_path / "fusion.onnx", "int8")
    assert (tmp_path / "fusion.onnx").read_bytes() == (MODEL / "fusion.onnx").read_bytes()


def test_files_of_another_size_are_refused() -> None:
    with pytest.raises(SystemExit, match=r"expected layers\.0\..* \(512, 256\)|matrices"):
        adopt(MODEL, Config(**recipe().model | {"tags": True, "ffn": 512}))
