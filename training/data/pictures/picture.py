"""A picture to be rendered, its texts, and the hand that makes it: all chance comes from there."""

from __future__ import annotations

import colorsys
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from PIL import Image

from training.data.pictures import words

T = TypeVar("T")
Split = Literal["train", "val", "test"]


@dataclass(frozen=True)
class Asked:
    """A question with its answer; `type` is open, color, count or yesno."""

    type: str
    question: str
    answer: str


@dataclass
class Picture:
    """HTML of `width` by `height` CSS pixels, or an image; what it shows, in plain words."""

    caption: str
    shown: Image.Image | str
    width: int = 400
    height: int = 400
    asked: list[Asked] = field(default_factory=list)
    """What only this picture is asked; every picture is asked what it is."""
    true: Sequence[str] = ()
    false: Sequence[str] = ()
    """Questions whose answer is yes, and no."""
    depicts: Sequence[str] = ()
    """Things that may not be asked for as absent."""


@dataclass(frozen=True)
class Kind:
    """One kind of picture, and what it is called."""

    draw: Callable[[Hand], Picture]
    names: Sequence[str]
    """What it is called, the plainest first; a caption that says one of them has named it."""
    times: int = 1
    """How many times as many there are for training: what shows next to nothing is told apart by
    little, and takes more to learn."""


_HUES = {
    "red": (0.985, 1.01, 0.75, 1.0, 0.7, 0.95),
    "orange": (0.065, 0.09, 0.85, 1.0, 0.9, 1.0),
    "yellow": (0.135, 0.16, 0.7, 1.0, 0.9, 1.0),
    "green": (0.30, 0.42, 0.5, 0.95, 0.45, 0.8),
    "blue": (0.57, 0.65, 0.6, 1.0, 0.6, 0.95),
    "purple": (0.74, 0.79, 0.5, 0.9, 0.45, 0.75),
    "pink": (0.90, 0.94, 0.3, 0.6, 0.95, 1.0),
    "brown": (0.05, 0.08, 0.55, 0.8, 0.35, 0.5),
    "gray": (0.0, 1.0, 0.0, 0.03, 0.45, 0.65),
    "black": (0.0, 1.0, 0.0, 0.2, 0.0, 0.1),
    "white": (0.0, 1.0, 0.0, 0.02, 0.97, 1.0),
}
"""Ranges of hue, saturation and value that everyone calls by the name."""
COLORS = tuple(_HUES)
VIVID = COLORS[:8]
NUMBERS = "no one two three four five six seven eight".split()
_FONTS = {
    "train": ("DejaVu Sans", "Liberation Serif", "DejaVu Serif", "Nimbus Sans", "C059"),
    "test": ("Liberation Sans", "P052", "Comic Neue", "URW Gothic", "URW Bookman"),
}
_MONOSPACE = {
    "train": ("DejaVu Sans Mono", "Nimbus Mono PS"),
    "test": ("Liberation Mono", "Noto Sans Mono"),
}
_HANDWRITING = {"train": ("Dancing Script", "Breip"), "test": ("Ecolier_court", "Z003")}


class Hand:
    """Draws by lot for one picture. Test pictures have fonts, words, languages and things of their
    own; validation shares training's."""

    def __init__(self, seed: int, split: Split, kind: str, number: int) -> None:
        self.number = number
        self.rng = random.Random(f"{seed} {split} {kind} {number}")
        self.split: Literal["train", "test"] = "test" if split == "test" else "train"

    def one(self, choices: Sequence[T]) -> T:
        return self.rng.choice(choices)

    def of(self, by_split: dict[str, Sequence[T]]) -> T:
        """One of what pictures of this split may have."""
        return self.one(by_split[self.split])

    def some(self, choices: Sequence[T], least: int, most: int) -> list[T]:
        return self.rng.sample(choices, min(len(choices), self.between(least, most)))

    def between(self, least: int, most: int) -> int:
        return self.rng.randint(least, most)

    def chance(self, p: float = 0.5) -> bool:
        return self.rng.random() < p

    def color(self, name: str) -> str:
        """CSS of some shade that has a name."""
        h0, h1, s0, s1, v0, v1 = _HUES[name]
        u = self.rng.uniform
        rgb = colorsys.hsv_to_rgb(u(h0, h1) % 1, u(s0, s1), u(v0, v1))
        return "#" + "".join(f"{round(255 * c):02x}" for c in rgb)

    def other_color(self, *names: str) -> str:
        """The name of a vivid color that is none of these."""
        return self.one([c for c in VIVID if c not in names])

    def font(self) -> str:
        """CSS without quotation marks, which attributes stand in."""
        return f"font-family: {self.of(_FONTS)}"

    def monospace(self) -> str:
        return f"font-family: {self.of(_MONOSPACE)}"

    def handwriting(self) -> str:
        return f"font-family: {self.of(_HANDWRITING)}"

    def language(self) -> list[str]:
        """Sentences of one language."""
        return list(self.of(words.SENTENCES))

    def sentence(self) -> str:
        """An English sentence."""
        return self.one(words.SENTENCES[self.split][0])

    def title(self) -> str:
        """A few capitalised words."""
        return " ".join(self.some(words.NOUNS[self.split], 1, 3)).title()

    def noun(self) -> str:
        return self.of(words.NOUNS)

    def name(self) -> str:
        return self.of(words.NAMES)

    def price(self) -> str:
        return f"{self.rng.uniform(0.5, 90):.2f}"

    def paragraph(self, sentences: Sequence[str], count: int) -> str:
        return " ".join(self.one(sentences) for _ in range(count))


def grammatical(text: str) -> str:
    """`an` in front of vowels, and no article in front of what is many."""
    return re.sub(r"\ba (?=grapes)", "", re.sub(r"\ba (?=[aeiou])", "an ", text))


def colored(part: str, name: str) -> Asked:
    """What color some part of a picture has."""
    return Asked("color", f"what color is the {part}?", name)


def counted(things: str, number: int) -> Asked:
    return Asked("count", f"how many {things} are there?", str(number))
