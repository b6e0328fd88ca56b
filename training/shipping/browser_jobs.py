"""An example as a job of the project's command line."""

from __future__ import annotations

from training.data.formats import Example
from training.runs.recipe import recipe
from training.shipping.export import task_of


def is_question(example: Example) -> bool:
    return example.kind not in recipe().prompts


def job(example: Example) -> dict[str, str]:
    """What `npm run caption -- --tasks` reads: the file, and the question or the caption task."""
    if is_question(example):
        return {"file": example.image, "ask": example.prompt}
    return {"file": example.image, "task": task_of(example.kind)}
