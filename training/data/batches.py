"""Examples with their features and token ids, drawn in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.data.boxes import encode, is_box, mirrored
from training.data.flips import Flips
from training.data.formats import Example
from training.data.tokenizer import FIRST_PIECE, PAD
from training.eyes.evidence import Evidence
from training.eyes.features import Features
from training.network.model import NAME_PIECES, TAGS

_PROMPT_STEP = 8
"""A batch's prompts are padded to a multiple of this and no further: padding is never attended to,
so rows of it are only work. Few lengths, because each is compiled for."""
_NAMING = "what is it called?"
"""Asks for the first tag."""
_SPACE = "\u0120"
"""What tokens begin with that begin a word."""


@dataclass
class Batch:
    """B images with their prompt; `texts[b]` are the token ids of image b's references, and
    `told[b]` the pieces of names that take the places of its tags' (-1: none)."""

    examples: list[Example]
    features: Tensor
    prompt: Tensor
    texts: list[list[list[int]]]
    told: Tensor | None = None
    evidence: Tensor | None = None
    """[B, vocabulary] of photos that the word detector learnt from: what others say of them."""

    def to(self, device: torch.device) -> Batch:
        told = None if self.told is None else self.told.to(device)
        evidence = None if self.evidence is None else self.evidence.to(device)
        features, prompt = self.features.to(device), self.prompt.to(device)
        return Batch(self.examples, features, prompt, self.texts, told, evidence)


class Batches:
    """Batches of `examples`: in order, or shuffled and mirrored at random for ever. Of fewer
    examples than a batch has, each shuffled batch is all of them.

    A prompt of more than `prompt_length` tokens loses its end, and is counted in `cut`. `blind`
    batches have zeros for photos. `evidence` is of training photos. To what is shuffled, `flips`
    adds so many copies of every example that names what the classifier sees, each time of another
    class or under another name.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        features: Features,
        tokenizer: Tokenizer,
        size: int,
        prompt_length: int,
        blind: bool = False,
        flips: int = 0,
        evidence: Evidence | None = None,
    ) -> None:
        self.examples = list(examples)
        self.features = features
        self.tokenizer = tokenizer
        self.size = size
        self.blind = blind
        self.evidence = evidence
        prompts = [e.ids for e in tokenizer.encode_batch([e.prompt for e in self.examples])]
        self.cut = sum(len(ids) > prompt_length for ids in prompts)
        self.prompts = [ids[:prompt_length] for ids in prompts]
        self.texts = [[encode(tokenizer, t) for t in e.texts] for e in self.examples]
        self.may_mirror = np.array(
            [
                not any(w in ("left", "right") for t in (e.prompt, *e.texts) for w in t.split())
                for e in self.examples
            ]
        )
        self.flips = Flips() if flips else None
        self.names = Names(tokenizer)
        # The examples that are shuffled, each with the class that is to change places.
        self.drawn: list[tuple[int, int | None]] = [(i, None) for i in range(len(self.examples))]
        self.drawn += self._named() * flips

    def _named(self) -> list[tuple[int, int | None]]:
        """The examples whose texts name what the classifier sees, each with that class."""
        if self.flips is None:
            return []
        found: list[tuple[int, int | None]] = []
        rare = self.flips.rare([e.texts for e in self.examples])
        for i, (example, classes) in enumerate(zip(self.examples, rare, strict=True)):
            if classes:
                at = self.features.index[example.image]
                one = self.flips.seen(self.features.plain[at])
                found += [(i, one)] if one in classes else []
        return found

    def __len__(self) -> int:
        return -(-len(self.examples) // self.size)

    def in_order(self) -> Iterator[Batch]:
        for start in range(0, len(self.examples), self.size):
            yield self._batch(range(start, min(start + self.size, len(self.examples))))

    def shuffled(self, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            order = rng.permutation(len(self.drawn))
            for start in range(0, max(1, len(order) - self.size + 1), self.size):
                drawn = [self.drawn[i] for i in order[start : start + self.size]]
                rows = [i for i, _ in drawn]
                turned = (rng.random(len(rows)) < 0.5) & self.may_mirror[rows]
                yield self._flip(self._batch(rows, turned), [one for _, one in drawn], rng)

    def _batch(self, rows: Sequence[int], turned: np.ndarray | None = None) -> Batch:
        """Of examples, those that are `turned` with their photo mirrored, and a box with it."""
        examples = [self.examples[i] for i in rows]
        at = [] if self.blind else [self.features.index[e.image] for e in examples]
        stack = np.zeros((len(rows), *self.features.plain.shape[1:]), np.float16)
        for n, i in enumerate(at):
            mirror = turned is not None and turned[n]
            stack[n] = (self.features.mirrored if mirror else self.features.plain)[i]
        longest = max(len(self.prompts[i]) for i in rows)
        return Batch(
            examples,
            torch.from_numpy(stack).float(),
            pad_texts(
                [self.prompts[i] for i in rows], PAD, -(-longest // _PROMPT_STEP) * _PROMPT_STEP
            ),
            [
                [mirrored(t) if is_box(t) else t for t in self.texts[i]]
                if turned is not None and turned[n]
                else self.texts[i]
                for n, i in enumerate(rows)
            ],
            evidence=self._evidence([e.image for e in examples], turned),
        )

    def _evidence(self, images: list[str], turned: np.ndarray | None) -> Tensor | None:
        if self.evidence is None:
            return None
        mirror = np.zeros(len(images), bool) if turned is None else turned
        rows = [self.evidence.of(one, bool(m)) for one, m in zip(images, mirror, strict=True)]
        return torch.from_numpy(np.stack(rows)).float()

    def _flip(self, batch: Batch, ones: list[int | None], rng: np.random.Generator) -> Batch:
        """Give photos another class or name, where `ones` has the class that is to lose its own."""
        if self.flips is None:
            return batch
        told = torch.full((len(ones), TAGS * NAME_PIECES), -1)
        for n, one in enumerate(ones):
            if one is None:
                continue
            if batch.evidence is not None:  # it saw what is not to be seen
                batch.evidence[n] = 0
            texts = batch.examples[n].texts
            if rng.random() < 0.5:
                other = self.flips.other(one, rng)
                flipped = self.flips.features(batch.features[n].numpy(), one, other)
                batch.features[n] = torch.from_numpy(flipped)
                renamed = self.flips.texts(texts, one, other)
                batch.texts[n] = [e.ids for e in self.tokenizer.encode_batch(renamed)]
            else:
                name = self.names.draw(rng)
                told[n, :NAME_PIECES] = pad_texts([name], PAD, NAME_PIECES)[0]
                batch.texts[n] = [
                    self._joined(pieces, name) for pieces in self.flips.around(texts, one)
                ]
        batch.told = told
        return batch

    def _joined(self, pieces: list[str], name: list[int]) -> list[int]:
        first, *others = (e.ids for e in self.tokenizer.encode_batch(pieces))
        return [*first, *(token for ids in others for token in (*name, *ids))]


class Names:
    """Names that nothing but a tag can tell, and batches that ask for them without a photo.

    To say what stands in the memory takes a circuit that captions alone never taught: a few hundred
    batches of nothing else do.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.vocabulary = tokenizer.get_vocab_size()
        # As an array: a list would be copied into one at every draw.
        self.starts = np.array(
            [i for t, i in tokenizer.get_vocab().items() if t.startswith(_SPACE)]
        )
        self.prompt = tokenizer.encode(_NAMING).ids

    def draw(self, rng: np.random.Generator) -> list[int]:
        """Random pieces, the first of which begins a word."""
        pieces = rng.integers(FIRST_PIECE, self.vocabulary, rng.integers(0, NAME_PIECES - 1))
        return [int(rng.choice(self.starts)), *map(int, pieces)]

    def shuffled(self, size: int, channels: int, rng: np.random.Generator) -> Iterator[Batch]:
        while True:
            names = [[self.draw(rng) for _ in range(TAGS)] for _ in range(size)]
            told = [pad_texts(tags, PAD, NAME_PIECES).flatten() for tags in names]
            yield Batch(
                [],
                torch.zeros(size, 0, channels),
                torch.tensor([self.prompt] * size),
                [[first] for first, *_ in names],
                torch.stack(told),
            )


def pad_texts(texts: Sequence[Sequence[int]], value: int, length: int = 0) -> Tensor:
    """Token ids [len(texts), the longest or `length`]."""
    longest = max([length, *map(len, texts)])
    return torch.tensor([[*t, *[value] * (longest - len(t))] for t in texts], dtype=torch.long)
