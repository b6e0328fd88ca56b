"""What a run is watched by: a fixed part of the validation splits of each task."""

from __future__ import annotations

from training.data import tokenizer as vocabulary
from training.data.batches import Batches
from training.data.boxes import corners, encode_box, overlap
from training.data.examples import caption_texts, captions, phrases, questions, statements, together
from training.data.formats import Example
from training.eyes.features import Features
from training.network.autocast import autocast
from training.network.model import AutoregressiveCaptioner, Config, Narvl, Task
from training.scoring.caption_scores import accuracies, bigrams, score
from training.writing.decode import greedy, one_pass
from training.writing.pointing import point, point_by_token

PHOTOS = 500
QUESTIONS = 1500
PRESENCE = 500
PHRASES = 500
STATEMENTS = 600
HALF = 0.5
"""The overlap, intersection over union, from which on a box is right."""
_BATCH = 100


class Validation:
    """CIDEr-D and fluency on the first photos of the first caption source, accuracy on the first
    questions of the first question source; of boxes and statements, on some of all."""

    def __init__(self, features: Features, config: Config, blind: bool = False) -> None:
        self.tokenizer = vocabulary.load()
        self.captions = next(iter(captions("val").values()))[:PHOTOS]
        first = next(iter(questions("val").values()), [])[:QUESTIONS]
        self.questions = [*first, *spread(questions("val").get("presence", []), PRESENCE)]
        self.phrases = spread(together(phrases("val")), PHRASES) if config.box_slots else []
        self.statements = spread(together(statements("val")), STATEMENTS)
        self.statements = self.statements if config.entail_slots else []
        self.known = bigrams(caption_texts())
        self.caption_batches, self.question_batches, self.phrase_batches, self.statement_batches = (
            Batches(e, features, self.tokenizer, _BATCH, config.prompt, blind=blind)
            for e in (self.captions, self.questions, self.phrases, self.statements)
        )

    def __call__(
        self, model: AutoregressiveCaptioner | Narvl, captions_too: bool
    ) -> tuple[dict[str, float], list[str]]:
        """Figures, and the texts that they are of."""
        figures, texts = {}, []
        if captions_too:
            texts = self.write(model, self.caption_batches, "caption")
            figures |= score(texts, [e.texts for e in self.captions], self.known)
        if self.questions:
            answers = self.write(model, self.question_batches, "answer")
            figures |= accuracies(answers, self.questions)
            texts += answers
        if self.phrases:
            found = self.point(model)
            figures["pointing %"] = hits(found, self.phrases)
        if self.statements:
            worth = self.write(model, self.statement_batches, "entail")
            right = [a == e.texts[0] for a, e in zip(worth, self.statements, strict=True)]
            figures["entailment %"] = 100 * sum(right) / len(right)
        return figures, texts

    def write(
        self, model: AutoregressiveCaptioner | Narvl, batches: Batches, task: Task
    ) -> list[str]:
        texts = []
        device = next(model.parameters()).device
        with autocast(device):
            for batch in batches.in_order():
                batch = batch.to(device)
                if isinstance(model, Narvl):
                    ids = one_pass(model, batch.features, batch.prompt, task)
                else:
                    ids = greedy(model, batch.features, batch.prompt)
                texts += [t.strip() for t in self.tokenizer.decode_batch(ids)]
        return texts

    def point(self, model: AutoregressiveCaptioner | Narvl) -> list[list[int]]:
        found = []
        device = next(model.parameters()).device
        with autocast(device):
            for batch in self.phrase_batches.in_order():
                batch = batch.to(device)
                if isinstance(model, Narvl):
                    boxes = point(model, batch.features, batch.prompt)
                else:
                    boxes = point_by_token(model, batch.features, batch.prompt, 1)
                found += [tokens for tokens, _ in boxes]
        return found


def spread(examples: list[Example], most: int) -> list[Example]:
    """So many of examples, from all over them."""
    return examples[:: max(1, len(examples) // most)][:most]


def hits(found: list[list[int]], phrases: list[Example]) -> float:
    """Percent of boxes that overlap with the right one by half."""
    right = [is_hit(tokens, phrase) for tokens, phrase in zip(found, phrases, strict=True)]
    return 100 * sum(right) / len(right)


def is_hit(tokens: list[int], phrase: Example) -> bool:
    return overlap(corners(tokens), corners(encode_box(phrase.texts[0]))) >= HALF
