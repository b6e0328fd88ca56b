"""A backbone by its name in timm, with weights that lie in a file, in place of the shipped one."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import timm
import torch
from PIL import Image

from training.eyes import vit
from training.eyes.eyes import Eyes
from training.eyes.features import export_vision
from training.network.model import Config
from training.paths import REPOSITORY
from training.tests.test_formats import write, write_lines

NAME = "vit_tiny_patch16_224"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos and texts as their authors publish them, two a split, and a file of weights."""
    folder = tmp_path_factory.mktemp("data")
    torch.manual_seed(0)
    model = timm.create_model(NAME, pretrained=False)
    torch.save(model.state_dict(), folder / "vit.pth")
    rng = np.random.default_rng(0)
    coco, flickr = folder / "coco", folder / "flickr30k"
    images, captions, asked, answered, refs, things = [], [], [], [], [], []
    (coco / "train2014").mkdir(parents=True)
    flickr.mkdir()
    for i in (1, 2):
        photo = Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8))
        name = f"COCO_train2014_{i:012d}.jpg"
        photo.save(coco / "train2014" / name)
        photo.save(flickr / f"{i}.jpg")
        images.append({"id": i, "file_name": name, "width": 60, "height": 40})
        captions.append({"image_id": i, "caption": f"A dog with {i} balls."})
        asked.append({"question_id": i, "image_id": i, "question": "How many balls?"})
        answer = {"question_id": i, "answer_type": "number", "multiple_choice_answer": str(i)}
        answered.append(answer)
        things.append({"id": i, "image_id": i, "bbox": [10, 10, 30, 20]})
        sentences = [{"sent": "the left dog"}]
        refs.append({"image_id": i, "ann_id": i, "split": "train", "sentences": sentences})
    write(coco, "captions_train2014.json", {"images": images, "annotations": captions})
    questions = {"data_subtype": "train2014", "questions": asked}
    write(coco, "v2_OpenEnded_mscoco_train2014_questions.json", questions)
    write(coco, "v2_mscoco_train2014_annotations.json", {"annotations": answered})
    write(coco, "instances.json", {"images": images, "annotations": things})
    (coco / "refs(unc).p").write_bytes(pickle.dumps(refs, protocol=2))
    statement = {"Flickr30K_ID": "1", "sentence2": "A dog.", "gold_label": "entailment"}
    write_lines(folder / "snli-ve", "snli_ve_train.jsonl", [statement])
    return folder


@pytest.fixture
def weights(data: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(vit, "DATA", data)
    return "vit.pth"


def test_features_are_the_patches_of_the_file_s_weights(weights: str, data: Path) -> None:
    eyes = Eyes(224, False, backbone=NAME, weights=weights)
    assert (eyes.cells, eyes.channels) == (196, 192)
    model = timm.create_model(NAME, pretrained=False)
    model.load_state_dict(torch.load(data / weights))
    pixels = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(
            eyes.network()(pixels), model.eval().forward_features(pixels)[:, 1:]
        )


def test_a_smaller_photo_has_fewer_patches_in_onnx_too(weights: str, tmp_path: Path) -> None:
    eyes = Eyes(64, False, backbone=NAME, weights=weights)
    path = tmp_path / "vision.onnx"
    export_vision(eyes, path, "f16")
    pixels = torch.randn(3, 3, 64, 64)
    (found,) = onnxruntime.InferenceSession(path).run(None, {"pixels": pixels.numpy()})
    assert found.shape == (3, eyes.cells, eyes.channels) == (3, 16, 192)
    with torch.no_grad():
        np.testing.assert_allclose(found, eyes.network()(pixels).numpy(), atol=0.03)


def test_what_cannot_be_is_refused(weights: str) -> None:
    with pytest.raises(SystemExit, match="needs `weights`, a file"):
        Eyes(64, False, backbone=NAME).network()
    with pytest.raises(SystemExit, match="got 'resnet18'"):
        _ = Eyes(64, False, backbone="resnet18", weights=weights).cells
    with pytest.raises(ValueError, match="EfficientNet-Lite2 for tags"):
        Config(backbone=NAME, tags=True)


RECIPE = """
[model]
backbone = "vit_tiny_patch16_224"
weights = "vit.pth"
photo = 64
width = 32
heads = 2
encoder_layers = 1
decoder_layers = 1
ffn = 32
vocabulary = 5064
box_slots = 12
entail_slots = 4

[prompts]
human = "what is it?"
locate = "where is {}?"
entail = "is it true that {}?"

[[captions]]
name = "COCO"
format = "coco"
images = "coco"
files = { train = ["coco/captions_train2014.json"], val = ["coco/captions_train2014.json"] }

[[questions]]
name = "VQA v2"
format = "vqa2"
images = "coco"
files.train = [
  "coco/v2_OpenEnded_mscoco_train2014_questions.json",
  "coco/v2_mscoco_train2014_annotations.json",
]

[[boxes]]
name = "RefCOCO"
format = "refcoco"
images = "coco"
files.train = ["coco/refs(unc).p", "coco/instances.json"]

[[statements]]
name = "SNLI-VE"
format = "snli-ve"
images = "flickr30k"
files.train = ["snli-ve/snli_ve_train.jsonl"]

[runs.narvl]
kind = "narvl"
steps = 2
every = 2
captions = 2
questions = 2
boxes = 2
statements = 1
"""


def test_four_tasks_are_learnt_by_two_processes(data: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    environment = {
        **os.environ,
        "NARVL_DATA": str(data),
        "NARVL_WORK": str(tmp_path / "work"),
        "NARVL_RECIPE": str(recipe),
        "TORCHDYNAMO_DISABLE": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(REPOSITORY),
    }

    def run(*command: str) -> None:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]

    # `python -m training`, behind what conftest.py says of torchvision.
    command = tmp_path / "command.py"
    command.write_text(
        "import training.tests.conftest\nfrom training.__main__ import main\nmain()\n",
        encoding="utf-8",
    )
    run(str(command), "vocabulary")
    run(str(command), "features")
    run("-m", "torch.distributed.run", "--nproc-per-node", "2", str(command), "train", "narvl")
    state = torch.load(tmp_path / "work" / "narvl.pt", weights_only=False)
    assert state["step"] == 2
