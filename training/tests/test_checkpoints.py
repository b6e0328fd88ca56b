"""Runs on disk: the mean of two is a run like any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from training.data.tokenizer import BLANK
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
    checkpoints.average("same", ["run-0", "run-0", "run-0"])
    for name, weight in checkpoints.load("same").state_dict().items():
        assert torch.equal(weight, first[name])


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


def test_a_student_writes_like_an_earlier_one_and_keeps_the_queries_of_new_tasks(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(checkpoints, "WORK", tmp_path)
    torch.manual_seed(0)
    earlier = Narvl(replace(SMALL, answer_slots=3))
    average = AveragedModel(earlier).state_dict()
    state = {"kind": "narvl", "config": earlier.config.to_json(), "average": average}
    checkpoints.save("earlier", state)
    model = Narvl(replace(SMALL, answer_slots=4, box_slots=2))
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    checkpoints.write_like(model, "earlier")

    torch.testing.assert_close(model.decoder.state_dict(), earlier.decoder.state_dict())
    for task, shared in (("caption", 6), ("answer", 3)):
        first, start = earlier.query_range(task)[0], model.query_range(task)[0]
        ours, theirs = (m.queries[at : at + shared] for m, at in ((model, start), (earlier, first)))
        torch.testing.assert_close(ours, theirs)
    start, count = model.query_range("locate")
    own = slice(start - 1, start + count)  # the answers' last too
    torch.testing.assert_close(model.queries[own], before["queries"][own])
    torch.testing.assert_close(model.words[BLANK], earlier.words[BLANK])
    torch.testing.assert_close(model.words[BLANK + 1 :], before["fusion.word.weight"][BLANK + 1 :])
    torch.testing.assert_close(
        model.fusion.layers.state_dict(),
        {k.removeprefix("fusion.layers."): v for k, v in before.items() if "fusion.layers." in k},
    )


def test_a_teacher_has_no_writing_to_take_over(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(checkpoints, "WORK", tmp_path)
    average = AveragedModel(AutoregressiveCaptioner(SMALL)).state_dict()
    checkpoints.save("ar", {"kind": "ar", "config": SMALL.to_json(), "average": average})
    with pytest.raises(SystemExit, match="ar is an autoregressive run"):
        checkpoints.write_like(Narvl(SMALL), "ar")


def test_a_word_detector_goes_along_or_is_left_out(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(checkpoints, "WORK", tmp_path)
    torch.manual_seed(0)
    listening = replace(SMALL, words=8, vocabulary=52)
    student = Narvl(listening)
    assert student.fusion.word_detector is not None
    torch.nn.init.normal_(student.fusion.word_detector.table)
    torch.nn.init.normal_(student.tilt)
    checkpoints.keep_start("student", student)

    again, twin = Narvl(listening), AutoregressiveCaptioner(listening)
    for model in (again, twin):
        checkpoints.start_from(model, "student")
        torch.testing.assert_close(model.fusion.state_dict(), student.fusion.state_dict())
    torch.testing.assert_close(again.tilt, student.tilt)
    assert twin.tilt.shape == (1,)

    # A student of a twin hears as much as that, in what both write.
    torch.nn.init.constant_(twin.tilt, 0.7)
    checkpoints.keep_start("twin", twin)
    checkpoints.start_from(again, "twin")
    first, count = again.query_range("answer")
    assert again.tilt[: first + count].unique().tolist() == pytest.approx([0.7])

    # A student that hears less than its twin, or more, has the rest of it all the same.
    deaf = Narvl(replace(SMALL, vocabulary=52))
    for run in ("twin", "student"):
        checkpoints.start_from(deaf, run)
        theirs = checkpoints.load(run).fusion.layers.state_dict()
        torch.testing.assert_close(deaf.fusion.layers.state_dict(), theirs)
    torch.testing.assert_close(deaf.queries, student.queries)
    for run in ("twin", "student"):
        with pytest.raises(SystemExit, match=rf"`model\.words` to be that of {run}, 8, got 4"):
            checkpoints.start_from(Narvl(replace(listening, words=4)), run)
    checkpoints.keep_start("unheard", AutoregressiveCaptioner(deaf.config))
    own = again.fusion.word_detector.table.clone()
    checkpoints.start_from(again, "unheard")
    torch.testing.assert_close(again.fusion.word_detector.table, own)
    assert torch.equal(again.fusion.word.weight[1:], checkpoints.load("unheard").words[1:])


def test_what_a_network_has_no_place_for_is_not_dropped_in_silence(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(checkpoints, "WORK", tmp_path)
    monkeypatch.setattr(checkpoints, "name_tags", lambda _: None)
    checkpoints.keep_start("told", Narvl(replace(SMALL, tags=True)))
    with pytest.raises(KeyError, match=r"fusion\.tags"):
        checkpoints.start_from(Narvl(SMALL), "told")
