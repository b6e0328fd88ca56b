"""What guides the beam of each photo: n-grams, the names that fusion was told, no word twice."""

from __future__ import annotations

from torch import Tensor

from training.network.model import AutoregressiveCaptioner, Narvl
from training.writing.ctc_beam import BeamOptions
from training.writing.decode import likeliest_tokens
from training.writing.ngram import LanguageModel, NgramModel
from training.writing.once import Once, function_words, word_beginnings
from training.writing.told_names import Slots, Told


def searchable(
    model: AutoregressiveCaptioner | Narvl,
    features: Tensor,
    logits: Tensor,
    ngrams: NgramModel,
    options: BeamOptions,
) -> list[tuple[Slots, LanguageModel]]:
    """What a beam takes of each photo of features [B, cells, channels] and the logits [B, N, V] of
    its slots: their likeliest tokens, and the language model that guides it."""

    def once(guide: LanguageModel) -> LanguageModel:
        if not options.again:
            return guide
        return Once(guide, options.again, word_beginnings(), function_words())

    slots, tags = likeliest_tokens(logits), model.fusion.tags
    if tags is None or options.copying is None:
        return [(photo, once(ngrams)) for photo in slots]
    guides = [Told(ngrams, names, options.copying) for names in tags.names_of(features)]
    return [(told.spelled(photo), once(told)) for photo, told in zip(slots, guides, strict=True)]
