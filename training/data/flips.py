"""Photos of other things than they are of, so that the model learns to say what its tags say.

Captions name most of ImageNet's thousand classes once or never, but the classifier knows them all.
Where a text names the class that it sees, either features are reflected at the plane between that
class and a near one, so that the two change places in its eyes and their names in the text; or the
class gets a name of random word pieces, which nothing but its tag can tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.eyes.backbone import CELL, HEAD_CHANNELS, Backbone
from training.eyes.class_names import class_name

_NEAR = 10
"""Classes that one may change places with: other kinds would contradict the rest of the photo."""
_RARE = 20
"""What more photos' texts name is a word like others: "beach", or "swing", which is also a verb."""
_LONGEST = 4
"""Words of a name."""
_PLAIN = re.compile(r"[a-z' -]+")


def plural(name: str) -> str:
    return name + ("es" if name.endswith(("s", "x", "ch", "sh")) else "s")


class Flips:
    """The classes of the backbone's classifier, and how one takes another's place."""

    def __init__(self) -> None:
        classifier = Backbone(CELL).classifier
        self.weight = classifier.weight.numpy()
        self.bias = classifier.bias.numpy()
        self.names = [class_name(i) for i in range(len(self.bias))]
        # Names that explain themselves, such as "kite (bird of prey)", stand in no text.
        self.plain = np.array(
            [_PLAIN.fullmatch(name) is not None and " or " not in name for name in self.names]
        )
        self.index = {
            form: i
            for i, name in enumerate(self.names)
            if self.plain[i]
            for form in (name, plural(name))
        }
        unit = self.weight / np.linalg.norm(self.weight, axis=1, keepdims=True)
        likeness = unit @ unit.T - 2 * np.eye(len(unit))
        likeness[:, ~self.plain] = -2
        self.near = np.argsort(-likeness, axis=1)[:, :_NEAR]

    def named(self, text: str) -> set[int]:
        """The classes that a text names, the longest name at each place."""
        words, found, at = text.split(), set[int](), 0
        while at < len(words):
            for length in range(_LONGEST, 0, -1):
                one = self.index.get(" ".join(words[at : at + length]))
                if one is not None:
                    found.add(one)
                    at += length - 1
                    break
            at += 1
        return found

    def rare(self, texts: Sequence[Sequence[str]]) -> list[set[int]]:
        """The classes that each photo's texts name and few other photos' do."""
        named = [set[int]().union(*map(self.named, one)) for one in texts]
        often = Counter(one for classes in named for one in classes)
        return [{one for one in classes if often[one] <= _RARE} for classes in named]

    def seen(self, features: NDArray) -> int:
        """The class that the classifier sees in features [cells, FEATURES]."""
        head = features[:, :HEAD_CHANNELS].astype(np.float32).mean(0)
        return int((self.weight @ head + self.bias).argmax())

    def features(self, features: NDArray, one: int, other: int) -> NDArray:
        """Features [cells, FEATURES] in which two classes have changed places: each cell is
        reflected where their logits are equal."""
        across = self.weight[one] - self.weight[other]
        head = features[:, :HEAD_CHANNELS].astype(np.float32)
        margin = head @ across + self.bias[one] - self.bias[other]
        flipped = features.astype(np.float32)
        flipped[:, :HEAD_CHANNELS] -= np.outer(2 * margin / (across @ across), across)
        return flipped

    def rename(self, text: str, one: int, other: int) -> str:
        """A text with one class's name in another's place."""
        name, new = self.names[one], self.names[other]
        article = "an" if new[0] in "aeiou" else "a"
        text = re.sub(rf"\ban? (?={re.escape(name)}\b)", f"{article} ", text)
        text = re.sub(rf"\b{re.escape(name)}e?s\b", plural(new), text)
        return re.sub(rf"\b{re.escape(name)}\b", new, text)

    def other(self, one: int, rng: np.random.Generator) -> int:
        return int(rng.choice(self.near[one]))

    def texts(self, texts: Sequence[str], one: int, other: int) -> list[str]:
        """Those of a photo's texts that name the class, renamed."""
        return [self.rename(text, one, other) for text in texts if one in self.named(text)]

    def around(self, texts: Sequence[str], one: int) -> list[list[str]]:
        """Those of a photo's texts that name the class, in the pieces around its name."""
        name = re.compile(rf"\b{re.escape(self.names[one])}(?:e?s)?\b")
        named = [text for text in texts if one in self.named(text)]
        return [[part.strip() for part in name.split(text)] for text in named]
