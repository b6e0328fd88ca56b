"""`python -m training`: every command is listed and can be called, and no other."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from training.__main__ import listed
from training.data.formats import Example
from training.paths import REPOSITORY
from training.scoring.evaluation import only


def run(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training", *args]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)


def test_all_are_listed_with_what_they_do() -> None:
    out = run().stdout
    assert {"train", "evaluate", "export", "pictures"} <= listed().keys()
    for says in listed().values():
        assert len(says) > 20
        assert says in out


@pytest.mark.parametrize("name", listed())
def test_each_can_be_called(name: str) -> None:
    assert callable(importlib.import_module(f"training.commands.{name}").main)


def test_arguments_are_the_command_s_own() -> None:
    found = run("photo_sizes", "--help")
    assert found.returncode == 0
    assert "usage: python -m training photo_sizes" in found.stdout


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    found = run("trian")
    assert found.returncode == 1
    assert "'trian'" in found.stderr
    assert "python -m training train" in found.stderr


def test_some_sources_can_be_scored_alone() -> None:
    of = {name: [Example(name, "", (), "")] for name in ("a", "b", "c")}
    assert only(of, None) == of
    assert only(of, ["c", "a"]) == {"c": of["c"], "a": of["a"]}
    with pytest.raises(SystemExit, match="expected sources among a, b, c; got d"):
        only(of, ["a", "d"])
    found = run("evaluate", "some", "--only", "boxes", "--sources", "a")
    assert found.returncode == 2
    assert "expected --only captions or answers beside --sources, got boxes" in found.stderr
