"""Calibration: what was distorted is found again, and the error says by how much it was."""

import itertools
import json

import pytest
import torch

from training.commands import calibrate
from training.data.formats import Example
from training.eyes.features import Features
from training.network.model import Config, Narvl, Task
from training.scoring import calibration
from training.scoring.calibration import along, calibration_error, curve, shares, sharing, words_of

SMALL = Config(width=32, heads=4, encoder_layers=1, decoder_layers=1, ffn=48)
NO_FEATURES = Features.none(SMALL.eyes)


def test_the_curve_finds_what_the_frequencies_are_and_rises() -> None:
    torch.manual_seed(0)
    log_p = -3 * torch.rand(60_000)
    truth = (1.5 * log_p + 2).sigmoid()
    knots = curve(log_p, torch.rand(60_000) < truth)
    assert all(a < c and b <= d for (a, b), (c, d) in itertools.pairwise(knots))
    assert (along(log_p, knots) - truth).abs().max() < 0.06
    assert along(torch.tensor([-99.0, 9.0]), knots).tolist() == [knots[0][1], knots[-1][1]]


def test_the_temperature_is_found_and_how_often_scores_say_nothing() -> None:
    torch.manual_seed(0)
    logits = 2 * torch.randn(40_000, 4)
    meant = torch.distributions.Categorical(logits=logits).sample()
    drawn = torch.where(torch.rand(40_000) < 0.3, torch.randint(4, (40_000,)), meant)
    order = torch.stack([drawn, *((drawn + i) % 4 for i in (1, 2, 3))], 1)
    weight, floor = sharing(3 * logits.gather(1, order))
    assert abs(weight - 1 / 3) < 0.03
    assert abs(floor - 0.3) < 0.03
    assert (shares(logits[:5], weight, floor).sum(1) - 1).abs().max() < 1e-9


def test_the_error_is_the_distance_between_what_is_said_and_what_happens() -> None:
    right = torch.arange(1000) % 2 == 0
    assert calibration_error(torch.full((1000,), 0.9), right) > 39
    assert calibration_error(torch.full((1000,), 0.5), right) < 4


def test_words_are_what_begins_with_a_space() -> None:
    space = "\u0120"
    assert words_of([f"{space}a", f"{space}gold", "fish", ",", f"{space}swims"]) == [
        ("a", [0]),
        ("goldfish", [1, 2, 3]),
        ("swims", [4]),
    ]


def test_function_words_are_judged_apart_from_content(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = {5: "\u0120a", 6: "\u0120dog", 7: "fish", 8: "\u0120on", 9: "\u0120cat"}

    class Spelling:
        def id_to_token(self, token: int) -> str:
            return pieces[token]

    photo = Example("a.jpg", "", tuple(["a dogfish swims"] * 5), "human")
    few = Example("b.jpg", "", ("a cat",), "human")
    monkeypatch.setattr(calibration.vocabulary, "load", Spelling)
    monkeypatch.setattr(calibration, "function_words", lambda: frozenset((5, 8)))
    monkeypatch.setattr(calibration, "captions", lambda split: {"all": [photo, few]})
    said = ([5, 6, 7, 8, 9], [-0.5, -1.0, -3.0, -4.0, -5.0])
    monkeypatch.setattr(calibration, "written", lambda model, features, examples, *_: [said])
    content, function = calibration.captioned(Narvl(SMALL), NO_FEATURES, "val")
    assert [t.tolist() for t in content] == [[-2.0, -5.0], [True, False]]  # "dogfish", "cat"
    assert [t.tolist() for t in function] == [[-0.5, -4.0], [True, False]]  # "a", "on"


def test_people_agree_in_function_words_more_than_in_content(monkeypatch) -> None:
    texts = ("a dog swims", "a dog swims", "a dog barks", "the dog sits", "a cat")
    photo, few = (Example(i, "", t, "human") for i, t in (("a.jpg", texts), ("b.jpg", ("a bee",))))
    monkeypatch.setattr(calibration, "captions", lambda split: {"all": [photo, few]})
    # dog, dog, dog, dog and both swims, of 9; the four a, of 5.
    assert calibration.agreement("val") == (pytest.approx(600 / 9), 80)


def test_a_task_can_be_calibrated_alone(tmp_path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    model = Narvl(SMALL)
    monkeypatch.setattr(calibration, "WORK", tmp_path)
    monkeypatch.setattr(calibrate, "rounded", lambda run, precision: model)
    monkeypatch.setattr(calibrate, "seen", lambda eyes, images, precision: None)
    monkeypatch.setattr(calibrate, "READERS", dict.fromkeys(calibrate.READERS, lambda split: {}))
    said: dict[Task, dict] = {"answer": {"curve": [[0, 1]]}, "caption": {"curve": [[0, 0.5]]}}

    def run(*arguments: str) -> dict:
        ways = {
            task: lambda model, features, one=one: (one, [{"what": "some"}])
            for task, one in said.items()
        }
        monkeypatch.setattr(calibrate, "CALIBRATIONS", {**ways, "locate": lambda *_: None})
        monkeypatch.setattr("sys.argv", ["calibrate", "some", *arguments])
        calibrate.main()
        return json.loads(calibration.calibration_file("some").read_text())

    first = run()
    assert first == {"answer": {"curve": [[0, 1]]}, "caption": {"curve": [[0, 0.5]]}}
    said["answer"], said["caption"] = {"curve": []}, {"curve": [[0, 0.25]]}
    with pytest.raises(SystemExit, match="nothing to calibrate locate on"):
        run("--only", "locate")
    assert run("--only", "caption", "locate") == {**first, "caption": {"curve": [[0, 0.25]]}}
