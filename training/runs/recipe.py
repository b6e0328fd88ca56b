"""What a recipe file says: where the texts lie, how large the network is, and each run.

One TOML file holds everything that makes a model, `training/recipes/narvl-photo.toml` unless
`NARVL_RECIPE` names another. Unknown keys and wrong types are refused with their place.
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from training.network.model import Config
from training.paths import REPOSITORY

FILE = Path(os.environ.get("NARVL_RECIPE", REPOSITORY / "training/recipes/narvl-photo.toml"))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Texts of photos in one of the field's formats; paths lie below `$NARVL_DATA`."""

    name: str
    """As tables call it."""
    format: Literal[
        "flickr8k",
        "described",
        "things",
        "visual7w",
        "daquar",
        "karpathy",
        "coco",
        "vqa2",
        "lines",
        "entities",
        "refcoco",
        "entailment",
        "snli-ve",
    ]
    images: str
    """Folder that the photos' names are relative to."""
    root: Literal["data", "work"] = "data"
    """Below which folder its paths lie: `$NARVL_DATA`, or `$NARVL_WORK`, where
    `training pictures` puts its own."""
    files: dict[Literal["train", "val", "test"], list[str]]
    """Per split: the file that has it (for `vqa2`: the questions and the annotations; for
    `refcoco`: the refs and the instances)."""
    style: str = "human"
    """Captions: which of the prompts asks for them."""
    taught: Literal["teacher", "references"] = "teacher"
    """Captions: whose a student learns where it learns a teacher's. References are better where the
    teacher has hardly seen such pictures."""
    counted: int = 1
    """Captions: how often each is counted for the language model that guides the search. Those of a
    style that has few texts count more, or the others would drown it."""
    credit: str = ""
    """Who made it and on what terms, as a model's manifest says it; else its name."""


class EyesRun(_Strict):
    """How the backbone is tuned by `training tune_eyes`."""

    photo: int = 224
    """Pixels of a photo's side."""
    epochs: float = 3
    batch: int = 32
    lr: float = 1e-4
    """Of the backbone, at its largest."""
    head_lr: float = 1e-3
    """Of what reads terms off its features."""
    first: int = 0
    """The first block that learns, with all behind it; 0: the stem too."""
    warmup: int = 200
    every: int = 150
    """Steps between validations, each of which writes a checkpoint."""
    clip: float = 5.0
    """The largest norm of the backbone's gradient."""
    terms: int = 3000
    """Words and pairs of words, the commonest."""
    boxes: float = 0.5
    """Weight of the terms of people's phrases, from the cells under their boxes."""
    keep: float = 1.0
    """Weight of seeing ImageNet's classes as before."""
    kept: float = 0.5
    """Share of each batch for which that is asked."""
    crop: float = 0.5
    """The smallest share of a photo's area that is shown."""
    jitter: float = 0.2
    """How far brightness, contrast and saturation move."""
    seed: int = 0


class WordsRun(_Strict):
    """How `training words` learns the word detector."""

    hidden: int = 512
    """Units inside; what a network's `words` is."""
    epochs: int = 7
    batch: int = 128
    lr: float = 1e-3
    decay: float = 0.1
    dropout: float = 0.3
    often: int = 10
    """Photos that must have a word, or a piece of words, for there to be evidence of it."""
    asked: float = 10.0
    """Weight of telling what is there from what is not."""
    folds: int = 4
    """Detectors that judge each other's photos."""
    seed: int = 0


class PlacesRun(_Strict):
    """How a run of kind "places" learns the phrase map."""

    units: int = 128
    """Units inside; what a network's `places` is."""
    epochs: int = 4
    batch: int = 256
    """Phrases a step."""
    lr: float = 2e-3
    decay: float = 0.05
    dropout: float = 0.2
    inset: float = 0.5
    """Log odds that are taken off every cell's in the end, so that a box is drawn where it is
    likely to be rather than all around where it may be; found on validation phrases."""
    seed: int = 0


class Run(_Strict):
    """One training run, or the mean of others."""

    kind: Literal["ar", "narvl", "reward", "average", "places"]
    """`places`: another with a phrase map behind it."""
    of: list[str] = Field(default_factory=list)
    """Average: runs of one kind, whose weights count alike; photos are of the first's size."""
    steps: int = 0
    lr: float = 1e-3
    warmup: int = 200
    every: int = 500
    """Steps between validations, each of which writes a checkpoint."""
    seed: int = 0
    start: str | None = None
    """Run whose weights this one starts from, of its kind, or of the other: teachers and students
    share all but what tells them where in the text they are."""
    writer: str | None = None
    """Run of a student whose decoder, queries and blank this one begins with, where `start` is a
    teacher: else the teacher's decoder, and its positions for queries."""
    captions: int = 48
    """Captioned photos a step."""
    questions: int = 64
    """Questions a step."""
    question_weight: float = 0.5
    boxes: int = 0
    """Phrases to point at a step."""
    box_weight: float = 0.5
    statements: int = 0
    """Statements a step that follow from a photo or do not."""
    statement_weight: float = 0.25
    blind: bool = False
    """Photos are replaced by zeros: what the questions alone give away."""
    flips: int = 0
    """Copies, each time of another class or name, of what names the class that is seen."""
    named: int = 0
    """Questions a step that ask for the first tag alone."""
    references: int = 3
    """Texts of one photo that one step learns from."""
    teacher: str | None = None
    """Run whose texts are the targets, as `training distill` wrote them."""
    targets: Literal["references", "teacher", "both"] = "references"
    """Whose captions are learnt."""
    slots_of: str | None = None
    """Student whose slots' posteriors captions are learnt from in place of texts."""
    slot_weight: float = 1.0
    """Weight of how far the slots are from those."""
    own: int = 0
    """Photos a step, beside those, whose own captions are learnt: of sources that are so taught."""
    own_weight: float = 1.0
    answers: Literal["references", "teacher"] = "references"
    keep: int = 1
    """Captions of the teacher's per photo and style, best first."""
    search: Literal["beam", "greedy"] = "beam"
    """Which of the teacher's captions: those of its beam search, or its greedy one."""
    twice: Literal["last", "kept"] = "last"
    """Where those of the teacher's captions that say a content word twice come among its beams:
    after the others, or where the teacher has them."""
    loss: Literal["ctc", "ce"] = "ctc"
    learn: Literal["each", "any"] = "each"
    """Whether every text of a photo is learnt, or their probability together."""
    smoothing: float = 0.1
    glance: tuple[float, float] | None = None
    """Share of the wrong slots that training shows, at the first and at the last step."""
    deep: float = 0.0
    """Weight of the same loss on the middle layer."""
    repetition: float = 0.0
    """Weight of the number of tokens that are expected to be said too often."""
    consistency: float = 0.0
    """Weight of how far the slots of two passes, of different dropout, are apart."""
    samples: int = 4
    """Reward: texts drawn for each photo."""
    temperature: float = 0.7
    """Reward: what logits are divided by before texts are drawn. Below 1, as label smoothing gives
    every slot some probability of any word, and of N slots one takes it."""
    cider: float = 1.0
    likelihood: float = 0.3
    """Reward: weights of CIDEr-D and of the teacher's mean log-probability of a word."""
    anchor: float = 0.02
    """Reward: weight of the Query-CTC loss that keeps what was learnt."""
    model: dict[str, int | float | bool | str] = Field(default_factory=dict)
    """What differs from the recipe's network."""


class Recipe(_Strict):
    model: dict[str, int | float | bool | str] = Field(default_factory=dict)
    licence: str = "That of the data: see trainedOn"
    """What may be done with a model, as its manifest says it."""
    prompts: dict[str, str]
    """Each style's prompt; `locate` and `entail` have a `{}` for the phrase or the statement."""
    captions: list[Source]
    questions: list[Source] = Field(default_factory=list)
    boxes: list[Source] = Field(default_factory=list)
    """People's boxes for phrases about the photos."""
    statements: list[Source] = Field(default_factory=list)
    """What people said of photos, and whether it follows from what they show."""
    things: list[Source] = Field(default_factory=list)
    """Lists of things that are and are not in photos."""
    unlabelled: list[str] = Field(default_factory=list)
    """Files that name photos without a text, for the teacher to write on."""
    words: WordsRun = Field(default_factory=WordsRun)
    places: PlacesRun = Field(default_factory=PlacesRun)
    eyes: dict[str, EyesRun] = Field(default_factory=dict)
    """Ways to tune the backbone, which a network's `tuned` names."""
    runs: dict[str, Run]

    def config(self, run: Run) -> Config:
        return Config(**{**self.model, **run.model, "merge": run.loss == "ctc"})

    def run(self, name: str) -> Run:
        if name not in self.runs:
            raise SystemExit(f"no run {name!r} in the recipe; there are: {', '.join(self.runs)}")
        return self.runs[name]


def _read(path: Path) -> dict:
    """A file's content, with what it does not say itself from its `base`, a file beside it; a run,
    from the run that it is `like`, one before it."""
    with path.open("rb") as file:
        content = tomllib.load(file)
    if "base" in content:
        base = _read(path.parent / content.pop("base"))
        content = {**base, **content, "runs": {**base["runs"], **content.get("runs", {})}}
    runs: dict[str, dict] = {}
    for name, run in content.get("runs", {}).items():
        like = run.get("like")
        if like is not None and like not in runs:
            raise SystemExit(f"{path}: {name} is like {like!r}, and no run before it has that name")
        own = {key: value for key, value in run.items() if key != "like"}
        runs[name] = {**runs[like], **own} if like else own
    return {**content, "runs": runs}


@cache
def recipe(path: Path = FILE) -> Recipe:
    """The recipe that this process works by."""
    return Recipe.model_validate(_read(path))
