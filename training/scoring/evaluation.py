"""Texts of runs on whole splits, and the rows of figures that judge them."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from functools import cache, partial

from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from training.data import tokenizer as vocabulary
from training.data.batches import Batch, Batches
from training.data.boxes import corners, encode_box, overlap, spell
from training.data.examples import (
    answer_texts,
    caption_texts,
    captions,
    phrases,
    prompts,
    questions,
    statements,
    together,
)
from training.data.formats import ENTAILMENT, Example
from training.eyes.eyes import Eyes
from training.eyes.features import Features
from training.network.model import AutoregressiveCaptioner, Narvl, Task
from training.objectives.reward import mean_log_probability
from training.paths import WORK
from training.runs.checkpoints import load
from training.runs.validation import HALF, hits, spread
from training.scoring import made_pictures
from training.scoring.caption_scores import accuracies, bigrams, score
from training.scoring.multiple_choice import choice_accuracy, log_likelihoods
from training.shipping.precision import Precision, round_weights
from training.writing.ctc_beam import FOR_ANSWERS, FOR_CAPTIONS, BeamOptions, prefix_beam
from training.writing.decode import beam_search, one_pass, two_passes
from training.writing.guides import searchable
from training.writing.ngram import of_answers, of_captions
from training.writing.pointing import point, point_by_token

BEAMS = 5
RESCORED = 8
"""Texts of a prefix beam that the twin is asked about."""
FIXED = 2000
"""Training boxes of which the best fixed one is found."""
OFFERED = 1000
"""The commonest training answers, where an answer has to be one of them."""
_BATCH = 50

Writer = Callable[[Batch], list[list[int]]]


def writers(model: AutoregressiveCaptioner | Narvl, answers: bool) -> dict[str, Writer]:
    """Every way in which a model writes a caption or an answer, by the name that tables give it."""
    if isinstance(model, Narvl):
        ngrams, guided = (of_answers(), FOR_ANSWERS) if answers else (of_captions(), FOR_CAPTIONS)

        task: Task = "answer" if answers else "caption"

        def searched(options: BeamOptions) -> Writer:
            def search(batch: Batch) -> list[list[int]]:
                logits = model(batch.features, batch.prompt, task)
                photos = searchable(model, batch.features, logits, ngrams, options)
                return [prefix_beam(slots, guide, options)[0][0] for slots, guide in photos]

            return search

        ways: dict[str, Writer] = {
            "one pass": lambda batch: one_pass(model, batch.features, batch.prompt, task),
            "one pass, prefix beam": searched(BeamOptions(guided.width, 0, 0)),
            "one pass, prefix beam, n-grams": searched(guided),
        }
        if answers:
            offered = common_answers()

            def chosen(batch: Batch) -> list[list[int]]:
                best = log_likelihoods(model, batch, [offered] * len(batch.examples)).argmax(1)
                return [offered[i] for i in best.tolist()]

            ways[f"one pass, the likeliest of {OFFERED:,} answers"] = chosen
        return ways
    return {
        name: lambda batch, beams=beams: [
            texts[0][0] for texts in beam_search(model, batch.features, batch.prompt, beams)
        ]
        for name, beams in (("greedy", 1), (f"beam {BEAMS}", BEAMS))
    }


@cache
def common_answers() -> list[list[int]]:
    """Token ids of the answers that training questions have most often."""
    often = Counter(answer_texts()).most_common(OFFERED)
    return [ids.ids for ids in vocabulary.load().encode_batch([text for text, _ in often])]


def rescored(model: Narvl, judge: AutoregressiveCaptioner) -> Writer:
    """Of the prefix beam's best texts, the one that the twin finds likeliest by the word: a second
    pass, as parallel as the first."""
    ngrams = of_captions()

    def best(batch: Batch) -> list[list[int]]:
        logits = model(batch.features, batch.prompt)
        texts = []
        for slots, guide in searchable(model, batch.features, logits, ngrams, FOR_CAPTIONS):
            found = [text for text, _ in prefix_beam(slots, guide, FOR_CAPTIONS)[:RESCORED]]
            texts += [*found, *[found[0]] * (RESCORED - len(found))]
        chosen = mean_log_probability(judge, batch, texts, RESCORED).view(-1, RESCORED).argmax(1)
        return [texts[image * RESCORED + i] for image, i in enumerate(chosen.tolist())]

    return best


def refined(model: Narvl, batch: Batch) -> list[list[int]]:
    return two_passes(model, batch.features, batch.prompt)


def write(writer: Writer, batches: Batches, title: str) -> list[str]:
    """One text an example, in f32."""
    texts, tokenizer = [], vocabulary.load()
    for batch in tqdm(batches.in_order(), total=len(batches), desc=title):
        texts += [t.strip() for t in tokenizer.decode_batch(writer(batch))]
    return texts


def keep(texts: list[str], examples: list[Example], *name: str) -> None:
    slug = "-".join(name).replace(" ", "-").replace(",", "").lower()
    with (WORK / f"texts-{slug}.jsonl").open("w", encoding="utf-8") as file:
        for example, text in zip(examples, texts, strict=True):
            row = {"image": example.image, "kind": example.kind, "text": text}
            if example.kind not in ("human", "plain"):
                row |= {"question": example.prompt, "answer": example.texts[0]}
            file.write(json.dumps(row) + "\n")


def perplexity(judge: AutoregressiveCaptioner, examples: list[Example], texts: list[str]) -> float:
    """Of texts under the autoregressive model that sees the same photos, at its own size: the
    exponential of the mean over captions of the mean negative log-probability of a token."""
    tokenizer, total, rest = vocabulary.load(), 0.0, iter(texts)
    features = Features.load(judge.config.eyes)
    batches = Batches(examples, features, tokenizer, _BATCH, judge.config.prompt)
    for batch in batches.in_order():
        ids = [tokenizer.encode(next(rest)).ids for _ in batch.examples]
        total += mean_log_probability(judge, batch, ids, 1).sum().item()
    return math.exp(-total / len(texts))


def twin(run: str) -> AutoregressiveCaptioner:
    model = load(run)
    assert isinstance(model, AutoregressiveCaptioner), f"{run} is no autoregressive run"
    return model


def rounded(run: str, precision: Precision | None) -> AutoregressiveCaptioner | Narvl:
    """A run's model, with the weights that an export of that precision would have."""
    model = load(run)
    if precision:
        round_weights(model, precision)
    return model


@cache
def seen(eyes: Eyes, images: frozenset[str], precision: Precision | None) -> Features:
    """What images look like at a size; to the vision graph of a precision if it is named."""
    if precision is None:
        return Features.load(eyes)
    return Features.look(eyes, sorted(images), precision)


def images_of(examples: list[Example]) -> frozenset[str]:
    return frozenset(e.image for e in examples)


def only(by_source: dict[str, list[Example]], names: list[str] | None) -> dict[str, list[Example]]:
    """Some sources of those that a split has, or all."""
    if names is None:
        return by_source
    if lacking := [name for name in names if name not in by_source]:
        raise SystemExit(f"expected sources among {', '.join(by_source)}; got {lacking[0]}")
    return {name: by_source[name] for name in names}


def caption_rows(
    runs: list[str],
    split: str,
    judge: str | None,
    rescore: str | None,
    refine: bool,
    precision: Precision | None,
    sources: list[str] | None = None,
) -> list[dict[str, str | float]]:
    tokenizer, known = vocabulary.load(), bigrams(caption_texts())
    rows: list[dict[str, str | float]] = []
    for source, examples in only(captions(split), sources).items():
        for run in runs:
            model = rounded(run, precision)
            features = seen(model.config.eyes, images_of(examples), precision)
            batches = Batches(examples, features, tokenizer, _BATCH, model.config.prompt)
            ways = writers(model, answers=False)
            if rescore and isinstance(model, Narvl):
                ways |= {f"the same, rescored by {rescore}": rescored(model, twin(rescore))}
            if refine and isinstance(model, Narvl):
                ways["two passes"] = partial(refined, model)
            for decoding, writer in ways.items():
                texts = write(writer, batches, f"{run}, {source} {split}, {decoding}")
                keep(texts, examples, run, source, split, decoding)
                figures = score(texts, [e.texts for e in examples], known)
                if judge:
                    figures["perplexity"] = perplexity(twin(judge), examples, texts)
                rows.append(
                    {"set": f"{source} {split}", "run": run, "decoding": decoding, **figures}
                )
    return rows


def answer_rows(
    runs: list[str],
    blind: list[str],
    split: str,
    precision: Precision | None,
    sources: list[str] | None = None,
) -> list[dict[str, str | float]]:
    """Accuracies in percent, per source and kind, of runs and of runs that see no photo."""
    asked = only(questions(split), sources)
    tokenizer, images = vocabulary.load(), images_of(together(asked))
    rows: list[dict[str, str | float]] = []
    for run in [*blind, *runs]:
        model = rounded(run, precision)
        features = seen(model.config.eyes, images, precision)
        by_decoding: dict[str, dict[str, str | float]] = {}
        for source, examples in asked.items():
            batches = Batches(
                examples, features, tokenizer, 100, model.config.prompt, blind=run in blind
            )
            choices: dict[str, float] = {}
            if all(e.distractors for e in examples):
                title = f"{run}, {source} {split}, choices"
                chosen = choice_accuracy(model, batches, examples, title)
                choices[f"{source}, of 4 choices %"] = chosen
            for decoding, writer in writers(model, answers=True).items():
                texts = write(writer, batches, f"{run}, {source} {split}, {decoding}")
                keep(texts, examples, run, source, split, decoding, "answers")
                found = accuracies(texts, examples)
                row = by_decoding.setdefault(decoding, {"run": run, "decoding": decoding})
                row |= found
                if len(found) > 1:
                    row[f"{source}, all %"] = sum(
                        accuracies([t], [e]).popitem()[1]
                        for t, e in zip(texts, examples, strict=True)
                    ) / len(texts)
                row |= choices
        rows += by_decoding.values()
    return rows


def box_rows(
    runs: list[str], split: str, precision: Precision | None
) -> list[dict[str, str | float]]:
    """Percent of boxes that overlap with people's by half, per source and kind of thing; beside the
    whole photo, and the box that would be right most often of the training ones."""
    tokenizer = vocabulary.load()
    rows: list[dict[str, str | float]] = []
    for source, examples in phrases(split).items():

        def row(run: str, decoding: str, found: list[list[int]], source=source, examples=examples):
            kinds = sorted({e.kind for e in examples})
            of = {
                kind: [(f, e) for f, e in zip(found, examples, strict=True) if e.kind == kind]
                for kind in kinds
            }
            return {
                "set": f"{source} {split}",
                "run": run,
                "decoding": decoding,
                **{f"{k} %": hits([f for f, _ in p], [e for _, e in p]) for k, p in of.items()},
                "all %": hits(found, examples),
            }

        fixed = {"the whole photo": encode_box(spell((0, 0, 1, 1))), "one box": best_fixed_box()}
        rows += [row("", name, [box] * len(examples)) for name, box in fixed.items()]
        for run in runs:
            model = rounded(run, precision)
            features = seen(model.config.eyes, images_of(examples), precision)
            batches = Batches(examples, features, tokenizer, _BATCH, model.config.prompt)
            if isinstance(model, Narvl):
                ways = {"one pass": partial(point, model)} if model.config.box_slots else {}
            else:
                ways = {
                    name: partial(point_by_token, model, beams=beams)
                    for name, beams in (("greedy", 1), (f"beam {BEAMS}", BEAMS))
                }
            for decoding, way in ways.items():
                title = f"{run}, {source} {split}, boxes, {decoding}"
                found = []
                for batch in tqdm(batches.in_order(), total=len(batches), desc=title):
                    found += [box for box, _ in way(batch.features, batch.prompt)]
                rows.append(row(run, decoding, found))
    return rows


def best_fixed_box() -> list[int]:
    """Of the training boxes of some phrases, the one that overlaps most of the others by half."""
    boxes = [encode_box(e.texts[0]) for e in spread(together(phrases("train")), FIXED)]
    as_corners = [corners(box) for box in boxes]
    right = [sum(overlap(a, b) >= HALF for b in as_corners) for a in as_corners]
    return boxes[right.index(max(right))]


def statement_rows(
    runs: list[str], blind: list[str], split: str, precision: Precision | None
) -> list[dict[str, str | float]]:
    """Percent of statements whose label is the likeliest of the three."""
    tokenizer = vocabulary.load()
    said = [tokenizer.encode(text).ids for text in ENTAILMENT.values()]
    labels = list(ENTAILMENT)
    rows: list[dict[str, str | float]] = []
    for source, examples in statements(split).items():
        for run in [*blind, *runs]:
            model = rounded(run, precision)
            if isinstance(model, Narvl) and not model.config.entail_slots:
                continue
            features = seen(model.config.eyes, images_of(examples), precision)
            batches = Batches(
                examples, features, tokenizer, _BATCH, model.config.prompt, blind=run in blind
            )
            title = f"{run}, {source} {split}, statements"
            right: dict[str, list[bool]] = {label: [] for label in labels}
            for batch in tqdm(batches.in_order(), total=len(batches), desc=title):
                offered = [said] * len(batch.examples)
                best = log_likelihoods(model, batch, offered, "entail").argmax(1).tolist()
                for i, example in zip(best, batch.examples, strict=True):
                    right[example.kind].append(labels[i] == example.kind)
            rows.append(
                {
                    "set": f"{source} {split}",
                    "run": run,
                    **{f"{k} %": 100 * sum(hit) / max(1, len(hit)) for k, hit in right.items()},
                    "all %": 100 * sum(map(sum, right.values())) / len(examples),
                }
            )
    return rows


def presence_rows(
    runs: list[str], blind: list[str], split: str, precision: Precision | None
) -> list[dict[str, str | float]]:
    """Questions whether a thing is there, as often with either answer: percent right by the
    likelier of yes and no, and how well log p(yes) - log p(no) ranks photos (AUC)."""
    tokenizer = vocabulary.load()
    offered = [tokenizer.encode(text).ids for text in ("yes", "no")]
    examples = questions(split).get("presence", [])
    sets = {
        "people's boxes": [e for e in examples if e.image.startswith("flickr8k")],
        "listed things": [e for e in examples if not e.image.startswith("flickr8k")],
    }
    rows: list[dict[str, str | float]] = []
    for run in [*blind, *runs]:
        model = rounded(run, precision)
        for name, asked in sets.items():
            if not asked:
                continue
            features = seen(model.config.eyes, images_of(asked), precision)
            batches = Batches(
                asked, features, tokenizer, _BATCH, model.config.prompt, blind=run in blind
            )
            margins: list[float] = []
            for batch in tqdm(batches.in_order(), total=len(batches), desc=f"{run}, {name}"):
                scores = log_likelihoods(model, batch, [offered] * len(batch.examples))
                margins += (scores[:, 0] - scores[:, 1]).tolist()
            there = [e.texts[0] == "yes" for e in asked]
            right = [(m > 0) == yes for m, yes in zip(margins, there, strict=True)]
            rows.append(
                {
                    "set": f"{name}, {split}",
                    "run": run,
                    "number": str(len(asked)),
                    "right %": 100 * sum(right) / len(right),
                    "AUC": 100 * float(roc_auc_score(there, margins)),
                }
            )
    return rows


def picture_rows(
    runs: list[str], split: str, precision: Precision | None
) -> list[dict[str, str | float]]:
    """Percent of made pictures whose plain caption says what kind of picture it is."""
    pictures = made_pictures.read(WORK / "pictures", split)
    if not pictures:
        return []
    asked = [Example(str(WORK / p.image), prompts()["plain"], (), p.kind) for p in pictures]
    rows: list[dict[str, str | float]] = []
    for run in runs:
        model = rounded(run, precision)
        features = seen(model.config.eyes, images_of(asked), precision)
        batches = Batches(asked, features, vocabulary.load(), _BATCH, model.config.prompt)
        for decoding, writer in writers(model, answers=False).items():
            texts = write(writer, batches, f"{run}, pictures {split}, {decoding}")
            rows.append(
                {
                    "set": f"pictures {split}",
                    "run": run,
                    "decoding": decoding,
                    **made_pictures.named(texts, pictures),
                }
            )
    return rows


TASKS = ("captions", "answers", "presence", "boxes", "statements", "pictures")
