"""Caption scores: the field's CIDEr-D and BLEU, and what they do not show about fluency."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

from training.data.formats import Example
from training.scoring import meteor

_WORD = re.compile(r"[a-z0-9']+")
FUNCTION_WORDS = frozenset(
    "a an the of in on at to with and or by for from is are be being its his her their it as into "
    "over up down out off through near next while who that this there two".split()
)


def words(text: str) -> list[str]:
    """Lower-case words without punctuation, as the scorers compare them."""
    return _WORD.findall(text.lower())


def says_twice(text: str) -> bool:
    """Whether a content word comes twice."""
    content = [w for w in words(text) if w not in FUNCTION_WORDS]
    return len(set(content)) < len(content)


def bigrams(texts: Iterable[str]) -> set[tuple[str, str]]:
    """Every pair of neighbouring words, sentence borders included."""
    found: set[tuple[str, str]] = set()
    for text in texts:
        row = ["<s>", *words(text), "</s>"]
        found.update(itertools.pairwise(row))
    return found


def score(
    captions: Sequence[str], references: Sequence[Sequence[str]], known: set[tuple[str, str]]
) -> dict[str, float]:
    """CIDEr-D, BLEU-1…4, ROUGE-L and, where WordNet is installed, METEOR (all ×100) of one caption
    an image, and fluency figures in percent.

    `known` are the bigrams of all training captions.
    """
    rows, told = [words(c) for c in captions], [[words(r) for r in refs] for refs in references]
    truth = {i: [" ".join(r) for r in refs] for i, refs in enumerate(told)}
    ours = {i: [" ".join(row)] for i, row in enumerate(rows)}
    cider, _ = Cider().compute_score(truth, ours)
    bleu, _ = Bleu(4).compute_score(truth, ours, verbose=0)
    rouge, _ = Rouge().compute_score(truth, ours)
    reference_length = sum(sum(map(len, refs)) / len(refs) for refs in told) / len(told)
    length = sum(map(len, rows)) / len(rows)

    def percent(hits: Iterable[bool]) -> float:
        return 100 * sum(hits) / len(rows)

    return {
        "CIDEr-D": 100 * cider,
        **{f"BLEU-{n + 1}": 100 * value for n, value in enumerate(bleu)},
        "ROUGE-L": 100 * rouge,
        **({"METEOR": meteor.meteor(rows, told)} if meteor.available() else {}),
        "words": length,
        "length ratio": length / reference_length,
        "immediate repeats %": percent(any(a == b for a, b in itertools.pairwise(r)) for r in rows),
        "content word twice %": percent(map(says_twice, captions)),
        "unseen bigram %": percent(bool(bigrams([c]) - known) for c in captions),
        "distinct captions %": 100 * len(set(captions)) / len(captions),
    }


_NUMBERS = {
    word: str(n)
    for n, word in enumerate("zero one two three four five six seven eight nine ten".split())
} | {"none": "0"}
_ARTICLES = frozenset(["a", "an", "the"])


def normalise_answer(text: str) -> str:
    """An answer as VQA's evaluation compares it (Antol et al. 2015): lower case, no punctuation,
    no articles, number words as digits."""
    kept = (w for w in words(text) if w not in _ARTICLES)
    return " ".join(_NUMBERS.get(w, w) for w in kept)


def accuracies(answers: Sequence[str], examples: Sequence[Example]) -> dict[str, float]:
    """Exact matches in percent, per kind of question."""
    hits: dict[str, list[bool]] = {}
    for answer, example in zip(answers, examples, strict=True):
        right = normalise_answer(answer) == normalise_answer(example.texts[0])
        hits.setdefault(example.kind, []).append(right)
    return {f"{kind} %": 100 * sum(h) / len(h) for kind, h in sorted(hits.items())}
