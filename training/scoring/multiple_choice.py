"""Multiple choice by likelihood: which of the answers offered does a model find likeliest?

For Narvl that is Query-CTC itself, exact over all alignments, every choice against one pass.
"""

from __future__ import annotations

import torch
from torch import Tensor
from tqdm import tqdm

from training.data import tokenizer as vocabulary
from training.data.batches import Batch, Batches
from training.data.formats import Example
from training.data.tokenizer import BLANK, EOS
from training.network.model import AutoregressiveCaptioner, Narvl, Task
from training.objectives.likelihood import pad_references
from training.objectives.query_ctc import query_ctc
from training.objectives.reward import mean_log_probability


def log_likelihoods(
    model: AutoregressiveCaptioner | Narvl,
    batch: Batch,
    offered: list[list[list[int]]],
    task: Task = "answer",
) -> Tensor:
    """[B, choices] of log p(answer, EOS), for as many choices in each image of the batch."""
    if isinstance(model, Narvl):
        labels, lengths = pad_references([[[*t, EOS] for t in texts] for texts in offered])
        logits = model(batch.features, batch.prompt, task).float()
        return -query_ctc(logits, labels, lengths, BLANK).negative_log_likelihood
    flat = [t for texts in offered for t in texts]
    each = len(offered[0])
    mean = mean_log_probability(model, batch, flat, each).view(len(offered), each)
    return mean * torch.tensor([[len(t) + 1 for t in texts] for texts in offered])


@torch.no_grad()
def choice_accuracy(
    model: AutoregressiveCaptioner | Narvl, batches: Batches, examples: list[Example], title: str
) -> float:
    """Percent of questions whose right answer is the likeliest of those offered."""
    tokenizer, right, rest = vocabulary.load(), 0, iter(examples)
    for batch in tqdm(batches.in_order(), total=len(batches), desc=title):
        offered = [
            [tokenizer.encode(t).ids for t in (e.texts[0], *e.distractors)]
            for e in (next(rest) for _ in batch.examples)
        ]
        scores = log_likelihoods(model, batch, offered)
        right += int((scores.argmax(1) == 0).sum())
    return 100 * right / len(examples)
