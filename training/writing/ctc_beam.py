"""Prefix beam search over one pass's posteriors, with a language model between the slots.

Hannun et al. (2014): a prefix keeps the probability of its paths that end in a blank apart from
that of those that end in its last token, since only the former may repeat it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import exp, inf, log

from training.data.tokenizer import BLANK, BOS, EOS
from training.writing.decode import collapse, until_eos
from training.writing.ngram import Gram, LanguageModel
from training.writing.told_names import Copying


@dataclass(frozen=True)
class BeamOptions:
    width: int
    likelihood: float
    """Weight of the language model's log-probability."""
    bonus: float
    """Added for each token, the end too, since every model prefers short texts."""
    copying: Copying | None = None
    """How the names that fusion was told count; None if they do not."""
    again: float = 0
    """What it costs the language model's log-probability to say a content word again: `Once`."""


# Found on photos of Flickr8k's and `described`'s, and 1,500 questions of `described`'s validation
# splits.
FOR_CAPTIONS = BeamOptions(
    width=16,
    likelihood=0.35,
    bonus=2.0,
    copying=Copying(start=0.02, inside=0.95, least=0.1, sure=0.9, named=5),
    again=14,
)
FOR_ANSWERS = BeamOptions(width=16, likelihood=0.3, bonus=0.5)


def _add(a: float, b: float) -> float:
    if a < b:
        a, b = b, a
    return a if b == -inf else a + log(1 + exp(b - a))


def prefix_beam(
    slots: Sequence[Sequence[tuple[int, float]]], model: LanguageModel, options: BeamOptions
) -> list[tuple[list[int], float]]:
    """Texts with their scores, best first. `slots` are each slot's likeliest tokens with their
    natural log-probabilities, likeliest first.

    The search only finds the texts, and may lose paths on its way; the scores are exact, and the
    likeliest path's text is always one of them.
    """
    beams: dict[Gram, tuple[float, float]] = {(): (0.0, -inf)}
    judged: dict[Gram, float] = {(): 0.0}

    def judge(prefix: Gram, token: int) -> float:
        """The language model's share of a prefix's score; kept, as prefixes come again."""
        longer = (*prefix, token)
        if longer not in judged:
            log_p = model.log_p((BOS, *prefix), token)
            judged[longer] = judged[prefix] + options.likelihood * log_p + options.bonus
        return judged[longer]

    for slot in slots:
        following: dict[Gram, tuple[float, float]] = {}

        def reach(prefix: Gram, blank: float, token: float, into=following) -> None:
            old = into.get(prefix, (-inf, -inf))
            into[prefix] = (_add(old[0], blank), _add(old[1], token))

        for prefix, (blank, last) in beams.items():
            either = _add(blank, last)
            ended = bool(prefix) and prefix[-1] == EOS
            for token, log_p in slot:
                if token == BLANK or ended:
                    # Nothing is read behind the end, whatever stands there.
                    reach(prefix, either + log_p, -inf)
                elif prefix and token == prefix[-1]:
                    reach(prefix, -inf, last + log_p)
                    judge(prefix, token)
                    reach((*prefix, token), -inf, blank + log_p)
                else:
                    judge(prefix, token)
                    reach((*prefix, token), -inf, either + log_p)
        totals = {prefix: _add(*both) + judged[prefix] for prefix, both in following.items()}
        ranked = sorted(totals, key=lambda prefix: -totals[prefix])
        beams = {p: following[p] for p in ranked[: options.width] if totals[p] > -inf}

    # A text has both the paths that end it and those that fill every slot without an end.
    texts = {tuple(until_eos(list(prefix))) for prefix in beams}
    texts.add(tuple(collapse([slot[0][0] for slot in slots])))
    scored = []
    for text in texts:
        for i, token in enumerate((*text, EOS)):
            judge(text[:i], token)
        scored.append((list(text), text_log_p(slots, text) + judged[(*text, EOS)]))
    return sorted(scored, key=lambda pair: -pair[1])


def text_log_p(slots: Sequence[Sequence[tuple[int, float]]], text: Sequence[int]) -> float:
    """log p of a text: every path that spells it, by the forward algorithm (Graves et al. 2006),
    with an end, behind which anything stands."""
    labels = [label for token in text for label in (BLANK, token)] + [BLANK, EOS]
    end = len(labels) - 1
    forward = [0.0] + [-inf] * (end + 1)  # the last: behind the end
    for position, slot in enumerate(slots):
        emission = dict(slot)
        last, forward = forward, [-inf] * (end + 2)
        for state, label in enumerate(labels):
            if label not in emission:
                continue
            came = last[state - 1] if state else -inf
            if state % 2 == 1 and state > 1 and label != labels[state - 2]:
                came = _add(came, last[state - 2])  # a word after a word, or the end
            if state != end and (position or state == 0):
                came = _add(came, last[state])  # a second end is behind the first
            forward[state] = came + emission[label]
        anything = reduce(_add, emission.values())
        forward[end + 1] = _add(last[end], last[end + 1]) + anything
    return reduce(_add, forward[max(0, end - 2) :])


def best_path(slots: Sequence[Sequence[tuple[int, float]]], text: Sequence[int]) -> list[float]:
    """Log-probability of each token of a text in the slot that is likeliest to have brought it, by
    Viterbi over the states of `text_log_p`; the slots have to be able to spell it."""
    labels = [label for token in text for label in (BLANK, token)] + [BLANK, EOS]
    end = len(labels) - 1
    # Of the best way to each state: its score, and the tokens' log-probabilities so far.
    Way = tuple[float, tuple[float, ...]]
    nowhere: Way = (-inf, ())
    ways: list[Way] = [(0.0, ())] + [nowhere] * (end + 1)
    for position, slot in enumerate(slots):
        emission = dict(slot)
        last, ways = ways, [nowhere] * (end + 2)
        for state, label in enumerate(labels):
            if label not in emission:
                continue
            stay = last[state] if state != end and (position or state == 0) else nowhere
            came = [last[state - 1]] if state else []
            if state % 2 == 1 and state > 1 and label != labels[state - 2]:
                came.append(last[state - 2])
            new = max(came, default=nowhere)
            brought = new[1] + (emission[label],) if state % 2 == 1 and state < end else new[1]
            score, tokens = max(stay, (new[0], brought))
            ways[state] = (score + emission[label], tokens)
        behind = max(last[end], last[end + 1])
        ways[end + 1] = (behind[0] + slot[0][1], behind[1])
    return list(max(ways[max(0, end - 2) :])[1])
