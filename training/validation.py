"""What a run is watched by: a fixed part of the validation splits, captions and answers."""

from __future__ import annotations

from training import tokenizer as vocabulary
from training.autocast import autocast
from training.batches import Batches
from training.data import caption_texts, captions, questions
from training.decode import greedy, one_pass
from training.features import Features
from training.model import AutoregressiveCaptioner, Config, Narvl
from training.scores import accuracies, bigrams, score

PHOTOS = 500
QUESTIONS = 1500
_BATCH = 100


class Validation:
    """CIDEr-D and fluency on the first photos of the first caption source, accuracy on the first
    questions of the first question source."""

    def __init__(self, features: Features, config: Config, blind: bool = False) -> None:
        self.tokenizer = vocabulary.load()
        self.captions = next(iter(captions("val").values()))[:PHOTOS]
        self.questions = next(iter(questions("val").values()), [])[:QUESTIONS]
        self.known = bigrams(caption_texts())
        self.caption_batches, self.question_batches = (
            Batches(e, features, self.tokenizer, _BATCH, config.prompt, blind=blind)
            for e in (self.captions, self.questions)
        )

    def __call__(
        self, model: AutoregressiveCaptioner | Narvl, answers_only: bool
    ) -> tuple[dict[str, float], list[str]]:
        """Figures, and the texts that they are of."""
        figures, texts = {}, []
        if not answers_only:
            texts = self.write(model, self.caption_batches, False)
            figures |= score(texts, [e.texts for e in self.captions], self.known)
        if self.questions:
            answers = self.write(model, self.question_batches, True)
            figures |= accuracies(answers, self.questions)
            texts += answers
        return figures, texts

    def write(
        self, model: AutoregressiveCaptioner | Narvl, batches: Batches, answers: bool
    ) -> list[str]:
        texts = []
        device = next(model.parameters()).device
        with autocast(device):
            for batch in batches.in_order():
                batch = batch.to(device)
                if isinstance(model, Narvl):
                    ids = one_pass(model, batch.features, batch.prompt, answers)
                else:
                    ids = greedy(model, batch.features, batch.prompt)
                texts += [t.strip() for t in self.tokenizer.decode_batch(ids)]
        return texts
