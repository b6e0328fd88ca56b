"""What each kind of run minimises, from a batch to a scalar loss."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.data.batches import Batch, pad_texts
from training.data.tokenizer import BLANK, BOS, EOS, PAD
from training.network.model import AutoregressiveCaptioner, Memory, Narvl, Task
from training.objectives.query_ctc import QueryCtc, best_alignment, query_ctc, smoothed
from training.objectives.regularisers import apart, disagreement, repetition
from training.runs.recipe import Run


class Objective(Protocol):
    def __call__(self, batch: Batch, task: Task, progress: float) -> Tensor:
        """The loss of a batch of one task; `progress` of the run is 0 to 1."""

    def counts(self) -> dict[str, float]:
        """What the log tells beside the loss."""


def some(texts: list[list[int]], most: int, rng: np.random.Generator) -> list[list[int]]:
    """At most `most` texts, another choice each time."""
    if len(texts) <= most:
        return texts
    return [texts[i] for i in rng.permutation(len(texts))[:most]]


class ArObjective:
    """Cross-entropy of each next word, label-smoothed; one memory for all texts of an image."""

    def __init__(self, model: AutoregressiveCaptioner, run: Run, rng: np.random.Generator) -> None:
        self.model, self.run, self.rng = model, run, rng

    def __call__(self, batch: Batch, task: Task, progress: float) -> Tensor:
        longest = self.model.config.slots - 1  # BOS takes a position
        fitting = [[t for t in texts if len(t) <= longest] for texts in batch.texts]
        chosen = [some(texts, self.run.references, self.rng) for texts in fitting]
        owner = torch.tensor([b for b, texts in enumerate(chosen) for _ in texts])
        texts = [text for texts in chosen for text in texts]
        device = batch.features.device
        read = pad_texts([[BOS, *t] for t in texts], PAD).to(device)
        write = pad_texts([[*t, EOS] for t in texts], PAD).to(device)
        logits = self.model(
            batch.features, batch.prompt, read, owner.to(device), batch.told, batch.evidence
        )
        return F.cross_entropy(
            logits.float().flatten(0, 1),
            write.flatten(),
            ignore_index=PAD,
            label_smoothing=self.run.smoothing,
        )

    def counts(self) -> dict[str, float]:
        return {}


def pad_references(texts: list[list[list[int]]]) -> tuple[Tensor, Tensor]:
    """Labels [B, R, S] and lengths [B, R] of B images' texts, padded with EOS."""
    longest = max(len(t) for image in texts for t in image)
    labels = torch.full((len(texts), max(map(len, texts)), max(longest, 1)), EOS)
    lengths = torch.zeros(labels.shape[:2], dtype=torch.long)
    for b, image in enumerate(texts):
        for r, text in enumerate(image):
            labels[b, r, : len(text)] = torch.tensor(text, dtype=torch.long)
            lengths[b, r] = len(text)
    return labels, lengths


class NarvlObjective:
    """Query-CTC, all references of an image on one decoder pass; counts those that do not fit.

    Options, each an ablation row: the probability of all references together (`learn = "any"`),
    a loss on the middle layer too (`deep`, as in Huang et al. 2022), `glance`: words of the best
    alignment shown to some of the slots that are still wrong, so that the others learn to agree
    with them (Qian et al. 2021; with CTC as Gu & Kong 2021), and terms on the posteriors:
    `repetition`, and `consistency` of two passes that drop out different units.
    """

    def __init__(self, model: Narvl, run: Run, rng: np.random.Generator) -> None:
        self.model, self.run, self.rng = model, run, rng
        self.infeasible = 0
        self.revealed: list[float] = []

    def __call__(self, batch: Batch, task: Task, progress: float) -> Tensor:
        run, device = self.run, batch.features.device
        texts = [
            [[*t, EOS] for t in some(texts, run.references, self.rng)] for texts in batch.texts
        ]
        labels, lengths = (t.to(device) for t in pad_references(texts))
        memory = self.model.read(batch.features, batch.prompt, batch.told, batch.evidence)
        revealed = None
        if run.glance is not None and task == "caption":
            start, end = run.glance
            revealed, best = self.glance(memory, labels, lengths, start + (end - start) * progress)
            # What is shown comes from one reference, and only that one can be asked for.
            labels = labels.gather(1, best[:, None, None].expand(-1, 1, labels.shape[2]))
            lengths = lengths.gather(1, best[:, None])
        tap = self.model.config.decoder_layers // 2 if run.deep else None
        last, middle = self.model.write(memory, task, revealed, tap)
        loss = self.loss(last.float(), labels, lengths, count=True)
        if middle is not None:
            loss = loss + run.deep * self.loss(middle.float(), labels, lengths)
        if run.repetition:
            loss = loss + run.repetition * repetition(last.float(), labels, lengths)
        if run.consistency:
            memory = self.model.read(batch.features, batch.prompt, batch.told, batch.evidence)
            other = self.model.write(memory, task, revealed)[0].float()
            loss = (loss + self.loss(other, labels, lengths)) / 2
            loss = loss + run.consistency * disagreement(last.float(), other)
        return loss

    def loss(self, logits: Tensor, labels: Tensor, lengths: Tensor, count: bool = False) -> Tensor:
        if self.run.loss == "ce":
            return slot_cross_entropy(logits, labels, lengths, self.run.smoothing)
        result = query_ctc(logits, labels, lengths, BLANK)
        if count:
            self.infeasible += int(result.infeasible.sum())
        loss = result.any() if self.run.learn == "any" else result.each()
        return smoothed(loss, logits, self.run.smoothing)

    @torch.no_grad()
    def glance(
        self, memory: Memory, labels: Tensor, lengths: Tensor, share: float
    ) -> tuple[Tensor, Tensor]:
        """Words to show [B, slots] (-1: none) and the reference [B] that they are from: the one
        that the model finds likeliest, and `share` of as many slots as it gets wrong."""
        logits = self.model.write(memory, "caption")[0].float()
        best = likeliest(query_ctc(logits, labels, lengths, BLANK))
        rows = torch.arange(len(best), device=best.device)
        path = best_alignment(logits, labels[rows, best], lengths[rows, best], BLANK)
        wrong = (logits.argmax(-1) != path).sum(1, keepdim=True)
        order = torch.rand(path.shape, device=path.device).argsort(1)
        shown = order < (share * wrong).round()
        self.revealed.append(shown.float().mean().item())
        return torch.where(shown, path, -1), best

    def counts(self) -> dict[str, float]:
        counts: dict[str, float] = {"infeasible": self.infeasible}
        if self.revealed:
            counts["revealed"] = float(np.mean(self.revealed))
            self.revealed = []
        return counts


class SlotObjective:
    """How far each slot is from what an exemplar's, a student that sees the same, says
    (distillation, Hinton et al. 2015); texts do not count."""

    def __init__(self, model: Narvl, exemplar: Narvl) -> None:
        self.model, self.exemplar = model, exemplar

    def __call__(self, batch: Batch, task: Task, progress: float) -> Tensor:
        given = batch.features, batch.prompt, batch.told, batch.evidence
        with torch.no_grad():
            known = self.exemplar.write(self.exemplar.read(*given), task)[0]
        return apart(self.model.write(self.model.read(*given), task)[0].float(), known.float())

    def counts(self) -> dict[str, float]:
        return {}


def likeliest(result: QueryCtc) -> Tensor:
    """The index [B] of each image's reference with the greatest probability."""
    return result.negative_log_likelihood.masked_fill(~result.counted, float("inf")).argmin(1)


def slot_cross_entropy(logits: Tensor, labels: Tensor, lengths: Tensor, smoothing: float) -> Tensor:
    """The paper's baseline without alignments: slot t says word t, and the rest says nothing.

    What does not fit is cut.
    """
    slots = logits.shape[1]
    references = labels.shape[1]
    padded = F.pad(labels, (0, max(0, slots - labels.shape[2])))[..., :slots]
    inside = torch.arange(slots, device=labels.device) < lengths.unsqueeze(-1)
    target = torch.where(inside, padded, BLANK)
    target = torch.where(lengths.unsqueeze(-1) > 0, target, PAD)  # no reference there
    return F.cross_entropy(
        logits.unsqueeze(1).expand(-1, references, -1, -1).flatten(0, 2),
        target.flatten(),
        ignore_index=PAD,
        label_smoothing=smoothing,
    )
