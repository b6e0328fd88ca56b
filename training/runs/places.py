"""Learning the phrase map behind a network that has been trained, from people's boxes for phrases.

What the network makes of each cell is computed for all photos first, since it stays as it is; then
an epoch over all phrases takes seconds.
"""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from training.data import tokenizer as vocabulary
from training.data.batches import Batch, Batches
from training.data.boxes import corners, cover
from training.data.examples import phrases, together
from training.data.tokenizer import PAD
from training.eyes.features import Features
from training.network.model import AutoregressiveCaptioner, Narvl
from training.network.phrase_map import PhraseMap, log_odds
from training.runs.checkpoints import keep_start, load, start_from
from training.runs.recipe import PlacesRun, Run, recipe

_BLOCK = 64


class _Learning(nn.Module):
    """The map with dropout: rows [B, cells, width] and prompts [B, P] to log odds [B, cells]."""

    def __init__(self, like: PhraseMap, dropout: float) -> None:
        super().__init__()
        self.norm = like.norm
        self.inside = nn.Linear(*like.inside.shape)
        self.table = nn.Embedding(*like.table.weight.shape, padding_idx=PAD)
        self.prior = nn.Parameter(torch.zeros_like(like.prior))
        self.drop = nn.Dropout(dropout)
        nn.init.normal_(self.table.weight, std=0.02)
        nn.init.zeros_(self.table.weight[PAD])

    def forward(self, rows: Tensor, prompt: Tensor) -> Tensor:
        return log_odds(self.inside(self.drop(self.norm(rows))), self.table, prompt, self.prior)

    @torch.no_grad()
    def give(self, found: PhraseMap, inset: float) -> None:
        found.inside.copy_(self.inside.weight.T)
        found.bias.copy_(self.inside.bias)
        found.table.weight.copy_(self.table.weight)
        found.prior.copy_(self.prior - inset)


def targets(batch: Batch, side: int) -> Tensor:
    """How much of each cell [B, side²] a phrase's box covers, as a share of what it covers of the
    cell that it covers most: a box that is smaller than a cell is somewhere too."""
    covered = cover(torch.tensor([corners(box) for box, *_ in batch.texts]), side)
    return covered / covered.amax(1, keepdim=True)


def learn(model: AutoregressiveCaptioner | Narvl, run: PlacesRun) -> None:
    """Teach the phrase map of `model`, and nothing else of it, the training split's phrases."""
    found, config = model.fusion.phrase_map, model.config
    if found is None:
        raise ValueError("expected a network with a phrase map, got one without")
    torch.manual_seed(run.seed)
    examples = together(phrases("train"))
    rows = cell_rows(model, sorted({example.image for example in examples}))
    batches = Batches(examples, rows, vocabulary.load(), run.batch, config.prompt)
    learning, side = _Learning(found, run.dropout), math.isqrt(config.eyes.cells)
    optimiser = torch.optim.AdamW(learning.parameters(), lr=run.lr, weight_decay=run.decay)
    steps = run.epochs * (len(examples) // run.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, run.lr, total_steps=steps + 1)
    drawn = islice(batches.shuffled(np.random.default_rng(run.seed)), steps)
    progress = tqdm(drawn, total=steps, desc="places")
    for batch in progress:
        said = learning(batch.features, batch.prompt)
        loss = F.binary_cross_entropy_with_logits(said, targets(batch, side))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        progress.set_postfix(loss=f"{loss.item():.3f}")
    learning.give(found, run.inset)


@torch.no_grad()
def cell_rows(model: AutoregressiveCaptioner | Narvl, photos: list[str]) -> Features:
    """What fusion makes of the cells of some training photos, in the place of their features."""
    kept = Features.load(model.config.eyes)
    at = [kept.index[photo] for photo in photos]

    def rows(view: np.ndarray) -> np.ndarray:
        blocks = (torch.from_numpy(view[at[i : i + _BLOCK]]) for i in range(0, len(at), _BLOCK))
        return torch.cat([model.fusion.cells(block.float())[0].half() for block in blocks]).numpy()

    index = {photo: row for row, photo in enumerate(photos)}
    return Features(index, rows(kept.plain), rows(kept.mirrored))


def train_places(name: str, run: Run) -> None:
    """Keep as a run what another is with a phrase map behind it."""
    if run.start is None:
        raise SystemExit(f"{name}: expected a run to start from")
    config = recipe().config(run)
    if config.places != recipe().places.units:
        raise SystemExit(
            f"{name}: expected `model.places` to be {recipe().places.units}, the units of "
            f"`[places]`, got {config.places}"
        )
    model = type(load(run.start))(config)
    start_from(model, run.start)
    learn(model.eval(), recipe().places)
    keep_start(name, model)
