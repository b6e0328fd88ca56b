"""From a network to token ids: one pass for Narvl, greedy and beam search for its twin."""

from __future__ import annotations

from itertools import groupby

import torch
from torch import Tensor

from training.data.tokenizer import BLANK, BOS, EOS, PAD
from training.network.model import AutoregressiveCaptioner, Narvl, Task, memory_mask

LONGEST = 24
"""Words after which a search gives up on EOS."""


def collapse(path: list[int], merge: bool = True) -> list[int]:
    """CTC's map from slots to a text: merge repeats, drop blanks, stop at EOS."""
    kept = [token for token, _ in groupby(path)] if merge else path
    return until_eos([token for token in kept if token != BLANK])


def until_eos(tokens: list[int]) -> list[int]:
    return tokens[: tokens.index(EOS)] if EOS in tokens else tokens


@torch.inference_mode()
def one_pass(
    model: Narvl, features: Tensor, prompt: Tensor, task: Task = "caption"
) -> list[list[int]]:
    """The collapsed argmax of each slot."""
    paths = model(features, prompt, task).argmax(-1).tolist()
    return [collapse(path, model.config.merge) for path in paths]


@torch.inference_mode()
def two_passes(
    model: Narvl, features: Tensor, prompt: Tensor, task: Task = "caption", sure: float = 0.5
) -> list[list[int]]:
    """One pass, and a second that is shown what the slots said that were surer than `sure`. For a
    model that learnt by glancing; no other has seen a word in a slot."""
    memory = model.read(features, prompt)
    likely, said = model.write(memory, task)[0].softmax(-1).max(-1)
    shown = torch.where(likely > sure, said, -1)
    paths = model.write(memory, task, shown)[0].argmax(-1).tolist()
    return [collapse(path, model.config.merge) for path in paths]


def likeliest_tokens(logits: Tensor, most: int = 8) -> list[list[list[tuple[int, float]]]]:
    """Per image and slot of [B, N, V], the `most` likeliest tokens with their log-probabilities:
    what the runtime reads back of the posteriors."""
    values, ids = logits.float().log_softmax(-1).topk(most)
    return [
        [list(zip(i, v, strict=True)) for i, v in zip(slots, scores, strict=True)]
        for slots, scores in zip(ids.tolist(), values.tolist(), strict=True)
    ]


@torch.inference_mode()
def beam_search(
    model: AutoregressiveCaptioner,
    features: Tensor,
    prompt: Tensor,
    beams: int,
    evidence: Tensor | None = None,
) -> list[list[tuple[list[int], float]]]:
    """Per image, up to `beams` texts with their log-probability per token, best first.

    One beam is greedy search. Finished texts are ranked by their mean log-probability.
    """
    batch = features.shape[0]
    evidence = model.evidence(features) if evidence is None else evidence
    memory = model.fusion(features, prompt, evidence=evidence)
    seen = None if evidence is None else evidence.repeat_interleave(beams, 0)
    kvs = model.decoder.keys_and_values(memory)
    kvs = [kv.repeat_interleave(beams, 0) for kv in kvs]
    mask = memory_mask(prompt, memory.shape[1]).repeat_interleave(beams, 0)
    past: list = [None] * len(kvs)
    device = features.device
    tokens = torch.full((batch * beams, 1), BOS, device=device)
    # Only the first beam starts alive, or all would be the same.
    scores = torch.full((batch, beams), float("-inf"), device=device)
    scores[:, 0] = 0
    finished: list[list[tuple[list[int], float]]] = [[] for _ in range(batch)]
    for position in range(min(LONGEST, model.config.slots)):
        x = model.embed(tokens[:, -1:], position)
        for i, layer in enumerate(model.decoder.layers):
            y, past[i] = layer.self.step(x, past[i])
            x = x + y
            x = x + layer.cross(x, kvs[i], mask)
            x = x + layer.ffn(x)
        logits = model.project(model.decoder.norm(x), seen, model.tilt)[:, 0].float()
        logits[:, [BLANK, BOS, PAD]] = float("-inf")
        log_p = logits.log_softmax(-1).view(batch, beams, -1)
        vocabulary = log_p.shape[-1]
        total = (scores.unsqueeze(-1) + log_p).view(batch, -1)
        best, index = total.topk(2 * beams, dim=-1)
        parents, words = index // vocabulary, index % vocabulary
        rows, next_words, next_scores = [], [], []
        for b in range(batch):
            alive = 0
            for score, parent, word in zip(
                best[b].tolist(), parents[b].tolist(), words[b].tolist(), strict=True
            ):
                row = b * beams + parent
                if word == EOS:
                    if len(finished[b]) < beams and score > float("-inf"):
                        text = tokens[row, 1:].tolist()
                        finished[b].append((text, score / (len(text) + 1)))
                elif alive < beams:
                    alive += 1
                    rows.append(row)
                    next_words.append(word)
                    next_scores.append(score)
                if beams == 1 and (finished[b] or alive):
                    break
            for _ in range(beams - alive):
                rows.append(b * beams)
                next_words.append(PAD)
                next_scores.append(float("-inf"))
        order = torch.tensor(rows, device=device)
        tokens = torch.cat([tokens[order], torch.tensor(next_words, device=device).unsqueeze(1)], 1)
        scores = torch.tensor(next_scores, device=device).view(batch, beams)
        past = [(k[order], v[order]) for k, v in past]
        if all(len(f) >= beams for f in finished):
            break
    for b in range(batch):
        if not finished[b]:
            row = b * beams
            text = [t for t in tokens[row, 1:].tolist() if t != PAD]
            finished[b].append((text, scores[b, 0].item() / max(1, len(text))))
        finished[b].sort(key=lambda pair: -pair[1])
    return finished


def greedy(model: AutoregressiveCaptioner, features: Tensor, prompt: Tensor) -> list[list[int]]:
    return [texts[0][0] for texts in beam_search(model, features, prompt, beams=1)]
