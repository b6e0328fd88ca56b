"""Every kind of picture that is no photo, with its texts, by split."""

from __future__ import annotations

import json
from collections.abc import Iterator

from training.data.pictures import drawings, figures, paper, screens, surfaces, words
from training.data.pictures.picture import Asked, Hand, Kind, Picture, Split, grammatical
from training.data.pictures.render import rendered
from training.paths import WORK

FOLDER = WORK / "pictures"
_GROUPS: list[dict[str, Kind]] = [
    module.KINDS for module in (surfaces, paper, screens, figures, drawings)
]
KINDS = {name: kind for group in _GROUPS for name, kind in group.items()}
_UNCOUNTABLE = ("noise", "handwriting", "music", "code")
PER_KIND: dict[Split, int] = {"train": 22, "val": 2, "test": 7}
"""Of training's, some kinds have more: `Kind.times`."""


def questions(hand: Hand, kind: str, picture: Picture) -> Iterator[Asked]:
    """What it is, something of its own, and yes or no by turns."""
    asks = ["what is this?", "what kind of picture is this?", "what does the picture show?"]
    yield Asked("open", hand.one(asks), KINDS[kind].names[0])
    if picture.asked:
        yield hand.one(picture.asked)
    if hand.number % 2:
        yield Asked("yesno", hand.one([q for q in picture.true if q]), "yes")
    else:
        absent = hand.one([t for t in words.ABSENT if t not in picture.depicts])
        # Of another group, since an icon may be taken for a logo.
        far = [name for group in _GROUPS if kind not in group for name in group]
        other = hand.one([name for name in far if name not in _UNCOUNTABLE])
        no = [q for q in picture.false if q]
        no = [hand.one(no), f"is there a {absent}?", f"is there a {absent}?", "is this a photo?"]
        no += [f"is this a {other}?"]
        yield Asked("yesno", hand.one(no), "no")


def make(split: Split, seed: int, per_kind: int) -> int:
    """Draw a split's pictures, and say how many."""
    made: list[tuple[str, str, Picture, list[Asked]]] = []
    for name, kind in KINDS.items():
        for number in range(per_kind * (kind.times if split == "train" else 1)):
            hand = Hand(seed, split, name, number)
            picture = kind.draw(hand)
            file = f"images/{split}-{name.replace(' ', '-')}-{number:03d}.webp"
            made.append((file, name, picture, list(questions(hand, name, picture))))
    (FOLDER / "images").mkdir(parents=True, exist_ok=True)
    images = rendered([picture for _, _, picture, _ in made], split)
    lines = []
    for (file, kind, picture, asked), image in zip(made, images, strict=True):
        image.save(FOLDER / file, quality=90, method=6)
        row = {
            "image": f"{FOLDER.name}/{file}",
            "caption": grammatical(picture.caption),
            "qa": [
                {"type": a.type, "question": grammatical(a.question), "answer": a.answer.lower()}
                for a in asked
            ],
            "kind": kind,
            "names": list(KINDS[kind].names),
        }
        lines.append(json.dumps(row, ensure_ascii=False))
    (FOLDER / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)
