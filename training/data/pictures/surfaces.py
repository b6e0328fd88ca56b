"""Pictures of nothing: one color, noise, gradients."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from training.data.pictures.picture import COLORS, Asked, Hand, Kind, Picture, colored

_SIDE = 224
_EMPTY = Asked("open", "what can be seen?", "nothing")


def _blank(hand: Hand) -> Picture:
    # White and black are what a page and a lens cap are, so each is a third of all.
    name = ("white", "black", hand.one(COLORS))[hand.number % 3]
    caption = hand.one(
        [
            f"a blank {name} picture with nothing on it",
            f"a plain {name} surface fills the whole picture",
            f"an empty picture that is {name} all over",
        ]
    )
    return Picture(
        caption,
        Image.new("RGB", (_SIDE, _SIDE), hand.color(name)),
        asked=[colored("picture", name), _EMPTY],
        true=["is the picture empty?", "is the whole picture one color?"],
        false=["is there anything in the picture?", "is there text?"],
    )


def _noise(hand: Hand) -> Picture:
    rng = np.random.default_rng(hand.between(0, 2**32 - 1))
    gray = hand.chance()
    shape = (_SIDE, _SIDE, 1 if gray else 3)
    cell = hand.one([1, 2, 4] if hand.split == "train" else [1, 3, 6])
    small = -(-_SIDE // cell)
    if hand.chance():
        dots = rng.integers(0, 256, (small, small, shape[2]))
    else:
        spread = hand.between(40, 90)
        dots = rng.normal(hand.between(90, 160), spread, (small, small, shape[2])).clip(0, 255)
    dots = np.repeat(dots.astype(np.uint8), 3 if gray else 1, axis=2)
    image = Image.fromarray(dots).resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
    if hand.split == "test" and hand.chance(0.3):
        image = image.filter(ImageFilter.GaussianBlur(1.5))
    name = "gray" if gray else "colorful"
    caption = hand.one(
        [
            f"{name} random noise fills the whole picture",
            f"a picture of nothing but {name} random dots",
            f"{name} static noise like a screen without a signal",
        ]
    )
    return Picture(
        caption,
        image,
        asked=[Asked("open", "what fills the picture?", "noise"), _EMPTY],
        true=["is the picture full of dots?", "is the picture colorful?" * (not gray)],
        false=["is there anything to see?", "is there text?", "is the picture colorful?" * gray],
    )


def _gradient(hand: Hand) -> Picture:
    first, last = hand.some(COLORS, 2, 2)
    a, b = hand.color(first), hand.color(last)
    round_one = hand.chance(0.3)
    if round_one:
        css = f"radial-gradient(circle, {a}, {b})"
        caption = f"a round gradient from {first} in the middle to {last}"
        where = Asked("color", "what color is the middle?", first)
    else:
        angle, at = hand.one([(180, "top"), (90, "left"), (0, "bottom"), (270, "right")])
        angle += 0 if hand.split == "train" else hand.between(-25, 25)
        css = f"linear-gradient({angle}deg, {a}, {b})"
        caption = hand.one(
            [
                f"a smooth gradient from {first} to {last} fills the picture",
                f"a plain background fades from {first} at the {at} to {last}",
            ]
        )
        where = Asked("color", f"what color is the {at} of the picture?", first)
    return Picture(
        caption,
        f"<body style='margin: 0; height: 100vh; background: {css}'>",
        asked=[where, _EMPTY],
        true=["is the picture empty?", "does the color change?"],
        false=["is there anything in the picture?", "is the whole picture one color?"],
    )


KINDS = {
    "blank": Kind(_blank, ["blank picture", "blank", "empty", "plain"], times=7),
    "noise": Kind(_noise, ["noise", "random dots", "static"], times=3),
    "gradient": Kind(_gradient, ["gradient", "fades", "plain background"], times=3),
}
