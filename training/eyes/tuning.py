"""Tuning the backbone: words of texts as tags of photos, phrases as tags of boxes."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.metrics import average_precision_score
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from training.data.boxes import cover
from training.data.examples import boxes, captions, questions, together
from training.data.formats import Box
from training.eyes.backbone import (
    FEATURES,
    HEAD_CHANNELS,
    MEAN,
    STD,
    Backbone,
    FoldedConvolution,
    folded,
    tuned_file,
)
from training.eyes.terms import Terms
from training.paths import DATA, WORK
from training.runs.loop import average_in
from training.runs.recipe import EyesRun

VALIDATED = 500
"""Photos of each source that figures are of."""
MOST_BOXES = 8
"""Boxes of a photo that one step learns from."""
_DENIED = frozenset(["no", "0", "none", "nobody", "nothing"])
_FEWEST = 5
"""Photos that must have a word for its precision to count."""


@dataclass
class Photo:
    """A photo below DATA, its texts, and the boxes that people gave phrases for."""

    image: str
    texts: list[str]
    boxes: list[Box]


def labelled(split: str) -> list[Photo]:
    """Every photo of a split that has texts, sorted by its path."""
    texts: dict[str, list[str]] = defaultdict(list)
    for example in together(captions(split)):
        texts[example.image] += example.texts
    for example in together(questions(split)):
        texts[example.image] += example.texts
        # What a question takes for granted is there, but not what it is told is not.
        if not _DENIED.intersection(example.texts):
            texts[example.image].append(example.prompt)
    found = boxes(split)
    return [Photo(image, texts[image], found.get(image, [])) for image in sorted(texts)]


def decoded(photos: list[Photo], side: int, path: Path) -> np.ndarray:
    """The photos as bytes [photos, side, side, 3], kept in a file."""
    shape = (len(photos), side, side, 3)
    if path.exists() and path.stat().st_size == np.prod(shape):
        return np.memmap(path, np.uint8, "r", shape=shape)
    part = path.with_suffix(".part")
    out = np.memmap(part, np.uint8, "w+", shape=shape)
    for i, photo in enumerate(tqdm(photos, desc=path.name)):
        with Image.open(DATA / photo.image) as image:
            out[i] = np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))
    out.flush()
    part.rename(path)
    return np.memmap(path, np.uint8, "r", shape=shape)


@dataclass(frozen=True)
class View:
    """What is seen of a photo: a window in fractions of it, perhaps mirrored."""

    x: float
    y: float
    width: float
    height: float
    mirrored: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, least: float) -> View:
        """Of at least the share `least` of the area, with sides in a ratio of 4 : 5 at most."""
        area, ratio = rng.uniform(least, 1), np.exp(rng.uniform(np.log(0.8), np.log(1.25)))
        width, height = min(1.0, np.sqrt(area * ratio)), min(1.0, np.sqrt(area / ratio))
        x, y = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
        return cls(x, y, width, height, bool(rng.random() < 0.5))

    def box(self, box: tuple[float, float, float, float]) -> tuple[float, ...] | None:
        """A box of the photo in the window's fractions; none if less than half of it is seen."""
        x0, x1 = ((x - self.x) / self.width for x in (box[0], box[2]))
        y0, y1 = ((y - self.y) / self.height for y in (box[1], box[3]))
        whole = max((x1 - x0) * (y1 - y0), 1e-9)
        x0, y0, x1, y1 = max(x0, 0.0), max(y0, 0.0), min(x1, 1.0), min(y1, 1.0)
        if x1 <= x0 or y1 <= y0 or (x1 - x0) * (y1 - y0) < 0.5 * whole:
            return None
        return (1 - x1, y0, 1 - x0, y1) if self.mirrored else (x0, y0, x1, y1)


def seen(photos: Tensor, views: list[View], side: int) -> Tensor:
    """Windows of photos [B, 3, side', side'] in 0…1, each [3, side, side]."""
    theta = torch.zeros(len(views), 2, 3)
    for i, view in enumerate(views):
        theta[i, 0, 0] = view.width * (-1 if view.mirrored else 1)
        theta[i, 0, 2] = 2 * (view.x + view.width / 2) - 1
        theta[i, 1, 1] = view.height
        theta[i, 1, 2] = 2 * (view.y + view.height / 2) - 1
    grid = F.affine_grid(theta, [len(views), 3, side, side], align_corners=False)
    return F.grid_sample(photos, grid, padding_mode="border", align_corners=False)


def jittered(pixels: Tensor, strength: float) -> Tensor:
    """Pixels [B, 3, H, W] in 0…1 of another brightness, contrast and saturation each."""
    one = (len(pixels), 1, 1, 1)
    light, contrast, colour = (1 + strength * (2 * torch.rand(one) - 1) for _ in range(3))
    grey = pixels.mean(1, keepdim=True)
    pixels = grey + (pixels - grey) * colour
    mean = pixels.mean((1, 2, 3), keepdim=True)
    return (((pixels - mean) * contrast + mean) * light).clamp(0, 1)


def under(boxes: Tensor, side: int) -> Tensor:
    """How much of each box [M, 4] lies in each cell of a grid, as shares [M, side²] of 1."""
    cells = cover(boxes, side)
    return cells / cells.sum(1, keepdim=True).clamp(min=1e-9)


class Tuning(nn.Module):
    """The backbone with what tells terms from its features."""

    def __init__(self, photo: int, terms: int, first: int) -> None:
        """Blocks before `first` stay as they are."""
        super().__init__()
        self.backbone = Backbone(photo, layer=FoldedConvolution)
        self.first = first
        self.photo_terms = nn.Linear(FEATURES, terms)
        self.box_terms = nn.Linear(FEATURES, terms)
        for head in (self.photo_terms, self.box_terms):
            nn.init.zeros_(head.weight)
            nn.init.constant_(head.bias, -5.0)  # A term is in one photo of 150.
        self.norm = nn.BatchNorm1d(FEATURES, affine=False)
        learnt = [*self.backbone.blocks[first:], self.backbone.head]
        for part in [self.backbone.stem, *learnt] if first == 0 else learnt:
            part.requires_grad_(True)

    def train(self, mode: bool = True) -> Tuning:
        super().train(mode)
        self.backbone.eval()
        return self

    def pooled(self, features: Tensor) -> Tensor:
        return self.photo_terms(self.norm(features.mean(1)))

    def classes(self, features: Tensor) -> Tensor:
        """Logits of the backbone's own classes."""
        return self.backbone.classifier(features[..., :HEAD_CHANNELS].mean(1))


def many_hot(rows: list[list[int]], size: int) -> Tensor:
    target = torch.zeros(len(rows), size)
    for row, found in zip(target, rows, strict=True):
        row[found] = 1
    return target


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Of independent terms, summed over them, a mean over rows."""
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1).mean()


@torch.inference_mode()
def precision(model: Tuning, pixels: np.ndarray, targets: np.ndarray, terms: list[int]) -> float:
    """Mean average precision over those of some terms that enough of the photos have."""
    model.eval()
    logits = [
        model.pooled(model.backbone(as_pixels(pixels[start : start + 50], model.backbone.photo)))
        for start in range(0, len(pixels), 50)
    ]
    scores = torch.cat(logits).numpy()
    counted = [i for i in terms if targets[:, i].sum() >= _FEWEST]
    return float(np.mean([average_precision_score(targets[:, i], scores[:, i]) for i in counted]))


def as_pixels(photos: np.ndarray, side: int) -> Tensor:
    """Bytes [B, H, W, 3] as the backbone takes them."""
    x = torch.from_numpy(np.ascontiguousarray(photos)).permute(0, 3, 1, 2).float() / 255
    if x.shape[-1] != side:
        x = F.interpolate(x, size=(side, side), mode="bilinear", antialias=True)
    return (x - MEAN) / STD


def rate(step: int, steps: int, warmup: int) -> float:
    """Linear warm-up, then half a cosine down to 0, of the largest."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + np.cos(np.pi * (step - warmup) / max(1, steps - warmup)))


def tune(name: str, run: EyesRun) -> None:
    torch.manual_seed(run.seed)
    rng = np.random.default_rng(run.seed)
    photos = labelled("train")
    terms = Terms([photo.texts for photo in photos], run.terms)
    images = decoded(photos, run.photo, WORK / f"pixels-{run.photo}-train.u8")
    targets = [terms.of(photo.texts) for photo in photos]
    by_source: dict[str, list[Photo]] = defaultdict(list)
    for photo in labelled("val"):
        by_source[photo.image.split("/")[0]].append(photo)
    judged = {}
    for source, found in by_source.items():
        found = found[:VALIDATED]
        path = WORK / f"pixels-{run.photo}-val-{source}.u8"
        hot = many_hot([terms.of(p.texts) for p in found], len(terms))
        judged[source] = decoded(found, run.photo, path), hot.numpy()
    print(f"{len(photos)} photos, {len(terms)} terms, {sum(len(p.boxes) for p in photos)} boxes")

    model = Tuning(run.photo, len(terms), run.first).to(memory_format=torch.channels_last)
    frozen = Backbone(run.photo).to(memory_format=torch.channels_last)
    learnt = [p for p in model.backbone.parameters() if p.requires_grad]
    heads = [*model.photo_terms.parameters(), *model.box_terms.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": learnt, "weight_decay": 1e-4}, {"params": heads, "weight_decay": 1e-2}],
        betas=(0.9, 0.99),
    )
    averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=average_in, use_buffers=True)
    per_epoch = len(photos) // run.batch
    steps, first = int(run.epochs * per_epoch), 0
    saved = WORK / f"eyes-{name}.pt"
    if saved.exists():
        state = torch.load(saved, weights_only=False)
        model.load_state_dict(state["model"])
        averaged.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first = state["step"]
        rng = np.random.default_rng([run.seed, first])
        print(f"resuming {name} at step {first}")

    side, started, losses = run.photo // 32, time.monotonic(), []
    order = np.random.default_rng(run.seed).permutation(len(photos))
    for step in tqdm(range(first, steps), initial=first, total=steps, desc=name):
        if step % per_epoch == 0:
            order = np.random.default_rng([run.seed, step]).permutation(len(photos))
        at = order[(step % per_epoch) * run.batch :][: run.batch]
        share = rate(step, steps, run.warmup)
        for group, lr in zip(optimiser.param_groups, (run.lr, run.head_lr), strict=True):
            group["lr"] = lr * share
        views = [View.draw(rng, run.crop) for _ in at]
        whole = torch.from_numpy(images[at]).permute(0, 3, 1, 2).float() / 255
        pixels = (jittered(seen(whole, views, run.photo), run.jitter) - MEAN) / STD
        pixels = pixels.contiguous(memory_format=torch.channels_last)

        model.train()
        with torch.set_grad_enabled(run.first == 0):
            early = model.backbone.before(pixels, run.first)
        features = model.backbone.behind(early, run.first)
        hot = many_hot([targets[i] for i in at], len(terms))
        loss = cross_entropy(model.pooled(features), hot)
        row = {"terms": loss.item()}

        owners, found, said = [], [], []
        for b, i in enumerate(at):
            own = photos[i].boxes
            for n in rng.permutation(len(own))[:MOST_BOXES]:
                box = views[b].box(own[n].box)
                wanted = terms.of([own[n].phrase])
                if box is not None and wanted:
                    owners.append(b)
                    found.append(box)
                    said.append(wanted)
        if found:
            cells = under(torch.tensor(found, dtype=torch.float32), side)
            looked = torch.einsum("mc,mcf->mf", cells, features[owners])
            logits = model.box_terms(
                F.batch_norm(looked, model.norm.running_mean, model.norm.running_var)
            )
            boxed = cross_entropy(logits, many_hot(said, len(terms)))
            loss = loss + run.boxes * boxed
            row["boxes"] = boxed.item()

        some = slice(0, round(len(at) * run.kept))
        with torch.inference_mode():
            known = (
                frozen.behind(early[some].detach(), run.first)
                if run.first
                else frozen(pixels[some])
            )
            known = frozen.classifier(known[..., :HEAD_CHANNELS].mean(1)).log_softmax(-1)
        kept = F.kl_div(
            model.classes(features[some]).log_softmax(-1),
            known.clone(),
            log_target=True,
            reduction="batchmean",
        )
        loss = loss + run.keep * kept
        row["kept"] = kept.item()
        losses.append(row)

        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(learnt, run.clip)
        optimiser.step()
        averaged.update_parameters(model)

        done = step + 1
        if done % run.every == 0 or done == steps:
            figures = {
                source: round(precision(averaged.module, *judge, terms.singles), 4)
                for source, judge in judged.items()
            }
            means = {
                key: round(float(np.mean([r[key] for r in losses if key in r])), 3)
                for key in ("terms", "boxes", "kept")
            }
            line = {
                "step": done,
                "seconds": round(time.monotonic() - started),
                **means,
                **{f"{source} mAP": value for source, value in figures.items()},
            }
            losses = []
            with (WORK / f"eyes-{name}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            tqdm.write(json.dumps(line))
            state = {
                "step": done,
                "model": model.state_dict(),
                "average": averaged.state_dict(),
                "optimiser": optimiser.state_dict(),
                "terms": terms.names,
            }
            part = saved.with_suffix(".part")
            torch.save(state, part)
            part.rename(saved)
            # What features are looked at with: the averaged backbone alone.
            torch.save(folded(averaged.module.backbone).state_dict(), tuned_file(name))
