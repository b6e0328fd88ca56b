"""Runs on disk: the mean of two is a run like any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from training.network.model import AutoregressiveCaptioner, Config, Narvl
from training.runs import checkpoints

SMALL = Config(
    width=32, heads=4, encoder_layers=1, decoder_layers=1, ffn=48, vocabulary=50, prompt=5, slots=6
)


@pytest.mark.parametrize("kind", [Narvl, AutoregressiveCaptioner])
def test_the_mean_of_runs_is_a_run(kind: type, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(checkpoints, "WORK", tmp_path)
    models = []
    for seed, photo in enumerate((96, 64)):
        torch.manual_seed(seed)
        model = kind(replace(SMALL, photo=photo)).eval()
        state = {
            "kind": "ar" if kind is AutoregressiveCaptioner else "narvl",
            "config": model.config.to_json(),
            "average": AveragedModel(model).state_dict(),
        }
        checkpoints.save(f"run-{seed}", state)
        models.append(model)
    checkpoints.average("mean", ["run-0", "run-1"])
    mean = checkpoints.load("mean")
    assert isinstance(mean, kind)
    assert mean.config.photo == 96
    ours, first, second = (m.state_dict() for m in (mean, *models))
    key = "fusion.image_position"
    second[key] = checkpoints.stretched(second[key], 9)
    for name, weight in ours.items():
        torch.testing.assert_close(weight, (first[name] + second[name]) / 2)


def test_a_teacher_starts_from_a_student_without_its_queries(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(checkpoints, "WORK", tmp_path)
    student, teacher = Narvl(SMALL), AutoregressiveCaptioner(SMALL)
    average = AveragedModel(student).state_dict()
    state = {"kind": "narvl", "config": SMALL.to_json(), "average": average}
    checkpoints.save("student", state)
    positions = teacher.position.clone()
    checkpoints.start_from(teacher, "student")
    torch.testing.assert_close(teacher.position, positions)
    for part in ("fusion", "decoder", "head_bias"):
        ours, theirs = (
            {k: v for k, v in m.state_dict().items() if k.startswith(part)}
            for m in (teacher, student)
        )
        assert ours
        torch.testing.assert_close(ours, theirs)
