"""Questions that need the photo: is a thing there, and how many are there?

For each thing as many photos without it are asked about as photos with it, so that the question
alone says nothing. What is there is what people gave boxes for, or what the texts of a photo name;
what is not, what none of them name, nor a kind or an instance of it (WordNet). Half of the absent
things are hard: they often stand beside something that is there.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations

import numpy as np

from training.data.boxes import overlap
from training.data.formats import Box, Example
from training.scoring.caption_scores import words
from training.scoring.meteor import wordnet

_NOUN = "n"
_FEWEST = 12
"""Photos that a thing has to be in to be asked about."""
_EACH = 4
"""Things that are asked of a photo at most, those that are there and those that are not alike."""
_SCENERY = frozenset(
    "air area background beach body camera city day daytime edge field floor forest front grass "
    "ground hill lake lawn light line mountain night ocean outdoors outside park part path picture "
    "place pool river road rock room sand scene sea shade shadow side sidewalk sky snow something "
    "space street structure sun sunset surface surf top town view wall water wave way woods yard "
    "one other others another each it them they two three four five both all pair set group crowd "
    "couple bunch row piece number lot back end color object item thing way shot pose "
    "black white brown red blue green yellow orange gray grey pink purple tan gold silver".split()
)
"""What is in photos that do not name it, or is no thing."""
_PLURALS = {"people": "person", "men": "man", "women": "woman", "children": "child"}
_UNCOUNTED = frozenset(
    "bread fruit hair smoke food wood hay paper fur writing dirt mud grass water snow sand ice "
    "meat dust rice luggage equipment furniture clothing jewelry traffic glasses sunglasses "
    "goggles shorts jeans pants trousers scissors headphones stairs".split()
)
_NUMBERS = {1: "1", 2: "2", 3: "3", 4: "4", 5: "5"}
_SAME = 0.7
"""Boxes that overlap so much are of one thing."""


@cache
def singular(noun: str) -> str:
    if noun in _PLURALS:
        return _PLURALS[noun]
    return wordnet().morphy(noun, _NOUN) or noun


def is_there(thing: str, rng: np.random.Generator | None = None) -> str:
    """The question whether a thing is in a photo, in one of some wordings."""
    last = thing.split()[-1]
    many = last.endswith("s") and (singular(last) != last or last in _UNCOUNTED) and last != "grass"
    article = "an" if thing[0] in "aeiou" else "a"
    named = f"any {thing}" if many or last in _UNCOUNTED else f"{article} {thing}"
    if rng is None or rng.random() < 0.5:
        return f"{'are' if many else 'is'} there {named}?"
    return str(
        rng.choice(
            [f"{'are' if many else 'is'} there {named} in the photo?", f"can you see {named}?"]
        )
    )


_ASKED = re.compile(r"(?:(?:is|are) there|can you see) (?:an?|any) (.+?)(?: in the photo)?\?")


def asked_thing(question: str) -> str | None:
    """The thing that a question of `is_there` asks about."""
    match = _ASKED.fullmatch(question)
    return match and match[1]


def head(phrase: str) -> str | None:
    """The thing that a phrase is about, singular: its last noun, but of what stands before "of"."""
    row = words(phrase.split(" of ")[0].split(" with ")[0])
    if not row:
        return None
    thing = singular(row[-1])
    return None if thing in _SCENERY or len(thing) < 3 or not thing.isalpha() else thing


@cache
def kinds(thing: str) -> frozenset[str]:
    """What a thing is a kind of, by the commonest meaning of its word."""
    meanings = wordnet().synsets(thing.replace(" ", "_"), _NOUN)[:2]
    above = (kind for one in meanings for path in one.hypernym_paths() for kind in path[5:])
    return frozenset(name.replace("_", " ") for kind in above for name in kind.lemma_names())


def related(thing: str, other: str) -> bool:
    """Whether one of two things may be called the other."""
    return thing == other or other in kinds(thing) or thing in kinds(other)


def absent_and_present(
    texts: dict[str, Sequence[str]], boxes: dict[str, list[Box]], seed: int
) -> list[Example]:
    """Questions about photos with boxes: `texts` are all that is said of each."""
    rng = np.random.default_rng(seed)
    there = {
        image: {thing for box in found if (thing := head(box.phrase))}
        for image, found in boxes.items()
    }
    named = {
        image: there[image] | {singular(w) for text in texts.get(image, ()) for w in words(text)}
        for image in there
    }
    often = Counter(thing for things in there.values() for thing in things)
    things = sorted(thing for thing, n in often.items() if n >= _FEWEST)
    beside: dict[str, Counter[str]] = defaultdict(Counter)
    for found in there.values():
        for a, b in combinations(sorted(found & set(things)), 2):
            beside[a][b] += 1
            beside[b][a] += 1
    nouns = set().union(*named.values()) if named else set[str]()
    images = sorted(there)
    asked: Counter[str] = Counter()
    examples: list[Example] = []
    for thing in rng.permutation(things):
        thing = str(thing)
        companions = {other for other, _ in beside[thing].most_common(8)}
        yes = [i for i in images if thing in there[i] and asked[i] < _EACH]
        hinted = {other for other in nouns if related(thing, other)}
        no = [i for i in images if not named[i] & hinted]
        hard = [i for i in no if there[i] & companions]
        yes = [yes[i] for i in rng.permutation(len(yes))]
        count = min(len(yes), len(no), 400)
        chosen = _some(hard, count // 2, asked, rng)
        chosen += _some([i for i in no if i not in set(chosen)], count - len(chosen), asked, rng)
        for answer, found in (("yes", yes[: len(chosen)]), ("no", chosen)):
            for image in found:
                asked[image] += 1
                examples.append(
                    Example(image, is_there(thing, rng), (answer,), f"presence {answer}")
                )
    return examples


def _some(images: list[str], most: int, asked: Counter[str], rng: np.random.Generator) -> list[str]:
    """At most so many of images, those that were asked about least first."""
    order = sorted(rng.permutation(len(images)), key=lambda i: asked[images[i]])
    return [images[i] for i in order[:most]]


def listed(rows: Iterable[tuple[str, str, list[str], str, list[str]]]) -> list[Example]:
    """Balanced questions of lists of things that are and are not there: for each thing as many of
    either answer as there are of the rarer one."""
    by_thing: dict[str, dict[str, list[str]]] = defaultdict(lambda: {"yes": [], "no": []})
    for image, thing, (answer,), _, _ in rows:
        by_thing[thing][answer].append(image)
    return [
        Example(image, is_there(thing), (answer,), f"presence {answer}")
        for thing, found in sorted(by_thing.items())
        for answer in ("yes", "no")
        for image in found[answer][: min(map(len, found.values()))]
    ]


def counted(boxes: dict[str, list[Box]], seed: int) -> list[Example]:
    """How many of a thing people gave boxes for, one to five; of one as many as of two."""
    rng = np.random.default_rng(seed)
    by_number: dict[int, list[Example]] = defaultdict(list)
    for image, found in sorted(boxes.items()):
        by_thing: dict[str, list[Box]] = defaultdict(list)
        for box in found:
            if (thing := head(box.phrase)) and box.kind in ("people", "animals", "vehicles"):
                by_thing[thing].append(box)
        for thing, all_boxes in by_thing.items():
            apart: list[tuple[float, float, float, float]] = []
            for box in all_boxes:
                for one in (box.box, *box.others):
                    if all(overlap(one, other) < _SAME for other in apart):
                        apart.append(one)
            if len(apart) in _NUMBERS:
                question = f"how many {plural(thing)} are there?"
                answer = (_NUMBERS[len(apart)],)
                by_number[len(apart)].append(Example(image, question, answer, "entities count"))
    most = len(by_number[2])
    if len(by_number[1]) > most:
        by_number[1] = [by_number[1][i] for i in rng.permutation(len(by_number[1]))[:most]]
    return [example for n in sorted(by_number) for example in by_number[n]]


def plural(noun: str) -> str:
    for many, one in _PLURALS.items():
        if one == noun:
            return many
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"
