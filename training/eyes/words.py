"""Learning the word detector, and what it says of training photos that it has not seen.

It learns, from the mean of the kept features, which pieces of the vocabulary the texts about a
photo have; what they name is also what that is a kind of (WordNet), so that a terrier is a dog.
Beside that it learns to tell the things that are there from those that are not (`presence.py`).

A network that is trained with a detector's word on the detector's own training photos would trust
it more than new photos bear out. So for training each photo is judged by one of several detectors,
one that learnt from others (stacking: Wolpert 1992).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from training.data import tokenizer as vocabulary
from training.data.examples import present, training_photos
from training.data.presence import asked_thing, head, kinds, singular
from training.eyes.evidence import detector_file, evidence_files
from training.eyes.eyes import Eyes
from training.eyes.features import Features
from training.eyes.terms import EMPTY
from training.eyes.tuning import Photo, labelled
from training.network.word_detector import WordDetector
from training.runs.recipe import WordsRun
from training.scoring.caption_scores import words

_BLOCK = 256
_FEWEST = 5
"""Photos of the validation split that must have a piece for its precision to count."""


def named(photo: Photo) -> set[str]:
    """The content words of all that is said of a photo; of nouns, the singular too."""
    found = {word for text in photo.texts for word in words(text) if word not in EMPTY}
    found |= {thing for box in photo.boxes if (thing := head(box.phrase))}
    return found | {singular(word) for word in found}


@dataclass
class _Asked:
    """Whether things are there: `pieces[n]` of the thing in question n, filled up by repeating the
    last, `share[n]` what each counts, `row[n]` the photo and `there[n]` the answer."""

    row: Tensor
    pieces: Tensor
    share: Tensor
    there: Tensor

    @classmethod
    def read(cls, split: str, rows: dict[str, int]) -> _Asked:
        tokenizer = vocabulary.load()
        found = [
            (rows[e.image], tokenizer.encode(thing).ids, e.texts[0] == "yes")
            for e in present(split)
            if e.image in rows and (thing := asked_thing(e.prompt))
        ]
        longest = max((len(ids) for _, ids, _ in found), default=1)
        return cls(
            torch.tensor([row for row, _, _ in found], dtype=torch.long),
            torch.tensor(
                [ids + ids[-1:] * (longest - len(ids)) for _, ids, _ in found], dtype=torch.long
            ).view(-1, longest),
            torch.tensor(
                [[1 / len(ids)] * len(ids) + [0.0] * (longest - len(ids)) for _, ids, _ in found]
            ).view(-1, longest),
            torch.tensor([float(there) for _, _, there in found]),
        )

    def margins(self, evidence: Tensor, at: Tensor) -> Tensor:
        """The mean evidence for the pieces of each question's thing; `evidence` [n] is of its
        photo."""
        return (evidence.gather(1, self.pieces[at]) * self.share[at]).sum(1)


def labels(photos: Iterable[Photo], often: int) -> list[list[int]]:
    """The pieces that each photo's texts have, of words that are in so many photos at least."""
    tokenizer = vocabulary.load()
    each = [named(photo) for photo in photos]
    counted = Counter(word for found in each for word in found)
    known = {word for word, n in counted.items() if n >= often}
    pieces = {word: tokenizer.encode(word).ids for word in known}
    return [
        sorted(
            {
                piece
                for word in found | {kind for one in found for kind in kinds(one)}
                for piece in pieces.get(word, ())
            }
        )
        for found in each
    ]


class _Learning(nn.Module):
    """The detector with dropout, on features of mean 0 and variance 1."""

    def __init__(self, x: Tensor, prior: Tensor, run: WordsRun) -> None:
        super().__init__()
        self.mean, self.scale, self.prior = x.mean(0), x.std(0) + 1e-3, prior
        self.inside = nn.Linear(x.shape[1], run.hidden)
        self.table = nn.Linear(run.hidden, len(prior), bias=False)
        nn.init.zeros_(self.table.weight)
        self.drop = nn.Dropout(run.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Evidence, unbounded."""
        inside = self.inside(self.drop((x - self.mean) / self.scale))
        return self.table(self.drop(F.gelu(inside, approximate="tanh")))

    @torch.no_grad()
    def detector(self) -> WordDetector:
        channels, hidden = self.inside.in_features, self.inside.out_features
        found = WordDetector(channels, hidden, len(self.prior))
        found.inside.copy_(self.inside.weight.T / self.scale[:, None])
        found.bias.copy_(self.inside.bias - self.mean @ found.inside)
        found.table.copy_(self.table.weight.T)
        return found


def _learn(
    views: tuple[Tensor, Tensor], pieces: list[list[int]], asked: _Asked, size: int, run: WordsRun
) -> WordDetector:
    """A detector of photos that are seen plain and mirrored [photos, channels]; the rows of `asked`
    are theirs."""
    torch.manual_seed(run.seed)
    plain, mirrored = views
    target = torch.zeros(len(pieces), size)
    for row, found in zip(target, pieces, strict=True):
        row[found] = 1
    counts = target.sum(0)
    prior = torch.logit((counts / len(target)).clamp(1e-4, 0.5))
    model = _Learning(plain, prior, run)
    optimiser = torch.optim.AdamW(model.parameters(), lr=run.lr, weight_decay=run.decay)
    steps = run.epochs * (len(target) // run.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, run.lr, total_steps=steps + 1)
    questions: dict[int, list[int]] = defaultdict(list)
    for n, row in enumerate(asked.row.tolist()):
        questions[row].append(n)
    for _ in range(run.epochs):
        for rows in torch.randperm(len(target)).split(run.batch):
            if len(rows) < run.batch:
                continue
            x = torch.where(torch.rand(len(rows), 1) < 0.5, plain[rows], mirrored[rows])
            evidence = model(x)
            loss = F.binary_cross_entropy_with_logits(
                evidence + prior, target[rows], reduction="none"
            )
            loss = loss.sum(1).mean()
            of = [(i, n) for i, row in enumerate(rows.tolist()) for n in questions[row]]
            if of:
                photos, at = (torch.tensor(column) for column in zip(*of, strict=True))
                margins = asked.margins(evidence[photos], at)
                there = F.binary_cross_entropy_with_logits(margins, asked.there[at])
                loss = loss + run.asked * there
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    found = model.detector()
    with torch.no_grad():  # Of pieces that hardly any text has there is nothing to be known.
        found.table[:, counts < run.often] = 0
    return found


def _means(kept: np.ndarray, rows: list[int]) -> Tensor:
    """[rows, channels]"""
    means = torch.zeros(len(rows), kept.shape[2])
    for start in range(0, len(rows), _BLOCK):
        part = torch.from_numpy(np.asarray(kept[rows[start : start + _BLOCK]]))
        means[start : start + _BLOCK] = part.float().mean(1)
    return means


@torch.no_grad()
def _judged(detector: WordDetector, means: Tensor) -> Tensor:
    """Evidence [rows, vocabulary]."""
    found = torch.zeros(len(means), detector.table.shape[1])
    for start in range(0, len(means), _BLOCK):
        found[start : start + _BLOCK] = detector(means[start : start + _BLOCK].unsqueeze(1))
    return found


def learn(eyes: Eyes, run: WordsRun, size: int) -> dict[str, float]:
    """Keep the detector of a pair of eyes for a vocabulary of `size`, and the evidence for training
    photos. Gives figures of validation photos."""
    features = Features.load(eyes)
    photos = [photo for photo in labelled("train") if photo.image in features.index]
    pieces = labels(photos, run.often)
    at = [features.index[photo.image] for photo in photos]
    plain, mirrored = _means(features.plain, at), _means(features.mirrored, at)
    rows = {photo.image: i for i, photo in enumerate(photos)}
    fold = torch.from_numpy(np.random.default_rng(run.seed).permutation(len(photos)) % run.folds)

    def learnt_from(chosen: Tensor) -> WordDetector:
        index = {int(row): i for i, row in enumerate(chosen)}
        asked = _Asked.read(
            "train", {image: index[row] for image, row in rows.items() if row in index}
        )
        views = plain[chosen], mirrored[chosen]
        return _learn(views, [pieces[i] for i in chosen.tolist()], asked, size, run)

    evidence = torch.zeros(2, len(photos), size, dtype=torch.float16)
    for one in tqdm(range(run.folds), desc="folds"):
        detector, own = learnt_from((fold != one).nonzero()[:, 0]), fold == one
        for view, means in enumerate((plain, mirrored)):
            evidence[view, own] = _judged(detector, means[own]).half()
    detector = learnt_from(torch.arange(len(photos)))
    # No detector has learnt from photos of which nothing is said.
    others = sorted((training_photos() & set(features.index)) - set(rows))
    at = [features.index[image] for image in others]
    rest = [_judged(detector, _means(kept, at)) for kept in (features.plain, features.mirrored)]
    listing, *files = evidence_files(eyes)
    listing.unlink(missing_ok=True)  # until the others are whole
    torch.save(detector.state_dict(), detector_file(eyes))
    for path, *parts in zip(files, evidence, rest, strict=True):
        torch.cat([part.half() for part in parts]).numpy().tofile(path)
    listing.write_text(json.dumps([photo.image for photo in photos] + others))
    return judge(detector, features)


@torch.no_grad()
def judge(detector: WordDetector, features: Features) -> dict[str, float]:
    """On validation photos: percent of questions whether a thing is there that the sign of the
    evidence answers, the area under its curve, and by source the mean average precision of
    pieces."""
    figures: dict[str, float] = {}
    photos = [photo for photo in labelled("val") if photo.image in features.index]
    found = _judged(detector, _means(features.plain, [features.index[p.image] for p in photos]))
    asked = _Asked.read("val", {photo.image: i for i, photo in enumerate(photos)})
    margins = asked.margins(found[asked.row], torch.arange(len(asked.row))).numpy()
    there = asked.there.numpy() == 1
    boxes = np.array([photos[row].image.startswith("flickr8k") for row in asked.row.tolist()], bool)
    for name, some in (("people's boxes", boxes), ("listed things", ~boxes)):
        if some.any():
            figures[f"{name}, right %"] = 100 * float(((margins > 0) == there)[some].mean())
            figures[f"{name}, AUC"] = 100 * float(roc_auc_score(there[some], margins[some]))
    pieces = labels(photos, 1)
    by_source: dict[str, list[int]] = defaultdict(list)
    for i, photo in enumerate(photos):
        by_source[photo.image.split("/")[0]].append(i)
    for source, some in sorted(by_source.items()):
        target = np.zeros((len(some), found.shape[1]), bool)
        for row, i in zip(target, some, strict=True):
            row[pieces[i]] = True
        scores = found[some].numpy()
        counted = [
            v for v in np.flatnonzero(target.sum(0) >= _FEWEST) if detector.table[:, v].any()
        ]
        if counted:
            precise = [average_precision_score(target[:, v], scores[:, v]) for v in counted]
            figures[f"{source}, mAP"] = 100 * float(np.mean(precise))
    return figures
