"""Pictures that somebody drew: logos, icons, line drawings, cartoons."""

from __future__ import annotations

import colorsys

from simplepycons import all_icons

from training.data.pictures import words
from training.data.pictures.picture import Asked, Hand, Kind, Picture, colored, counted

_GROUNDS = ("white", "white", "black", "transparent")


def _ground(hand: Hand, not_color: str = "") -> tuple[str, str]:
    """A background's name and its CSS. What was transparent is flattened: onto white, or onto the
    squares by which editors show that nothing is there."""
    name = hand.one([*_GROUNDS, hand.other_color(not_color)])
    if name == "transparent":
        a, b = hand.of({"train": [("#fff", "#ccc")], "test": [("#eee", "#bbb"), ("#fff", "#ddd")]})
        size = hand.between(10, 24)
        squares = f"repeating-conic-gradient({b} 0 25%, {a} 0 50%) 0 0 / {2 * size}px {2 * size}px"
        return "checkered", squares
    return name, hand.color(name)


def _contrast(hand: Hand, ground: str) -> str:
    """A color that is seen on a background."""
    light = ["white", "yellow", "orange", "red", "green", "pink"]
    dark = ["black", "blue", "red", "green", "purple", "brown", "orange"]
    fits = light if ground in ("black", "blue", "purple", "brown") else dark
    return hand.one([c for c in fits if c != ground])


def _called(css: str) -> str | None:
    """The name of a color if it clearly has one."""
    r, g, b = (int(css.lstrip("#")[i : i + 2], 16) / 255 for i in (0, 2, 4))
    h, s, v = colorsys.rgb_to_hsv(r, g, b)
    if v < 0.2:
        return "black"
    if s < 0.6 or v < 0.5:
        return None
    bands = [(0.03, "red"), (0.06, None), (0.1, "orange"), (0.13, None), (0.17, "yellow")]
    bands += [(0.25, None), (0.42, "green"), (0.55, None), (0.68, "blue"), (0.97, None), (1, "red")]
    return next(name for most, name in bands if h <= most)


def _logos(split: str) -> list[str]:
    """Brands whose own color has a name; the test has every fifth."""
    fits = [n for n in sorted(all_icons.names()) if _called(all_icons[n].primary_color)]
    return [n for i, n in enumerate(fits) if (i % 5 == 0) == (split == "test")]


def _logo(hand: Hand) -> Picture:
    icon = all_icons[hand.one(_logos(hand.split))]
    name = _called(icon.primary_color) or "black"
    ground, css = _ground(hand, name)
    color = icon.primary_color
    if ground == name or (ground not in ("white", "checkered") and hand.chance()):
        name = "white" if ground != "white" else "black"
        color = hand.color(name)
    named = hand.chance(0.35)
    text = f"<b style='font-size: 44px; color: {color}; {hand.font()}'>{icon.title}</b>"
    caption = hand.one(
        [
            f"a simple {name} logo on a {ground} background",
            f"a {name} company logo in the middle of a {ground} background",
        ]
    )
    if named:
        caption = f"a {name} logo with a name below it on a {ground} background"
    svg = icon.customize_svg_as_str(fill=color)
    size = hand.between(35, 75)
    return Picture(
        caption,
        f"<style>svg {{ width: {size}vw; height: {size}vw }}</style><body style='margin: 0; height:"
        f" 100vh; display: grid; place-content: center; place-items: center; gap: 20px; background:"
        f" {css}'>{svg}{text if named else ''}",
        asked=[
            colored("logo", name),
            *([colored("background", ground)] if ground != "checkered" else []),
        ],
        true=["is this a logo?", f"is the logo {name}?"],
        false=[f"is the logo {hand.other_color(name)}?", "is this a map?", "is this a chart?"],
    )


def _icon(hand: Hand) -> Picture:
    thing, sign = hand.of({s: sorted(t.items()) for s, t in words.THINGS.items()})
    ground, css = _ground(hand)
    name = _contrast(hand, ground)
    tile = ""
    if app := hand.chance(0.4):
        tile = f"background: {hand.color(name)}; border-radius: {hand.between(12, 50)}%;"
    ink = hand.color("white") if app else hand.color(name)
    if app and name == "white":
        ink = hand.color("black")
    caption = hand.one(
        [
            f"a {name} icon of a {thing} on a {ground} background",
            f"a simple {name} symbol of a {thing} on a {ground} background",
        ]
    )
    return Picture(
        caption,
        f"<body style='margin: 0; height: 100vh; display: grid; place-content: center; background: "
        f"{css}'><div style='{tile} width: 300px; height: 300px; text-align: center; color: {ink}; "
        f"font: {hand.between(170, 230)}px/300px Symbola; -webkit-text-stroke: "
        f"{hand.between(1, 5)}px'>{sign}&#xfe0e;</div>",
        asked=[
            colored("icon", name),
            Asked("open", "what does the icon show?", thing),
            *([Asked("open", "what animal is it?", thing)] if thing in words.ANIMALS else []),
        ],
        true=["is this an icon?", f"is this an icon of a {thing}?"],
        false=["is there text?", "is this a map?", "is this a chart?"],
        depicts=[thing],
    )


def _line_drawing(hand: Hand) -> Picture:
    things = sorted(words.THINGS[hand.split].items())
    (thing, sign), (other, other_sign) = hand.some(things, 2, 2)
    two = hand.chance(0.3)
    pencil = hand.chance(0.3)
    ink = "#777" if pencil else hand.color("black")
    rough = hand.rng.uniform(2, 9)
    signs = f"{sign}&#xfe0e;" + (f" {other_sign}&#xfe0e;" if two else "")
    size = hand.between(150, 180) if two else hand.between(220, 320)
    what = f"a {thing} and a {other}" if two else f"a {thing}"
    tool = "pencil" if pencil else "black line"
    caption = hand.one(
        [
            f"a {tool} drawing of {what} on white paper",
            f"a simple {tool} drawing shows {what} on a white background",
        ]
    )
    return Picture(
        caption,
        "<svg width=0 height=0 style='position: absolute'><filter id=rough><feTurbulence "
        f"baseFrequency={hand.rng.uniform(0.01, 0.04):.3f} numOctaves=3 seed="
        f"{hand.between(0, 999)} /><feDisplacementMap in=SourceGraphic scale={rough:.1f} />"
        "</filter></svg><body style='margin: 0; height: 100vh; display: grid; place-content: "
        f"center; background: {hand.color('white')}'><div style='filter: url(#rough); "
        f"color: {ink}; font: {size}px Symbola; white-space: pre; "
        f"transform: rotate({hand.between(-8, 8)}deg)'>{signs}</div>",
        asked=[
            Asked("open", "what is drawn?", thing) if not two else counted("things", 2),
            colored("background", "white"),
            Asked("color", "what color are the lines?", "gray" if pencil else "black"),
        ],
        true=["is this a drawing?", f"is this a drawing of a {thing}?"],
        false=["is there text?", "is this a map?", "is the drawing colorful?"],
        depicts=[thing, other],
    )


_SKIES = {"train": [("#8fd3f4", "#7cc95a")], "test": [("#ffd9a0", "#c9a05a"), ("#20305a", "#355")]}


def _cartoon(hand: Hand) -> Picture:
    things = {n: s for n, s in words.THINGS[hand.split].items() if n not in ("sun", "moon")}
    emoji = "font-family: Noto Color Emoji"
    if hand.chance(0.4):  # one thing alone
        thing, sign = hand.one(sorted(things.items()))
        ground, css = _ground(hand)
        caption = f"a colorful cartoon of a {thing} on a {ground} background"
        body = (
            f"<body style='margin: 0; height: 100vh; display: grid; place-content: center; "
            f"background: {css}'><div style='font-size: {hand.between(180, 260)}px; {emoji}'>"
            f"{sign}&#xfe0f;</div>"
        )
        asked = [Asked("open", "what is drawn?", thing)]
        if ground != "checkered":
            asked.append(colored("background", ground))
        return Picture(
            caption,
            body,
            asked=asked,
            true=["is this a cartoon?", f"is there a {thing}?", "is this a drawing?"],
            false=["is there text?", "is this a map?"],
            depicts=[thing],
        )
    animals = [(n, s) for n, s in sorted(things.items()) if n in words.ANIMALS]
    others = [(n, s) for n, s in sorted(things.items()) if n not in words.ANIMALS]
    (animal, sign), (thing, other) = hand.one(animals), hand.one(others)
    sky, ground = hand.of(_SKIES)
    count = hand.one([1, 1, 2, 3])
    row = "".join(
        f"<span style='position: absolute; bottom: {hand.between(20, 90)}px; left: "
        f"{20 + i * 100 + hand.between(-15, 15)}px; font-size: {hand.between(70, 95)}px'>{sign}"
        "&#xfe0f;</span>"
        for i in range(count)
    )
    row += (
        f"<span style='position: absolute; top: {hand.between(60, 130)}px; left: "
        f"{hand.between(210, 250)}px; font-size: {hand.between(90, 130)}px'>{other}&#xfe0f;</span>"
    )
    many = {"fish": "fish", "sheep": "sheep", "octopus": "octopuses", "butterfly": "butterflies"}
    several = many.get(animal, f"{animal}s")
    who = f"a {animal}" if count == 1 else f"{('two', 'three')[count - 2]} {several}"
    caption = hand.one(
        [
            f"a cartoon of {who} and a {thing} on the ground",
            f"a colorful cartoon scene with {who} near a {thing}",
        ]
    )
    return Picture(
        caption,
        f"<body style='margin: 0; overflow: hidden; background: linear-gradient({sky} 55%, {ground}"
        f" 55%)'><div style='position: relative; height: 100vh; {emoji}'>{row}</div>",
        asked=[
            Asked("open", "what animal is drawn?", animal),
            counted(several, count),
        ],
        true=["is this a cartoon?", f"is there a {animal}?", "is this a drawing?"],
        false=["is there text?", "is this a map?"],
        depicts=[animal, thing],
    )


KINDS = {
    "logo": Kind(_logo, ["logo"]),
    "icon": Kind(_icon, ["icon", "symbol"]),
    "line drawing": Kind(_line_drawing, ["line drawing", "pencil drawing", "drawing"]),
    "cartoon": Kind(_cartoon, ["cartoon", "drawing"]),
}
