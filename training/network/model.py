"""The network: features and a prompt to memory, memory to a text.

One set of modules serves both ways of writing. `AutoregressiveCaptioner` reads the words so far
and predicts the next; `Narvl` reads N learnable queries and predicts all slots at once. Pre-LN.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple, get_args

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from training.data.tokenizer import BLANK, PAD, VOCABULARY
from training.eyes.backbone import FEATURES, HEAD_CHANNELS, Backbone, LastStage
from training.eyes.class_names import class_name, spelled
from training.eyes.eyes import Eyes
from training.network.phrase_map import PhraseMap
from training.network.word_detector import WordDetector

TAGS = 3
"""Classes whose names fusion is told."""
NAME_PIECES = 5
"""Word pieces of a class's name that count."""
KICK = 0.2
"""How large the numbers begin that a nat of evidence adds to a prompt's word."""
TILT = 0.3
"""What evidence for a word begins by adding to its logit, for each nat of it, in captions and
answers; boxes and verdicts begin without."""

OF_DETECTORS = ("word_detector.", "there", "missing")
"""How what fusion has for a word detector is named."""
OF_MAPS = ("phrase_map.",)
"""How what it has for a phrase map is named."""

Task = Literal["caption", "answer", "locate", "entail"]
"""What a text is written for; each has queries of its own."""


class Name(NamedTuple):
    """Of a class that a photo may show: the pieces of its name, and how likely it is."""

    pieces: tuple[int, ...]
    likely: float


@dataclass(frozen=True)
class Config:
    width: int = 256
    heads: int = 8
    encoder_layers: int = 3
    decoder_layers: int = 4
    ffn: int = 1024
    vocabulary: int = VOCABULARY
    prompt: int = 24
    """The most prompt tokens, padding included."""
    photo: int = 224
    """Pixels of a photo's side, squashed to a square."""
    slots: int = 32
    """Narvl's queries for a caption; also the longest text that its twin can read."""
    answer_slots: int = 12
    """Narvl's queries for an answer."""
    box_slots: int = 0
    """Narvl's queries for a box: four tokens and EOS, with a blank between equal neighbours."""
    entail_slots: int = 0
    """Narvl's queries for what a statement is worth."""
    own_answer_queries: bool = True
    """Whether answers have queries of their own, or take the first of the captions'."""
    fine: bool = True
    """Whether the backbone's finer scale is looked at, beside what its head says."""
    tuned: str = ""
    """Which of the recipe's tuned eyes see; ImageNet's if empty."""
    backbone: str = ""
    """A vision transformer of `timm` by its name, in place of EfficientNet-Lite2."""
    weights: str = ""
    """The file of its weights, below `$NARVL_DATA`."""
    detector: bool = False
    """Whether a detector looks at the photo too."""
    unfrozen: bool = False
    """Whether the backbone's last stage is trained too, here; tags stay those of the frozen one."""
    tags: bool = False
    """Whether fusion is told what the backbone's own classifier sees, in words."""
    words: int = 0
    """Units inside the word detector; 0: there is none."""
    places: int = 0
    """Units inside the phrase map; 0: there is none."""
    dropout: float = 0.1
    merge: bool = True
    """Whether equal neighbours are one word, as Query-CTC has it; cross-entropy has not."""

    def __post_init__(self) -> None:
        of_lite2 = [n for n in ("tags", "tuned", "unfrozen", "detector") if getattr(self, n)]
        of_lite2 += [] if self.fine else ["fine"]
        if self.backbone and of_lite2:
            raise ValueError(
                f"expected EfficientNet-Lite2 for {', '.join(of_lite2)}, got {self.backbone}"
            )
        if self.words and (self.words % 4 or self.vocabulary % 4):
            raise ValueError(
                f"expected multiples of 4 for words and vocabulary, as the runtime's kernels read "
                f"four at once, got {self.words} and {self.vocabulary}"
            )
        if self.places % 4:
            raise ValueError(f"expected a multiple of 4 for places, got {self.places}")

    @property
    def eyes(self) -> Eyes:
        return Eyes(self.photo, self.detector, self.tuned, self.backbone, self.weights)

    def to_json(self) -> dict:
        return asdict(self)


class Dropout(nn.Module):
    """Dropout of whole channels: one mask for all positions of an image [B, L, d].

    Drawing a mask an element took a fifth of a training step on a CPU.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        mask = torch.empty(x.shape[0], 1, x.shape[2], dtype=x.dtype, device=x.device)
        return x * mask.bernoulli_(1 - self.p).div_(1 - self.p)


class Attention(nn.Module):
    """Multi-head attention whose keys and values may be projected elsewhere."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.out = nn.Linear(config.width, config.width)

    def split(self, x: Tensor) -> Tensor:
        """[B, L, d] to [B, heads, L, d / heads]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
        # Written out: the fused kernel's backward pass is five times slower on a CPU in bf16.
        q, k, v = self.split(q), self.split(k), self.split(v)
        scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
        if mask is not None:
            scores = scores + mask
        if causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
            scores = scores.masked_fill(later, float("-inf"))
        mixed = scores.softmax(-1).to(v.dtype) @ v
        return self.out(mixed.transpose(1, 2).flatten(2))


class SelfAttention(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.attention = Attention(config)

    def forward(self, x: Tensor, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        q, k, v = self.qkv(self.norm(x)).chunk(3, dim=-1)
        return self.attention(q, k, v, mask, causal)

    def step(self, x: Tensor, past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple]:
        """One more position [B, 1, d] after the keys and values of those before it."""
        q, k, v = self.qkv(self.norm(x)).chunk(3, dim=-1)
        if past is not None:
            k, v = torch.cat([past[0], k], 1), torch.cat([past[1], v], 1)
        return self.attention(q, k, v, None, False), (k, v)


class CrossAttention(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.q = nn.Linear(config.width, config.width)
        self.kv = nn.Linear(config.width, 2 * config.width)
        self.attention = Attention(config)

    def forward(self, x: Tensor, kv: Tensor, mask: Tensor) -> Tensor:
        k, v = kv.chunk(2, dim=-1)
        return self.attention(self.q(self.norm(x)), k, v, mask, False)


class FeedForward(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.up = nn.Linear(config.width, config.ffn)
        self.down = nn.Linear(config.ffn, config.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(self.norm(x)), approximate="tanh"))


class EncoderLayer(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.self = SelfAttention(config)
        self.ffn = FeedForward(config)
        self.drop = Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.drop(self.self(x, mask))
        return x + self.drop(self.ffn(x))


class Tags(nn.Module):
    """What the backbone's classifier sees, as words that the decoder can say.

    Each cell of the grid is told the mixture of ImageNet's class names that the classifier gives
    it, as embeddings. The likeliest names of the whole photo are spelled, piece by piece, in rows
    of their own, where the decoder can copy them from.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        classifier = Backbone(config.photo).classifier
        self.register_buffer("weight", classifier.weight.T.contiguous())
        self.register_buffer("bias", classifier.bias)
        # Word pieces of each class's name, padded with PAD: see `name`.
        names = torch.full((len(classifier.bias), NAME_PIECES), PAD, dtype=torch.int32)
        self.register_buffer("names", names)
        self.cell = nn.Linear(config.width, config.width, bias=False)
        self.norm = nn.LayerNorm(config.width)
        self.position = nn.Parameter(torch.zeros(TAGS * NAME_PIECES, config.width))
        self.sure = nn.Parameter(torch.zeros(config.width))

    def name(self, tokenizer: Tokenizer) -> None:
        """Spell the classes' names in the vocabulary's pieces."""
        self.names.fill_(PAD)
        for i in range(len(self.names)):
            pieces = spelled(class_name(i), tokenizer, NAME_PIECES)
            self.names[i, : len(pieces)] = torch.tensor(pieces)

    def logits(self, features: Tensor) -> Tensor:
        """[B, cells, classes]"""
        return features[..., :HEAD_CHANNELS] @ self.weight + self.bias

    def cells(self, logits: Tensor, words: Tensor) -> Tensor:
        """What is added to each cell, [B, cells, d]; `words` is the vocabulary [V, d]."""
        spelled = (self.names != PAD).to(words.dtype).unsqueeze(-1)
        names = (words[self.names] * spelled).sum(1) / spelled.sum(1).clamp(min=1)
        scale = names.shape[1] ** 0.5  # Of embeddings to the rows that fusion adds.
        return self.cell(logits.softmax(-1).to(names.dtype) @ names * scale)

    def likeliest(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """How likely the likeliest classes are [B, TAGS], and the pieces of their names, padded
        with PAD [B, TAGS * NAME_PIECES]."""
        likely, classes = logits.mean(1).softmax(-1).topk(TAGS)
        return likely, self.names[classes].flatten(1)

    def names_of(self, features: Tensor) -> list[list[Name]]:
        """The likeliest classes of each photo of features [B, cells, channels], likeliest first."""
        likely, pieces = self.likeliest(self.logits(features))
        photos = zip(
            pieces.unflatten(1, (TAGS, NAME_PIECES)).tolist(), likely.tolist(), strict=True
        )
        return [
            [
                Name(tuple(piece for piece in name if piece != PAD), p)
                for name, p in zip(*photo, strict=True)
            ]
            for photo in photos
        ]

    def rows(self, logits: Tensor, words: Tensor, told: Tensor | None = None) -> Tensor:
        """The likeliest classes' names, [B, TAGS * NAME_PIECES, d], and how likely each is.

        `told` [B, TAGS * NAME_PIECES] are pieces that training puts in their places; -1 does not.
        Where there is no cell to see anything in, all are told, and sure.
        """
        if logits.shape[1] > 0:
            likely, pieces = self.likeliest(logits)
            if told is not None:
                pieces = torch.where(told >= 0, told, pieces)
        else:
            assert told is not None
            likely, pieces = torch.ones(len(told), TAGS, device=told.device), told
        sure = likely.repeat_interleave(NAME_PIECES, 1).unsqueeze(-1) * self.sure
        return self.norm(words[pieces]) + self.position + sure


class Fusion(nn.Module):
    """Features [B, cells, channels] and prompt ids [B, P] (P up to config.prompt, padded with PAD)
    to memory [B, seen + P, d]. Rows of padding are there but must not be attended to. `told`:
    see Tags.rows; with all of them told, training may leave out the photo: features [B, 0, …].
    `evidence` [B, vocabulary] is what the word detector says, if that is known already."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.image = nn.Linear(config.eyes.channels if config.fine else HEAD_CHANNELS, config.width)
        self.stage = LastStage(config.photo) if config.unfrozen else None
        self.tags = Tags(config) if config.tags else None
        self.seen = config.eyes.cells + (TAGS * NAME_PIECES if config.tags else 0)
        self.image_norm = nn.LayerNorm(config.width)
        self.image_position = nn.Parameter(torch.zeros(config.eyes.cells, config.width))
        self.word = nn.Embedding(config.vocabulary, config.width)
        self.word_norm = nn.LayerNorm(config.width)
        self.word_position = nn.Parameter(torch.zeros(config.prompt, config.width))
        self.word_detector = None
        if config.words:
            self.word_detector = WordDetector(config.eyes.channels, config.words, config.vocabulary)
            # What each nat of evidence for a prompt's word adds to its row, and each against it
            # takes away. Large enough to be read from the first step on: from nothing, neither
            # they nor what might read them had anything to learn from.
            kick = torch.randn(config.width) * KICK
            self.there = nn.Parameter(kick + torch.randn(config.width) * KICK / 20)
            self.missing = nn.Parameter(kick + torch.randn(config.width) * KICK / 20)
        self.phrase_map = None
        if config.places:
            self.phrase_map = PhraseMap(
                config.width, config.places, config.vocabulary, config.eyes.cells
            )
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.drop = Dropout(config.dropout)

    def cells(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """What is made of each cell [B, cells, d], without norm and position; and what the
        classifier sees, if fusion is told that."""
        looked = features
        if self.stage is not None and features.shape[1] > 0:
            head = self.stage(features[..., HEAD_CHANNELS:FEATURES])
            looked = torch.cat([head, features[..., HEAD_CHANNELS:]], -1)
        rows = self.image(self.drop(looked[..., : self.image.in_features]))
        if self.tags is None:
            return rows, None
        logits = self.tags.logits(features)
        return rows + self.tags.cells(logits, self.word.weight), logits

    def places(self, features: Tensor, prompt: Tensor) -> Tensor | None:
        """Where the phrase map finds a prompt's phrase [B, cells], if there is one."""
        return None if self.phrase_map is None else self.phrase_map(self.cells(features)[0], prompt)

    def forward(
        self,
        features: Tensor,
        prompt: Tensor,
        told: Tensor | None = None,
        evidence: Tensor | None = None,
    ) -> Tensor:
        image, logits = self.cells(features)
        named: list[Tensor] = []
        if self.tags is not None and logits is not None:
            named = [self.tags.rows(logits, self.word.weight, told)]
        image = self.image_norm(image) + self.image_position[: image.shape[1]]
        words = self.word_norm(self.word(prompt)) + self.word_position[: prompt.shape[1]]
        if self.word_detector is not None:
            evidence = self.word_detector(features) if evidence is None else evidence
            asked = evidence.gather(1, prompt.long()).unsqueeze(-1)
            words = words + asked.clamp(min=0) * self.there + asked.clamp(max=0) * self.missing
        x = self.drop(torch.cat([image, *named, words], dim=1))
        mask = memory_mask(prompt, x.shape[1])
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)


def memory_mask(prompt: Tensor, rows: int) -> Tensor:
    """Additive attention mask [B, 1, 1, rows] of a memory that ends with the prompt: 0, or a large
    negative for padding."""
    padding = (prompt == PAD).to(torch.float32) * -1e9
    image = torch.zeros_like(padding[:, :1]).expand(-1, rows - prompt.shape[1])
    return torch.cat([image, padding], dim=1)[:, None, None, :]


class DecoderLayer(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.self = SelfAttention(config)
        self.cross = CrossAttention(config)
        self.ffn = FeedForward(config)
        self.drop = Dropout(config.dropout)

    def forward(self, x: Tensor, kv: Tensor, mask: Tensor, causal: bool) -> Tensor:
        x = x + self.drop(self.self(x, causal=causal))
        x = x + self.drop(self.cross(x, kv, mask))
        return x + self.drop(self.ffn(x))


class Decoder(nn.Module):
    """Rows [B, L, d] and memory to rows [B, L, d] that the vocabulary is ready to score."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.width)
        self.drop = Dropout(config.dropout)

    def keys_and_values(self, memory: Tensor) -> list[Tensor]:
        """Cross-attention's [B, T, 2d] of every layer."""
        return [layer.cross.kv(memory) for layer in self.layers]

    def forward(
        self, x: Tensor, kvs: list[Tensor], mask: Tensor, causal: bool, tap: int | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The last layer's rows, and those after `tap` layers."""
        x, tapped = self.drop(x), None
        for i, (layer, kv) in enumerate(zip(self.layers, kvs, strict=True), start=1):
            x = layer(x, kv, mask, causal)
            if i == tap:
                tapped = self.norm(x)
        return self.norm(x), tapped


class Memory(NamedTuple):
    """What slots look at: every layer's keys and values [B, T, 2d], the mask that keeps padding
    out, and the word detector's evidence [B, vocabulary]."""

    kvs: list[Tensor]
    mask: Tensor
    evidence: Tensor | None


class _Captioner(nn.Module):
    """What both captioners have: the fusion encoder, the decoder and the tied vocabulary."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.fusion = Fusion(config)
        self.decoder = Decoder(config)
        self.head_bias = nn.Parameter(torch.zeros(config.vocabulary))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.fusion.word.weight, std=config.width**-0.5)
        for parameter in (self.fusion.image_position, self.fusion.word_position):
            nn.init.normal_(parameter, std=0.02)
        if self.fusion.tags is not None:
            nn.init.zeros_(self.fusion.tags.cell.weight)

    @property
    def words(self) -> Tensor:
        """[vocabulary, d]: prompt embedding, word embedding and output projection are one."""
        return self.fusion.word.weight

    def evidence(self, features: Tensor) -> Tensor | None:
        """What the word detector says [B, vocabulary], if there is one."""
        detector = self.fusion.word_detector
        return None if detector is None else detector(features)

    def project(self, x: Tensor, evidence: Tensor | None, tilt: Tensor | None) -> Tensor:
        """Logits [B, L, vocabulary] of rows [B, L, d], towards words that there is evidence
        [B, vocabulary] for by each row's `tilt` [L]."""
        logits = F.linear(x, self.words, self.head_bias)
        if evidence is None or tilt is None:
            return logits
        return logits + tilt[:, None] * evidence[:, None]


class AutoregressiveCaptioner(_Captioner):
    """The twin and teacher: the same layers, a causal mask, one word after another."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.position = nn.Parameter(torch.randn(config.slots, config.width) * 0.02)
        self.tilt = nn.Parameter(torch.full((1,), TILT)) if config.words else None

    def embed(self, tokens: Tensor, start: int = 0) -> Tensor:
        """Tokens [B, L] at positions `start`… to rows [B, L, d]."""
        scale = self.config.width**0.5
        return self.words[tokens] * scale + self.position[start : start + tokens.shape[1]]

    def forward(
        self,
        features: Tensor,
        prompt: Tensor,
        tokens: Tensor,
        owner: Tensor,
        told: Tensor | None = None,
        evidence: Tensor | None = None,
    ) -> Tensor:
        """Logits [M, L, vocabulary] of the words after `tokens` [M, L]; `owner` [M] says which of
        the B images each text belongs to, so that one memory serves all its references."""
        evidence = self.evidence(features) if evidence is None else evidence
        memory = self.fusion(features, prompt, told, evidence)
        kvs = [kv[owner] for kv in self.decoder.keys_and_values(memory)]
        mask = memory_mask(prompt, memory.shape[1])[owner]
        rows, _ = self.decoder(self.embed(tokens), kvs, mask, causal=True)
        return self.project(rows, None if evidence is None else evidence[owner], self.tilt)


class Narvl(_Captioner):
    """All slots at once: learnable queries, bidirectional, for Query-CTC."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        rows = sum(self.query_range("entail"))
        self.queries = nn.Parameter(torch.randn(rows, config.width))
        self.query_norm = nn.LayerNorm(config.width)
        self.tilt = None
        if config.words:
            self.tilt = nn.Parameter(torch.zeros(rows))
            with torch.no_grad():
                for first, count in (self.query_range("caption"), self.query_range("answer")):
                    self.tilt[first : first + count] = TILT

    def query_range(self, task: Task) -> tuple[int, int]:
        """The first of a task's queries, and how many it has."""
        config = self.config
        own = config.answer_slots if config.own_answer_queries else 0
        ranges: dict[Task, tuple[int, int]] = {
            "caption": (0, config.slots),
            "answer": (config.slots if own else 0, config.answer_slots),
            "locate": (config.slots + own, config.box_slots),
            "entail": (config.slots + own + config.box_slots, config.entail_slots),
        }
        return ranges[task]

    def tasks(self) -> list[Task]:
        """Those that it has queries for."""
        return [task for task in get_args(Task) if self.query_range(task)[1] > 0]

    def read(
        self,
        features: Tensor,
        prompt: Tensor,
        told: Tensor | None = None,
        evidence: Tensor | None = None,
    ) -> Memory:
        """What the slots look at."""
        evidence = self.evidence(features) if evidence is None else evidence
        memory = self.fusion(features, prompt, told, evidence)
        mask = memory_mask(prompt, memory.shape[1])
        return Memory(self.decoder.keys_and_values(memory), mask, evidence)

    def write(
        self,
        memory: Memory,
        task: Task,
        revealed: Tensor | None = None,
        tap: int | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Logits [B, slots, vocabulary] of the last layer, and of the one after `tap` layers.

        `revealed` [B, slots] are words that training shows to some slots; -1 shows nothing.
        """
        first, count = self.query_range(task)
        kvs, mask, evidence = memory
        x = self.query_norm(self.queries[first : first + count]).expand(mask.shape[0], -1, -1)
        if revealed is not None:
            shown = self.words[revealed.clamp(min=0)] * self.config.width**0.5
            x = x + shown * (revealed >= 0).unsqueeze(-1)
        tilt = None if self.tilt is None else self.tilt[first : first + count]
        last, tapped = (
            None if rows is None else self.project(rows, evidence, tilt)
            for rows in self.decoder(x, kvs, mask, False, tap)
        )
        assert last is not None
        return last, tapped

    def forward(
        self,
        features: Tensor,
        prompt: Tensor,
        task: Task = "caption",
        evidence: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, slots of the task, vocabulary], in one pass."""
        return self.write(self.read(features, prompt, evidence=evidence), task)[0]

    @torch.no_grad()
    def initialise_from(self, teacher: AutoregressiveCaptioner) -> None:
        """Take every shared weight of the teacher's; a word detector or phrase map that only one of
        both has stays as it is. Each task's queries start as its positions; the blank, which it
        never wrote, as the mean word."""
        odd = self.fusion.load_state_dict(teacher.fusion.state_dict(), strict=False)
        known = (*OF_DETECTORS, *OF_MAPS)
        if names := [n for part in odd for n in part if not n.startswith(known)]:
            raise ValueError(f"expected a twin with the same fusion, got others of {names}")
        self.decoder.load_state_dict(teacher.decoder.state_dict())
        self.head_bias.copy_(teacher.head_bias)
        self.words[BLANK] = self.words[BLANK + 1 :].mean(0)
        self.head_bias[BLANK] = self.head_bias.max()
        positions = teacher.position / teacher.position.std()
        for task in self.tasks():
            first, count = self.query_range(task)
            noise = torch.randn(count, self.config.width)
            # More slots than the teacher had positions share them.
            rows = torch.arange(count) * len(positions) // max(count, len(positions))
            self.queries[first : first + count] = positions[rows] + noise
            if self.tilt is not None and teacher.tilt is not None and task in ("caption", "answer"):
                self.tilt[first : first + count] = teacher.tilt
