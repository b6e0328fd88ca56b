"""Curves from what slots say to how often texts are right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sklearn.isotonic import isotonic_regression
from torch import Tensor
from tqdm import tqdm

from training.data import tokenizer as vocabulary
from training.data.batches import Batches
from training.data.examples import captions, together
from training.data.formats import ENTAILMENT, Example
from training.eyes.features import Features
from training.network.model import Narvl
from training.paths import WORK
from training.runs.validation import is_hit
from training.scoring.caption_scores import FUNCTION_WORDS, normalise_answer, words
from training.scoring.multiple_choice import log_likelihoods
from training.writing.ctc_beam import FOR_ANSWERS, FOR_CAPTIONS, best_path, prefix_beam
from training.writing.guides import searchable
from training.writing.ngram import of_answers, of_captions
from training.writing.once import function_words
from training.writing.pointing import point

SPLITS = ("val", "test")
"""To fit on, and to tell the error of."""
BINS = 15
KNOTS = 25
_BATCH = 50
_REFERENCES = 5
"""Captions of a photo from which on a word's absence from all says something."""


Judged = tuple[Tensor, Tensor]
"""Of each text what says how sure it is, and whether it is right."""


def calibration_file(run: str) -> Path:
    return WORK / f"calibration-{run}.json"


Curve = list[tuple[float, float]]
"""Mean log-probabilities with how often what has them is right, both rising."""


def curve(log_p: Tensor, right: Tensor) -> Curve:
    """Through the means of KNOTS parts of as many, made to rise."""
    order = log_p.argsort()
    parts = zip(log_p[order].tensor_split(KNOTS), right[order].tensor_split(KNOTS), strict=True)
    means = [(p.mean().item(), r.double().mean().item(), len(p)) for p, r in parts if len(p)]
    x, y, sizes = (np.array(column) for column in zip(*means, strict=True))
    risen = isotonic_regression(y, sample_weight=sizes)
    # Equal log-probabilities may fill several parts.
    rounded = {round(float(a), 4): round(float(b), 4) for a, b in zip(x, risen, strict=True)}
    return list(rounded.items())


def along(log_p: Tensor, knots: Curve) -> Tensor:
    """The curve's value, straight between its knots and level beyond them."""
    x, y = zip(*knots, strict=True)
    return torch.from_numpy(np.interp(log_p.numpy(), x, y))


def shares(log_p: Tensor, weight: float | Tensor, floor: float | Tensor) -> Tensor:
    """Probabilities [N, choices] that sum to one: a softmax with a temperature, but for a share
    `floor` of the questions, of which the scores are taken to say nothing."""
    return (1 - floor) * (weight * log_p.double()).softmax(1) + floor / log_p.shape[1]


def sharing(log_p: Tensor) -> tuple[float, float]:
    """The weight and floor for which `shares` of log_p [N, choices], the right one first, are
    likeliest; questions with a choice that no slots can spell are left out."""
    log_p = log_p[log_p.isfinite().all(1)]
    free = torch.tensor([0.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([free], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = -shares(log_p, free[0].exp(), free[1].sigmoid())[:, 0].log().mean()
        value.backward()
        return value

    optimiser.step(loss)
    return free[0].exp().item(), free[1].sigmoid().item()


def calibration_error(p: Tensor, right: Tensor) -> float:
    """Expected calibration error in percent, over bins of as many (Nguyen & O'Connor 2015)."""
    order = p.argsort()
    bins = zip(p[order].tensor_split(BINS), right[order].double().tensor_split(BINS), strict=True)
    gaps = [len(one) * abs(one.double().mean() - said.mean()) for one, said in bins if len(one)]
    return 100 * float(sum(gaps)) / len(p)


def written(
    model: Narvl, features: Features, examples: Sequence[Example], answers: bool, title: str
) -> list[tuple[list[int], list[float]]]:
    """Each example's text by the beam, with the log-probability of each token in its slot."""
    ngrams, options = (of_answers(), FOR_ANSWERS) if answers else (of_captions(), FOR_CAPTIONS)
    batches = Batches(examples, features, vocabulary.load(), _BATCH, model.config.prompt)
    found = []
    for batch in tqdm(batches.in_order(), total=len(batches), desc=title):
        logits = model(batch.features, batch.prompt, "answer" if answers else "caption")
        photos = searchable(model, batch.features, logits, ngrams, options)
        for slots, guide in photos:
            text = prefix_beam(slots, guide, options)[0][0]
            found.append((text, best_path(slots, text)))
    return found


def answered(model: Narvl, features: Features, examples: Sequence[Example], title: str) -> Judged:
    """Mean log-probability of each answer's tokens, and whether it is right."""
    tokenizer, log_p, right = vocabulary.load(), [], []
    texts = written(model, features, examples, True, title)
    for example, (tokens, logs) in zip(examples, texts, strict=True):
        if tokens:
            log_p.append(float(np.mean(logs)))
            answer = normalise_answer(tokenizer.decode(tokens))
            right.append(answer == normalise_answer(example.texts[0]))
    return torch.tensor(log_p), torch.tensor(right)


def captioned(model: Narvl, features: Features, split: str) -> tuple[Judged, Judged]:
    """Of content words, and of function words, the mean log-probability of each one's tokens and
    whether a person uses it of the photo. "a" is right of nearly every photo, whatever it shows."""
    tokenizer, free = vocabulary.load(), function_words()
    log_p: dict[bool, list[float]] = {False: [], True: []}
    right: dict[bool, list[bool]] = {False: [], True: []}
    known: dict[str, list[str]] = {}
    for example in together(captions(split)):
        known.setdefault(example.image, []).extend(example.texts)
    examples = [e for e in together(captions(split)) if len(known[e.image]) >= _REFERENCES]
    texts = written(model, features, examples, False, f"captions, {split}")
    for example, (tokens, logs) in zip(examples, texts, strict=True):
        said = {word for text in known[example.image] for word in words(text)}
        for word, pieces in words_of([tokenizer.id_to_token(token) for token in tokens]):
            function = len(pieces) == 1 and tokens[pieces[0]] in free
            log_p[function].append(float(np.mean([logs[i] for i in pieces])))
            right[function].append(word in said)
    content, function = ((torch.tensor(log_p[f]), torch.tensor(right[f])) for f in (False, True))
    return content, function


def agreement(split: str) -> tuple[float, float]:
    """Percent of the content words of people's captions, and of the function words, that are in
    the others of the photo: what confidence of a person's words would be."""
    found: dict[bool, list[bool]] = {False: [], True: []}
    for example in together(captions(split)):
        if len(example.texts) < _REFERENCES:
            continue
        each = [words(text) for text in example.texts]
        for i, own in enumerate(each):
            said = {word for others in (*each[:i], *each[i + 1 :]) for word in others}
            for word in own:
                found[word in FUNCTION_WORDS].append(word in said)
    content, function = (100 * float(np.mean(found[f])) for f in (False, True))
    return content, function


def words_of(pieces: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Words with the indices of their pieces; a piece with a space before it begins one."""
    found: list[tuple[str, list[int]]] = []
    for i, piece in enumerate(pieces):
        if not found or piece.startswith("\u0120"):
            found.append(("", []))
        word, indices = found[-1]
        found[-1] = (word + piece.strip("\u0120,.;"), [*indices, i])
    return found


def choices(model: Narvl, features: Features, examples: Sequence[Example]) -> Tensor:
    """[questions, choices] of log p, the right one first."""
    tokenizer, rest = vocabulary.load(), iter(examples)
    batches = Batches(examples, features, tokenizer, _BATCH, model.config.prompt)
    found = []
    for batch in tqdm(batches.in_order(), total=len(batches), desc="choices"):
        offered = [
            [tokenizer.encode(text).ids for text in (e.texts[0], *e.distractors)]
            for e in (next(rest) for _ in batch.examples)
        ]
        found.append(log_likelihoods(model, batch, offered))
    return torch.cat(found)


def pointed(model: Narvl, features: Features, examples: Sequence[Example], title: str) -> Judged:
    """What says how sure each phrase's box is, and whether it is right."""
    batches = Batches(examples, features, vocabulary.load(), _BATCH, model.config.prompt)
    found = []
    for batch in tqdm(batches.in_order(), total=len(batches), desc=title):
        found += point(model, batch.features, batch.prompt)
    sure = torch.tensor([sure for _, sure in found])
    right = [is_hit(tokens, e) for (tokens, _), e in zip(found, examples, strict=True)]
    return sure, torch.tensor(right)


def labelled(model: Narvl, features: Features, examples: Sequence[Example]) -> Tensor:
    """[statements, labels] of log p of what is said for each label, the right one first."""
    tokenizer = vocabulary.load()
    said = {text: tokenizer.encode(text).ids for text in ENTAILMENT.values()}
    batches = Batches(examples, features, tokenizer, _BATCH, model.config.prompt)
    found = []
    for batch in tqdm(batches.in_order(), total=len(batches), desc="statements"):
        offered = [
            [said[text] for text in sorted(said, key=lambda text, e=e: text != e.texts[0])]
            for e in batch.examples
        ]
        found.append(log_likelihoods(model, batch, offered, "entail"))
    return torch.cat(found)


def row(what: str, before: Tensor, after: Tensor, right: Tensor) -> dict[str, str | float]:
    return {
        "what": what,
        "number": str(len(right)),
        "right %": 100 * right.double().mean().item(),
        "error before": calibration_error(before, right),
        "error after": calibration_error(after, right),
    }
