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


def make(split: Split, seed: int, per_kind: int) -> None:
    made: list[tuple[str, Picture, list[Asked]]] = []
    for kind in KINDS:
        for number in range(per_kind):
            hand = Hand(seed, split, kind, number)
            picture = KINDS[kind].draw(hand)
            made.append((kind, picture, list(questions(hand, kind, picture))))
    (FOLDER / "images").mkdir(parents=True, exist_ok=True)
    images = rendered([picture for _, picture, _ in made], split)
    lines = []
    for number, ((kind, picture, asked), image) in enumerate(zip(made, images, strict=True)):
        name = f"images/{split}_{number:04d}.webp"
        image.save(FOLDER / name, quality=90, method=6)
        row = {
            "image": f"{FOLDER.name}/{name}",
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
