"""The phrase map: what it learns, where it points, and who has one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from training.data import tokenizer as vocabulary
from training.data.batches import Batch
from training.data.boxes import BINS, FIRST_BIN, corners, cover, encode_box, overlap, spell
from training.data.formats import Example
from training.data.tokenizer import PAD
from training.eyes.features import Features
from training.network.model import AutoregressiveCaptioner, Config, Narvl
from training.network.phrase_map import PhraseMap
from training.paths import MODEL
from training.runs import checkpoints, loop, places
from training.runs.checkpoints import keep_start, load, start_from
from training.runs.recipe import PlacesRun, Run, recipe
from training.writing import pointing
from training.writing.pointing import WEIGHT, best_overlap, overlaps, point, point_by_token

SMALL = Config(
    width=32,
    heads=4,
    encoder_layers=1,
    decoder_layers=1,
    ffn=48,
    vocabulary=FIRST_BIN + BINS,
    prompt=8,
    slots=6,
    answer_slots=6,
    box_slots=8,
    entail_slots=4,
)
MAPPED = replace(SMALL, places=16)
SIDE = math.isqrt(SMALL.eyes.cells)


def test_a_map_is_the_form_that_its_docstring_names_and_reads_no_padding() -> None:
    torch.manual_seed(0)
    found = PhraseMap(8, 4, 20, 9)
    for weight in (found.inside, found.bias, found.prior):
        torch.nn.init.normal_(weight)
    rows = torch.randn(2, 9, 8)
    said = found(rows, torch.tensor([[5, 6, PAD], [7, PAD, PAD]]))
    for b, tokens in enumerate(([5, 6], [7])):
        for cell in range(9):
            row = rows[b, cell]
            row = (row - row.mean()) / torch.sqrt(row.var(unbiased=False) + 1e-5)
            inside = torch.nn.functional.gelu(row @ found.inside + found.bias, approximate="tanh")
            asked = sum(found.table.weight[token] for token in tokens)
            torch.testing.assert_close(said[b, cell], inside @ asked + found.prior[cell])


def test_cover_is_the_area_of_each_cell_that_lies_under_a_box() -> None:
    boxes = torch.tensor([(0.0, 0.0, 1.0, 1.0), (0.25, 0.5, 0.75, 0.625)])
    torch.testing.assert_close(cover(boxes, 2)[0], torch.ones(4))
    torch.testing.assert_close(cover(boxes, 2)[1], torch.tensor([0, 0, 0.125, 0.125]))


def slots(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(seed)
    p = torch.randn(6, 2 + BINS).mul(2).softmax(-1)
    return p[:, 0], p[:, 1], p[:, 2:]


def spelt(blank: torch.Tensor, end: torch.Tensor, bins: torch.Tensor, box: list[int]) -> float:
    """p of a box by Query-CTC's forward algorithm, state by state."""
    states = [None, box[0], None, box[1], None, box[2], None, box[3], None]
    alpha, ended = [1.0] + [0.0] * 8, 0.0
    for slot in range(len(blank)):
        now = []
        for i, state in enumerate(states):
            came = alpha[i] + (alpha[i - 1] if i else 0)
            if state is not None and i > 1 and states[i - 2] != state:
                came += alpha[i - 2]
            now.append(came * float(blank[slot] if state is None else bins[slot, state]))
        ended += (alpha[7] + alpha[8]) * float(end[slot])
        alpha = now
    return ended + alpha[7] + alpha[8]


@pytest.mark.parametrize("seed", range(3))
def test_the_best_box_is_the_best_of_all_whose_edges_are_tried(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pointing, "STRIDE", 16)
    monkeypatch.setattr(pointing, "WEIGHT", 0.5)
    pointing._candidates.cache_clear()
    one, where = slots(seed), torch.randn(9) * 3
    found, score = best_overlap(*one, where)
    pointing._candidates.cache_clear()

    p, scores = where.double().sigmoid(), {}
    edges = (0, 16, 32, 48, 63)
    for x0, y0, x1, y1 in (
        (a, b, c, d) for a in edges for b in edges for c in edges for d in edges
    ):
        if x0 >= x1 or y0 >= y1:
            continue
        corner = [(bin + 0.5) / BINS for bin in (x0, y0, x1, y1)]
        inside = cover(torch.tensor([corner]).double(), 3)[0]
        shared = float((p * inside).sum())
        both = shared / (float(p.sum()) + float(inside.sum()) - shared)
        box = [x0, y0, x1, y1]
        scores[tuple(box)] = math.log(both) + 0.5 * math.log(spelt(*one, box))
    assert tuple(found) == max(scores, key=lambda box: scores[box])
    assert score == pytest.approx(scores[tuple(found)], rel=1e-4)


def test_a_map_that_is_sure_of_some_cells_is_followed_however_unlikely_the_text() -> None:
    blank, end, bins = slots(0)
    where = torch.full((7, 7), -12.0)
    where[2:5, 1:4] = 12
    found, score = best_overlap(blank, end, torch.zeros_like(bins), where.flatten())
    box = corners([FIRST_BIN + n for n in found])
    assert overlap(box, (1 / 7, 2 / 7, 4 / 7, 5 / 7)) > 0.85
    assert score == pytest.approx(WEIGHT * math.log(1e-300), abs=0.2)


def test_overlap_is_expected_intersection_over_expected_union() -> None:
    where = torch.tensor([4.0, -4.0, 0.0, -4.0])
    covered = torch.tensor([[1.0, 0, 0, 0], [1.0, 0, 1, 0]]).double()
    p = where.double().sigmoid()
    torch.testing.assert_close(
        overlaps(where, covered),
        torch.stack([p[0] / (p.sum() + 1 - p[0]), (p[0] + p[2]) / (p.sum() + 2 - p[0] - p[2])]),
    )


def things(count: int) -> list[Example]:
    """Phrases about photos whose thing is on the left or, of the other phrase, below."""
    boxes = {"where is a dog?": (0.0, 0.0, 0.5, 1.0), "where is a red hat?": (0.0, 0.5, 1.0, 1.0)}
    return [
        Example(f"{n}.jpg", prompt, (spell(box),), "thing")
        for n in range(count)
        for prompt, box in boxes.items()
    ]


def test_it_learns_where_phrases_are_and_nothing_else_of_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    examples = things(12)
    monkeypatch.setattr(places, "phrases", lambda split: {"some": examples})
    monkeypatch.setattr(vocabulary, "FILE", MODEL / "tokenizer.json")
    monkeypatch.setattr(vocabulary.load, "__defaults__", (MODEL / "tokenizer.json",))
    names = sorted({e.image for e in examples})
    # What is on the left half of a photo looks in one way, and what is below in another.
    rng = np.random.default_rng(0)
    dog, hat = rng.normal(size=(2, SMALL.eyes.channels))
    across, down = np.arange(SMALL.eyes.cells) % SIDE, np.arange(SMALL.eyes.cells) // SIDE

    def looks(left: np.ndarray) -> np.ndarray:
        seen = left[:, None] * dog + (down >= SIDE / 2)[:, None] * hat
        noise = rng.normal(size=(len(names), *seen.shape)) / 4
        return (seen + noise).astype(np.float16)

    plain, mirrored = looks(across < SIDE / 2), looks(across >= SIDE / 2)
    features = Features({name: i for i, name in enumerate(names)}, plain, mirrored)
    monkeypatch.setattr(Features, "load", classmethod(lambda cls, eyes: features))
    model = Narvl(MAPPED).eval()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    places.learn(model, PlacesRun(units=16, epochs=40, batch=8, lr=1e-2, inset=0.25))
    changed = {n for n, w in model.state_dict().items() if not torch.equal(w, before[n])}
    assert changed == {
        f"fusion.phrase_map.{n}" for n in ("inside", "bias", "prior", "table.weight")
    }
    tokenizer = vocabulary.load()
    for example in examples[:2]:
        ids = torch.tensor([tokenizer.encode(example.prompt).ids])
        said = model.fusion.places(torch.from_numpy(plain[:1]).float(), ids)
        assert said is not None
        box = corners(encode_box(example.texts[0]))
        covered = cover(torch.tensor([box]), SIDE)[0]
        assert said[0][covered > 0.9].min() > said[0][covered < 0.1].max()


def test_a_box_smaller_than_a_cell_is_somewhere_too() -> None:
    boxes = [[encode_box(spell(box))] for box in ((0, 0, 0.5, 1), (0.6, 0.6, 0.65, 0.65))]
    batch = Batch([], torch.zeros(2), torch.zeros(2), boxes)
    wanted = torch.tensor([[1.0, 0, 1, 0], [0, 0, 0, 1]])
    torch.testing.assert_close(places.targets(batch, 2), wanted, atol=0.05, rtol=0)


@pytest.mark.parametrize("kind", [Narvl, AutoregressiveCaptioner])
def test_both_writers_point_by_it(kind: type) -> None:
    torch.manual_seed(0)
    model = kind(replace(MAPPED, slots=8)).eval()
    assert model.fusion.phrase_map is not None
    where = torch.full((SIDE, SIDE), -9.0)
    where[: SIDE // 2] = 9
    model.fusion.phrase_map.prior.copy_(where.flatten())
    features = torch.rand(1, SMALL.eyes.cells, SMALL.eyes.channels)
    prompt = torch.tensor([[7, 8, 9, PAD]])
    if isinstance(model, Narvl):
        ((tokens, sure),) = point(model, features, prompt)
        assert overlap(corners(tokens), (0, 0, 1, (SIDE // 2) / SIDE)) > 0.8
        assert sure < 0
        return
    # The twin chooses among the boxes of its beam.
    chosen = corners(point_by_token(model, features, prompt, 12)[0].tokens)
    model.fusion.phrase_map = None
    likeliest = corners(point_by_token(model, features, prompt, 12)[0].tokens)
    upper = (0, 0, 1, (SIDE // 2) / SIDE)
    assert overlap(chosen, upper) >= overlap(likeliest, upper)


def test_a_run_that_goes_on_without_a_map_leaves_it_out_and_one_with_it_is_not_trained(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "WORK", tmp_path)
    mapped = Narvl(MAPPED)
    torch.nn.init.normal_(mapped.fusion.phrase_map.prior)
    keep_start("mapped", mapped)
    assert torch.equal(load("mapped").fusion.phrase_map.prior, mapped.fusion.phrase_map.prior)
    start_from(model := Narvl(SMALL), "mapped")
    assert torch.equal(model.queries, mapped.queries)
    start_from(again := Narvl(MAPPED), "mapped")
    assert torch.equal(again.fusion.phrase_map.prior, mapped.fusion.phrase_map.prior)
    with pytest.raises(SystemExit, match="learnt behind a network"):
        loop.train("more", Run(kind="narvl", steps=1, model={"places": 128}))
    with pytest.raises(SystemExit, match=r"expected `model\.places` to be 128"):
        places.train_places("other", Run(kind="places", start="mapped", model={"places": 16}))
    with pytest.raises(SystemExit, match="expected a run to start from"):
        places.train_places("none", Run(kind="places"))
    with pytest.raises(ValueError, match="multiple of 4"):
        replace(SMALL, places=6)
    assert recipe().config(recipe().run("narvl-placed")).places == recipe().places.units
