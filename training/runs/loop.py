"""The loop that trains one run of the recipe."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from training.data import tokenizer as vocabulary
from training.data.batches import Batch, Batches, Names
from training.data.examples import (
    captions,
    own_captions,
    phrases,
    questions,
    statements,
    together,
)
from training.data.formats import Example
from training.data.tokenizer import EOS
from training.eyes.evidence import Evidence, detect_with
from training.eyes.features import Features
from training.network.autocast import autocast
from training.network.model import AutoregressiveCaptioner, Config, Narvl, Task
from training.objectives.likelihood import (
    ArObjective,
    NarvlObjective,
    Objective,
    SlotObjective,
)
from training.objectives.query_ctc import slots_needed
from training.objectives.reward import RewardObjective
from training.paths import WORK
from training.runs.checkpoints import (
    checkpoint,
    keep_start,
    load,
    name_tags,
    save,
    start_from,
    write_like,
)
from training.runs.processes import processes
from training.runs.recipe import Run, recipe
from training.runs.teacher import taught_answers, taught_captions
from training.runs.validation import Validation

EYES_RATE = 0.1
"""What an unfrozen stage of the backbone learns at, of the rate of what starts from nothing."""
EMA = 0.998
"""How much of the averaged weights a step keeps, once there are many."""


@torch.no_grad()
def average_in(averaged: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
    """Move averaged weights towards the current ones; early on by more, so that a short run's are
    not those that it started from."""
    if not averaged[0].is_floating_point():  # a count, of buffers
        torch._foreach_copy_(averaged, current)
        return
    keep = min(EMA, (1 + int(steps)) / (10 + int(steps)))
    torch._foreach_lerp_(averaged, current, 1 - keep)


def learning_rate(step: int, run: Run) -> float:
    """Linear warm-up, then half a cosine down to a hundredth."""
    if step < run.warmup:
        return run.lr * (step + 1) / run.warmup
    progress = (step - run.warmup) / max(1, run.steps - run.warmup)
    return run.lr * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * progress)))


SHARES = (1.0, EYES_RATE)
"""Of the learning rate, by group of `parameter_groups`."""


def parameter_groups(model: AutoregressiveCaptioner | Narvl) -> list[dict[str, list[nn.Parameter]]]:
    """All parameters but the eyes', and those if they learn."""
    if model.fusion.stage is None:
        return [{"params": list(model.parameters())}]
    eyes = list(model.fusion.stage.parameters())
    known = set(eyes)
    return [{"params": [p for p in model.parameters() if p not in known]}, {"params": eyes}]


def captioned(run: Run) -> list[Example]:
    """The photos and captions that a run learns from."""
    references = together(captions("train"))
    if run.targets == "references":  # with `own`, those are learnt beside these
        return without(references, own_captions()) if run.own else references
    assert run.teacher is not None, "targets from a teacher need `teacher`"
    known = {(e.image, e.prompt): e.texts for e in references if run.targets == "both"}
    own = own_captions()
    taught = without(taught_captions(run.teacher, run), own)
    return [
        *(
            Example(e.image, e.prompt, (*e.texts, *known.get((e.image, e.prompt), ())), e.kind)
            for e in taught
        ),
        *([] if run.own else own),
    ]


def without(examples: list[Example], others: list[Example]) -> list[Example]:
    """Those of photos that are not among the others'."""
    images = {e.image for e in others}
    return [e for e in examples if e.image not in images]


def answered(run: Run) -> list[Example]:
    """The questions and answers that a run learns from."""
    if run.answers == "references":
        return together(questions("train"))
    assert run.teacher is not None, "answers from a teacher need `teacher`"
    return taught_answers(run.teacher)


def _detect(model: AutoregressiveCaptioner | Narvl, run: Run) -> None:
    """Give a network with a word detector the one that was learnt, unless it starts with one."""
    if model.config.words and not (run.start and load(run.start).config.words):
        detect_with(model.fusion.word_detector, model.config.eyes)


def build(run: Run, config: Config, rng: np.random.Generator) -> tuple[nn.Module, Objective]:
    """The network, where it starts from, and what it minimises."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if run.kind == "ar":
        twin = AutoregressiveCaptioner(config).to(device)
        name_tags(twin)
        if run.start:
            start_from(twin, run.start)
        _detect(twin, run)
        return twin, ArObjective(twin, run, rng)
    model = Narvl(config).to(device)
    name_tags(model)
    if run.start:
        start_from(model, run.start)
    if run.writer:
        write_like(model, run.writer)
    _detect(model, run)
    if run.kind == "narvl":
        return model, NarvlObjective(model, run, rng)
    assert run.teacher is not None, "a reward needs `teacher`"
    judge = load(run.teacher).to(device)
    assert isinstance(judge, AutoregressiveCaptioner)
    # People's words where there are any; elsewhere the teacher's captions are what is worth most.
    references = {(e.image, e.prompt): e.texts for e in captioned(run)}
    references |= {(e.image, e.prompt): e.texts for e in together(captions("train"))}
    return model, RewardObjective(model, judge, run, rng, references)


Lesson = tuple[Callable[[], list[Example]], int, Task, float, Objective]
"""What is learnt: examples, how many a step, of which task, with what weight and objective."""


def lessons(model: nn.Module, run: Run, objective: Objective) -> list[Lesson]:
    """All that a run may learn in a step; of what it does not, the number is 0."""
    captions_too: Lesson = (lambda: captioned(run), run.captions, "caption", 1.0, objective)
    if run.slots_of:
        held = holding(model, run.slots_of)
        captions_too = (*captions_too[:3], run.slot_weight, held)
    return [
        captions_too,
        (own_captions, run.own, "caption", run.own_weight, objective),
        (lambda: answered(run), run.questions, "answer", run.question_weight, objective),
        (lambda: together(phrases("train")), run.boxes, "locate", run.box_weight, objective),
        (
            lambda: together(statements("train")),
            run.statements,
            "entail",
            run.statement_weight,
            objective,
        ),
    ]


def holding(model: nn.Module, run: str) -> SlotObjective:
    """What keeps captions' slots as those of an earlier run are."""
    exemplar = load(run).to(next(model.parameters()).device)
    if isinstance(exemplar, AutoregressiveCaptioner):
        raise SystemExit(f"{run} is an autoregressive run, which has no slots")
    assert isinstance(model, Narvl), "only a student has slots to hold"
    return SlotObjective(model, exemplar)


def report_fit(batches: Batches, slots: int, what: Task) -> None:
    """Say how many targets no alignment can spell: they add nothing to the loss."""
    needed = [slots_needed([*t, EOS]) for texts in batches.texts for t in texts]
    over = sum(n > slots for n in needed)
    print(
        f"{over} of {len(needed)} texts to {what} need more than {slots} slots; "
        f"{batches.cut} prompts cut; {len(batches.drawn) - len(batches.examples)} flipped copies"
    )


def average_gradients(model: nn.Module, count: int) -> None:
    """Over all processes, in one message: hundreds of small ones cost more than they carry."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    parts = (flat / count).split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def train(name: str, run: Run) -> None:
    """Train a run, or go on with it from its checkpoint, alone or with `torchrun`'s processes."""
    with processes() as (rank, count):
        _train(name, run, rank, count)


def _train(name: str, run: Run, rank: int, count: int) -> None:
    torch.manual_seed(run.seed)
    rng = np.random.default_rng([run.seed, rank])
    config, log = recipe().config(run), WORK / f"{name}.jsonl"
    if run.blind and config.words:
        raise SystemExit(f"{name}: expected `model.words` to be 0 where no photo is seen")
    if config.places:
        raise SystemExit(f"{name}: a phrase map is learnt behind a network that stays as it is")
    if (run.flips or run.named) and not config.tags:
        raise SystemExit(f"{name}: flips and named are of tags, which `model.tags` has to turn on")
    model, objective = build(run, config, rng)
    if run.steps == 0:
        if rank == 0:
            keep_start(name, model)
        return
    device = next(model.parameters()).device
    torch.manual_seed(run.seed * count + rank)  # same start, other dropout

    features = Features.none(config.eyes) if run.blind else Features.load(config.eyes)
    tokenizer = vocabulary.load()
    evidence = Evidence.load(config.eyes) if config.words else None
    streams: list[tuple[Iterator[Batch], Task, float, Objective]] = []
    for read, size, task, weight, learn in lessons(model, run, objective):
        if size == 0 or not (examples := read()):
            continue
        flips = run.flips if task in ("caption", "answer") else 0
        batches = Batches(
            examples,
            features,
            tokenizer,
            size,
            config.prompt,
            blind=run.blind,
            flips=flips,
            evidence=evidence,
        )
        if isinstance(model, Narvl):
            report_fit(batches, model.query_range(task)[1], task)
        streams.append((batches.shuffled(rng), task, weight, learn))

    if not streams:
        raise SystemExit(f"{name}: expected captions or questions to learn from, got none")
    if run.named:
        names = Names(tokenizer).shuffled(run.named, config.eyes.channels, rng)
        streams.append((names, "answer", 1.0, objective))

    optimiser = torch.optim.AdamW(parameter_groups(model), betas=(0.9, 0.98), weight_decay=0.03)
    averaged = AveragedModel(model, multi_avg_fn=average_in)
    # Compiled after the copy for averaging, which stays plain. On a CPU this halves a step; texts
    # differ in number and length, so the twin's decoder is compiled for any.
    model.fusion.compile()
    model.decoder.compile(dynamic=run.kind == "ar")
    validate, first = Validation(features, config, run.blind), 0
    if checkpoint(name).exists():
        state = torch.load(checkpoint(name), weights_only=False, map_location=device)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        averaged.load_state_dict(state["average"])
        first = state["step"]
        if rank == 0:
            rng.bit_generator.state = state["rng"]
            torch.set_rng_state(state["torch_rng"].cpu())
        else:  # a checkpoint keeps rank 0's; the others draw anew, and not what they drew before
            seed = [run.seed, rank, first]
            rng.bit_generator.state = np.random.default_rng(seed).bit_generator.state
            torch.manual_seed(int(rng.integers(2**31)))
        print(f"resuming {name} at step {first}")

    losses: dict[Task, list[float]] = defaultdict(list)
    started = time.monotonic()
    steps = range(first, run.steps)
    for step in tqdm(steps, initial=first, total=run.steps, desc=name, disable=rank > 0):
        rate = learning_rate(step, run)
        for group, share in zip(optimiser.param_groups, SHARES, strict=False):
            group["lr"] = rate * share
        optimiser.zero_grad(set_to_none=True)
        for stream, task, weight, learn in streams:
            batch = next(stream).to(device)
            with autocast(device):
                loss = learn(batch, task, step / run.steps)
            (weight * loss).backward()
            losses[task].append(loss.item())
        if count > 1:
            average_gradients(model, count)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        averaged.update_parameters(model)

        done = step + 1
        if rank == 0 and (done % run.every == 0 or done == run.steps):
            averaged.module.eval()
            figures, texts = validate(averaged.module, captions_too=run.captions > 0)
            row = {
                "step": done,
                "seconds": round(time.monotonic() - started),
                **{
                    f"{task} loss": round(float(np.mean(values)), 4)
                    for task, values in losses.items()
                },
                **{k: round(v, 2) for k, v in figures.items()},
                **{k: round(v, 3) for k, v in objective.counts().items()},
            }
            losses.clear()
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            tqdm.write(json.dumps(row) + "\n  " + "\n  ".join(texts[:6]))
            state = {
                "kind": "ar" if run.kind == "ar" else "narvl",
                "config": config.to_json(),
                "run": run.model_dump(),
                "step": done,
                "model": model.state_dict(),
                "average": averaged.state_dict(),
                "optimiser": optimiser.state_dict(),
                "rng": rng.bit_generator.state,
                "torch_rng": torch.get_rng_state(),
            }
            save(name, state)


def validate_average(name: str) -> None:
    """The one line of the log of a run that has no steps."""
    model = load(name)
    validate = Validation(Features.load(model.config.eyes), model.config)
    with torch.no_grad():
        figures, _ = validate(model, captions_too=True)
    row = {"step": 0, **{k: round(v, 2) for k, v in figures.items()}}
    (WORK / f"{name}.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    print(json.dumps(row))
