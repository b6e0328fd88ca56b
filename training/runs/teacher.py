"""What a teacher says of training photos, as other runs learn it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.distributed as dist
from tqdm import tqdm

from training.data import tokenizer as vocabulary
from training.data.batches import Batch, Batches
from training.data.examples import (
    captions,
    own_captions,
    prompts,
    questions,
    together,
    training_photos,
)
from training.data.formats import Example
from training.eyes.evidence import Evidence
from training.eyes.features import Features
from training.network.autocast import autocast
from training.network.model import AutoregressiveCaptioner, Narvl
from training.paths import WORK
from training.runs.checkpoints import load
from training.runs.processes import processes
from training.runs.recipe import Run
from training.scoring.caption_scores import says_twice
from training.writing.ctc_beam import FOR_CAPTIONS, prefix_beam
from training.writing.decode import beam_search
from training.writing.guides import searchable
from training.writing.ngram import of_captions

BORROWED = 2
"""Questions that each photo is asked beside its own."""
_OFTEN = 3
"""A question that so many photos were asked makes sense for another."""


def captions_file(teacher: str, search: Literal["beam", "greedy"]) -> Path:
    return WORK / f"captions-of-{teacher}{'-greedy' if search == 'greedy' else ''}.jsonl"


def answers_file(teacher: str) -> Path:
    return WORK / f"answers-of-{teacher}.jsonl"


def _rows(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def taught_captions(teacher: str, run: Run) -> list[Example]:
    """The best captions of each photo and style, as many of them and in the order that `run` says.

    "A blue shirt and blue shirt" should not be taught: what says nothing twice is preferred unless
    the run keeps it, the order else being the teacher's.
    """
    asked = prompts()
    examples = []
    for row in _rows(captions_file(teacher, run.search)):
        texts = sorted(row["texts"], key=says_twice) if run.twice == "last" else row["texts"]
        examples.append(
            Example(row["image"], asked[row["style"]], tuple(texts[: run.keep]), row["style"])
        )
    return examples


def taught_answers(teacher: str) -> list[Example]:
    """The teacher's answers, but a person's where both are one word: several people's wordings
    contradict each other only where there is more than one word to choose."""
    known = {(e.image, e.prompt): e.texts[0] for e in together(questions("train"))}
    examples = []
    for row in _rows(answers_file(teacher)):
        answer = row["texts"][0]
        given = known.get((row["image"], row["question"]), answer)
        text = answer if " " in answer or " " in given else given
        examples.append(Example(row["image"], row["question"], (text,), row["style"]))
    return examples


def every_prompt(own: bool = False) -> list[Example]:
    """Every training photo in every style, but for those whose own captions are learnt. `own`: in
    the first style, and in others only where somebody wrote so of it."""
    asked, references = prompts(), {e.image for e in own_captions()}
    first = next(iter(asked), None)
    known = {(e.image, e.prompt) for e in together(captions("train"))}
    return [
        Example(photo, prompt, (), style)
        for style, prompt in asked.items()
        for photo in sorted(training_photos() - references)
        if not own or style == first or (photo, prompt) in known
    ]


def every_question(seed: int = 0) -> list[Example]:
    """The training questions, and for each training photo some of those that several were asked."""
    own = together(questions("train"))
    asked = Counter(e.prompt for e in own)
    often = [e for e in own if asked[e.prompt] >= _OFTEN]
    rng = np.random.default_rng(seed)
    borrowed = [
        Example(photo, often[i].prompt, (), often[i].kind)
        for photo in sorted(training_photos())
        for i in rng.choice(len(often), BORROWED if often else 0)
    ]
    return list({(e.image, e.prompt): e for e in [*borrowed, *own]}.values())


def distill(teacher: str, examples: list[Example], beams: int, batch: int, path: Path) -> None:
    """Write up to `beams` texts of the teacher for each example, best first: of a twin's beam
    search or, where the teacher writes captions in one pass, of the runtime's prefix beam. Of
    `torchrun`'s processes each asks about its share, whose rows follow each other in the file."""
    model = load(teacher)
    with processes() as (rank, count):
        part = path.with_name(f"{path.name}.part{rank}")
        _ask(model, examples[rank::count], beams, batch, part)
        if count > 1:
            dist.barrier()
        if rank == 0:
            whole, *others = (path.with_name(f"{path.name}.part{n}") for n in range(count))
            with whole.open("ab") as file:
                for other in others:
                    file.write(other.read_bytes())
                    other.unlink()
            whole.rename(path)


def _ask(
    model: AutoregressiveCaptioner | Narvl,
    examples: list[Example],
    beams: int,
    batch: int,
    path: Path,
) -> None:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    tokenizer = vocabulary.load()
    eyes = model.config.eyes
    batches = Batches(
        examples,
        Features.load(eyes),
        tokenizer,
        batch,
        model.config.prompt,
        evidence=Evidence.load(eyes) if model.config.words else None,
    )
    with path.open("w", encoding="utf-8") as file, torch.no_grad(), autocast(device):
        for found in tqdm(batches.in_order(), total=len(batches), desc=path.name):
            found = found.to(device)
            for example, ids in zip(found.examples, _searched(model, found, beams), strict=True):
                texts = [t.strip() for t in tokenizer.decode_batch(ids)]
                row = {"image": example.image, "question": example.prompt, "style": example.kind}
                file.write(json.dumps(row | {"texts": texts}) + "\n")


def _searched(
    model: AutoregressiveCaptioner | Narvl, batch: Batch, beams: int
) -> Iterator[list[list[int]]]:
    """The best texts of each photo, as many as `beams` or fewer."""
    if isinstance(model, AutoregressiveCaptioner):
        for found in beam_search(model, batch.features, batch.prompt, beams, batch.evidence):
            yield [text for text, _ in found]
        return
    logits = model(batch.features, batch.prompt, evidence=batch.evidence).float()
    for slots, guide in searchable(model, batch.features, logits, of_captions(), FOR_CAPTIONS):
        yield [text for text, _ in prefix_beam(slots, guide, FOR_CAPTIONS)[:beams]]
