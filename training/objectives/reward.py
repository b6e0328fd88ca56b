"""Learning from what whole texts are worth, after learning from their likelihood.

Words chosen independently mix the wordings that a photo could have. A likelihood cannot tell the
model that; the worth of the mixed text can. So texts are drawn from the model (one pass draws any
number of them), each is judged as a whole, and the better half becomes likelier: self-critical
training (Rennie et al. 2017), for one-pass captioning first used by Guo et al. (2020). Query-CTC
makes it less noisy, since the gradient is that of the text's probability, all paths together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from training.data import tokenizer as vocabulary
from training.data.batches import Batch, pad_texts
from training.data.tokenizer import BLANK, BOS, EOS, PAD
from training.network.model import AutoregressiveCaptioner, Narvl, Task
from training.objectives.likelihood import NarvlObjective, pad_references
from training.objectives.query_ctc import query_ctc
from training.runs.recipe import Run
from training.scoring.caption_scores import words
from training.writing.decode import until_eos

_Vectors = tuple[list[dict[tuple[str, ...], float]], list[float], int]


class CiderD:
    """CIDEr-D (Vedantam et al. 2015) of single texts, against references kept as vectors.

    The scorers score a whole split at once and take its references' document frequencies; a
    reward is wanted a text at a time, with the training set's. Same formula, same scale (0 to 10).
    """

    ORDERS = 4
    SIGMA = 6.0

    def __init__(self, references: Iterable[Sequence[str]]) -> None:
        images = [[words(t) for t in texts] for texts in references]
        self.frequency: Counter[tuple[str, ...]] = Counter()
        for texts in images:
            self.frequency.update({g for t in texts for g in self._grams(t)})
        self.log_images = math.log(max(2, len(images)))

    def vectors(self, text: str) -> _Vectors:
        """The tf-idf vector of each order, its length, and the number of words."""
        row = words(text)
        vectors: list[dict[tuple[str, ...], float]] = [{} for _ in range(self.ORDERS)]
        for gram, count in self._grams(row).items():
            rarity = self.log_images - math.log(max(1, self.frequency[gram]))
            vectors[len(gram) - 1][gram] = count * rarity
        norms = [math.sqrt(sum(v * v for v in vector.values())) for vector in vectors]
        # The scorer counts pairs, not words, as the length.
        return vectors, norms, max(0, len(row) - 1)

    def score(self, text: _Vectors, references: Sequence[_Vectors]) -> float:
        total = 0.0
        ours, norms, length = text
        for theirs, their_norms, their_length in references:
            close = math.exp(-((length - their_length) ** 2) / (2 * self.SIGMA**2))
            for a, b, na, nb in zip(ours, theirs, norms, their_norms, strict=True):
                if na and nb:
                    dot = sum(min(v, b[g]) * b[g] for g, v in a.items() if g in b)
                    total += close * dot / (na * nb)
        return 10 * total / (self.ORDERS * max(1, len(references)))

    def _grams(self, row: list[str]) -> Counter[tuple[str, ...]]:
        return Counter(
            tuple(row[i : i + n])
            for n in range(1, self.ORDERS + 1)
            for i in range(len(row) - n + 1)
        )


class RewardObjective:
    """Minus the expected worth of the model's own captions, and a little of the loss before.

    worth = run.cider * CIDEr-D + run.likelihood * mean log-probability of a word by the teacher.
    Each text is compared with the mean of the others of its image. Answers are learnt as before.
    """

    def __init__(
        self,
        model: Narvl,
        teacher: AutoregressiveCaptioner,
        run: Run,
        rng: np.random.Generator,
        references: dict[tuple[str, str], Sequence[str]],
    ) -> None:
        self.model, self.teacher, self.run = model, teacher.eval(), run
        self.tokenizer = vocabulary.load()
        self.cider = CiderD(references.values())
        self.references = {
            key: [self.cider.vectors(t) for t in texts] for key, texts in references.items()
        }
        self.anchor = NarvlObjective(model, run, rng)
        self.seen: list[tuple[float, float]] = []

    def __call__(self, batch: Batch, task: Task, progress: float) -> Tensor:
        if task != "caption":
            return self.anchor(batch, task, progress)
        memory = self.model.read(batch.features, batch.prompt, evidence=batch.evidence)
        logits = self.model.write(memory, "caption")[0].float()
        policy = logits / self.run.temperature
        drawn = draw(policy, self.run.samples)
        worth = self.worth(batch, [[until_eos(t) for t in texts] for texts in drawn])
        others = (worth.sum(1, keepdim=True) - worth) / (self.run.samples - 1)
        labels, lengths = (t.to(logits.device) for t in pad_references(drawn))
        advantage = (worth - others).to(logits.device) / self.run.samples
        loss = query_ctc(policy, labels, lengths, BLANK).weighted(advantage)
        labels, lengths = pad_references([[[*t, EOS] for t in texts] for texts in batch.texts])
        known = self.anchor.loss(logits, labels.to(logits.device), lengths.to(logits.device))
        return loss + self.run.anchor * known

    @torch.no_grad()
    def worth(self, batch: Batch, texts: list[list[list[int]]]) -> Tensor:
        """[B, samples]."""
        shape = (len(texts), self.run.samples)
        flat = [t for image in texts for t in image]
        captions = self.tokenizer.decode_batch(flat)
        cider = torch.tensor(
            [
                self.cider.score(
                    self.cider.vectors(caption),
                    self.references[
                        batch.examples[i // shape[1]].image, batch.examples[i // shape[1]].prompt
                    ],
                )
                for i, caption in enumerate(captions)
            ]
        ).view(shape)
        likelihood = mean_log_probability(self.teacher, batch, flat, shape[1]).view(shape)
        self.seen.append((cider.mean().item(), likelihood.mean().item()))
        return self.run.cider * cider + self.run.likelihood * likelihood

    def counts(self) -> dict[str, float]:
        cider, likelihood = np.mean(self.seen or [(0.0, 0.0)], axis=0)
        self.seen = []
        return {"drawn CIDEr-D": 100 * cider, "drawn log p": likelihood, **self.anchor.counts()}


def draw(logits: Tensor, samples: int) -> list[list[list[int]]]:
    """Texts drawn from each image's [B, N, V] posteriors, as the labels that their paths spell."""
    batch, slots, _vocabulary = logits.shape
    noise = torch.multinomial(logits.detach().softmax(-1).flatten(0, 1), samples, True)
    paths = noise.view(batch, slots, samples).transpose(1, 2).tolist()
    return [[spell(path) for path in image] for image in paths]


def spell(path: list[int]) -> list[int]:
    """A path without repeats and blanks; unlike a caption it goes on after EOS."""
    return [t for i, t in enumerate(path) if t != BLANK and (i == 0 or path[i - 1] != t)]


@torch.no_grad()
def mean_log_probability(
    teacher: AutoregressiveCaptioner, batch: Batch, texts: list[list[int]], each: int
) -> Tensor:
    """The teacher's mean log-probability of a token, EOS included, [len(texts)]; `each` texts
    belong to one image of the batch. Texts are cut at what the teacher can read."""
    device = batch.features.device
    longest = teacher.config.slots - 1
    texts = [t[:longest] for t in texts]
    owner = torch.arange(len(batch.examples), device=device).repeat_interleave(each)
    read = pad_texts([[BOS, *t] for t in texts], PAD).to(device)
    write = pad_texts([[*t, EOS] for t in texts], PAD).to(device)
    logits = teacher(batch.features, batch.prompt, read, owner, evidence=batch.evidence).float()
    chosen = logits.gather(2, write.unsqueeze(-1)).squeeze(-1) - logits.logsumexp(-1)
    inside = write != PAD
    return ((chosen * inside).sum(1) / inside.sum(1)).cpu()
