"""One training run, from features to a checkpoint that resumes.

python -m training.train ar    --steps 4000   # the autoregressive twin and teacher
python -m training.train narvl --steps 8000   # Query-CTC on the teacher's captions
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from training import tokenizer as vocabulary
from training.batches import Batch, Batches, pad_texts
from training.data import Example, human_captions, plain_captions
from training.decode import greedy, one_pass
from training.features import Features
from training.model import AutoregressiveCaptioner, Config, Narvl
from training.paths import WORK
from training.query_ctc import query_ctc, slots_needed
from training.scores import bigrams, score
from training.tokenizer import BLANK, BOS, EOS, PAD

SMOOTHING = 0.1
VALIDATION_PHOTOS = 500
REFERENCES = 3
"""Texts of one image that one step learns from."""


def some(texts: list[list[int]], rng: np.random.Generator) -> list[list[int]]:
    """At most REFERENCES texts, another choice each time."""
    if len(texts) <= REFERENCES:
        return texts
    return [texts[i] for i in rng.permutation(len(texts))[:REFERENCES]]


class ArObjective:
    """Cross-entropy of each next word, label-smoothed; one memory for all texts of an image."""

    def __init__(self, model: AutoregressiveCaptioner, rng: np.random.Generator) -> None:
        self.model = model
        self.rng = rng

    def __call__(self, batch: Batch) -> Tensor:
        chosen = [some(texts, self.rng) for texts in batch.texts]
        owner = torch.tensor([b for b, texts in enumerate(chosen) for _ in texts])
        texts = [text for texts in chosen for text in texts]
        read = pad_texts([[BOS, *t] for t in texts], PAD)
        write = pad_texts([[*t, EOS] for t in texts], PAD)
        logits = self.model(batch.features, batch.prompt, read, owner)
        return F.cross_entropy(
            logits.float().flatten(0, 1),
            write.flatten(),
            ignore_index=PAD,
            label_smoothing=SMOOTHING,
        )


class NarvlObjective:
    """Query-CTC, all references of an image on one decoder pass; counts those that do not fit."""

    def __init__(self, model: Narvl, rng: np.random.Generator) -> None:
        self.model = model
        self.rng = rng
        self.infeasible = 0

    def __call__(self, batch: Batch) -> Tensor:
        chosen = [some(texts, self.rng) for texts in batch.texts]
        longest = max(len(t) for texts in chosen for t in texts) + 1
        most = max(map(len, chosen))
        labels = torch.full((len(chosen), most, longest), EOS)
        lengths = torch.zeros(len(chosen), most, dtype=torch.long)
        for b, texts in enumerate(chosen):
            for r, text in enumerate(texts):
                labels[b, r, : len(text)] = torch.tensor(text)
                lengths[b, r] = len(text) + 1  # EOS is part of the target
        result = query_ctc(
            self.model(batch.features, batch.prompt).float(), labels, lengths, BLANK, SMOOTHING
        )
        self.infeasible += int(result.infeasible.sum())
        return result.loss


def teacher_examples() -> list[Example]:
    """The teacher's captions of every training photo in both styles, with `described/`'s own."""
    plain = {e.image: e for e in plain_captions("train")}
    examples = []
    with (WORK / "teacher.jsonl").open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            captions = tuple(row["captions"])
            if row["style"] == "plain":
                captions = (*plain[row["image"]].captions, *captions)
            examples.append(Example(row["image"], row["style"], tuple(dict.fromkeys(captions))))
    return examples


def learning_rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up, then half a cosine down to a hundredth."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return peak * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * progress)))


class Validation:
    """CIDEr-D and fluency on the first photos of Flickr8k's validation split."""

    def __init__(self, features: Features, config: Config) -> None:
        self.tokenizer = vocabulary.load()
        self.examples = human_captions("val")[:VALIDATION_PHOTOS]
        self.batches = Batches(self.examples, features, self.tokenizer, 100, config.prompt)
        self.known = bigrams(
            c for e in human_captions("train") + plain_captions("train") for c in e.captions
        )

    def __call__(self, model: nn.Module) -> tuple[dict[str, float], list[str]]:
        write = one_pass if isinstance(model, Narvl) else greedy
        captions = []
        with torch.autocast("cpu", torch.bfloat16):
            for batch in self.batches.in_order():
                ids = write(model, batch.features, batch.prompt)
                captions += [t.strip() for t in self.tokenizer.decode_batch(ids)]
        return score(captions, [e.captions for e in self.examples], self.known), captions


def save(path: Path, state: dict) -> None:
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["ar", "narvl"])
    parser.add_argument("--name", help="of the run's checkpoint and log; default: the kind")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--warmup", type=int, default=400)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=500, help="steps between validations")
    parser.add_argument("--teacher", default="ar", help="run that narvl starts from")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    config = replace(Config(), dropout=args.dropout)
    features, tokenizer = Features(), vocabulary.load()
    name = args.name or args.kind
    checkpoint, log = WORK / f"{name}.pt", WORK / f"{name}.jsonl"

    if args.kind == "ar":
        model = AutoregressiveCaptioner(config)
        objective = ArObjective(model, rng)
        examples = human_captions("train") + plain_captions("train")
        fits = config.slots - 1  # BOS takes a position
        examples = [
            replace(
                e, captions=tuple(c for c in e.captions if len(tokenizer.encode(c).ids) <= fits)
            )
            for e in examples
        ]
        examples = [e for e in examples if e.captions]
    else:
        model = Narvl(config)
        model.initialise_from(load(args.teacher))
        objective = NarvlObjective(model, rng)
        examples = teacher_examples()

    batches = Batches(examples, features, tokenizer, args.batch, config.prompt)
    if args.kind == "narvl":
        needed = [slots_needed([*t, EOS]) for texts in batches.texts for t in texts]
        over = sum(n > config.slots for n in needed)
        print(f"{over} of {len(needed)} targets need more than {config.slots} slots")

    optimiser = torch.optim.AdamW(
        model.parameters(), lr=args.lr, betas=(0.9, 0.98), weight_decay=0.03
    )
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.998))
    # Compiled after the copy for averaging, which stays plain. On a CPU this halves a step; the
    # twin's texts differ in number and length, so its decoder is compiled for any.
    model.fusion.compile()
    model.decoder.compile(dynamic=args.kind == "ar")
    validate, first = Validation(features, config), 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=False)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.load_state_dict(state["average"])
        rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"])
        first = state["step"]
        print(f"resuming {name} at step {first}")

    losses, started = [], time.monotonic()
    stream = batches.shuffled(rng)
    for step in tqdm(range(first, args.steps), initial=first, total=args.steps, desc=name):
        rate = learning_rate(step, args.steps, args.lr, args.warmup)
        for group in optimiser.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", torch.bfloat16):
            loss = objective(next(stream))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update_parameters(model)
        losses.append(loss.item())

        done = step + 1
        if done % args.every == 0 or done == args.steps:
            average.module.eval()
            figures, captions = validate(average.module)
            row = {
                "step": done,
                "seconds": round(time.monotonic() - started),
                "loss": float(np.mean(losses)),
                **{k: round(v, 2) for k, v in figures.items()},
            }
            if isinstance(objective, NarvlObjective):
                row["infeasible"] = objective.infeasible
            losses = []
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            tqdm.write(json.dumps(row) + "\n  " + "\n  ".join(captions[:6]))
            save(
                checkpoint,
                {
                    "kind": args.kind,
                    "config": config.to_json(),
                    "args": vars(args),
                    "step": done,
                    "model": model.state_dict(),
                    "average": average.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "rng": rng.bit_generator.state,
                    "torch_rng": torch.get_rng_state(),
                },
            )


def load(name: str) -> AutoregressiveCaptioner | Narvl:
    """The averaged weights of a run, ready to write."""
    state = torch.load(WORK / f"{name}.pt", weights_only=False)
    kind = AutoregressiveCaptioner if state["kind"] == "ar" else Narvl
    model = kind(Config(**state["config"]))
    average = AveragedModel(model)
    average.load_state_dict(state["average"])
    return average.module.eval()


if __name__ == "__main__":
    main()
