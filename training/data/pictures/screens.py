"""Pictures of screens: code, terminals, web pages, apps on phones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from html import escape
from importlib.metadata import PackagePath, files

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename

from training.data.pictures.picture import Asked, Hand, Kind, Picture, colored

_SOURCES = {
    "train": [("numpy", ".py"), ("torch", ".h"), ("pillow", ".py")],
    "test": [("matplotlib", ".js"), ("scikit-learn", ".py"), ("scikit-learn", ".css")],
}
"""Packages whose code is shown, of the versions that requirements.txt names."""
_DARK = {"train": ["monokai", "github-dark", "native"], "test": ["gruvbox-dark", "one-dark"]}
_LIGHT = {"train": ["default", "vs", "friendly"], "test": ["xcode", "tango"]}


def _page(css: str, body: str) -> str:
    return f"<style>body {{ margin: 0 }} {css}</style><body>{body}"


def _repeated(times: int, part: Callable[[], str]) -> str:
    return "".join(part() for _ in range(times))


@cache
def _files(package: str, suffix: str) -> list[PackagePath]:
    return sorted((f for f in files(package) or [] if f.suffix == suffix), key=str)


def _source(hand: Hand) -> tuple[str, list[str]]:
    """The name and the lines of some file."""
    every = _files(*hand.of(_SOURCES))
    while True:
        file = hand.one(every)
        lines = file.locate().read_text(encoding="utf-8").splitlines()
        if len(lines) >= 60 and max(map(len, lines)) < 200:
            return file.name, lines


def _code(hand: Hand) -> Picture:
    dark = hand.chance()
    style = hand.of(_DARK if dark else _LIGHT)
    name, lines = _source(hand)
    start = hand.between(0, len(lines) - 40)
    numbers = "inline" if hand.chance() else False
    formatter = HtmlFormatter(style=style, noclasses=True, linenos=numbers)
    shown = "\n".join(lines[start : start + 60])
    code = highlight(shown, get_lexer_for_filename(name), formatter)
    bar = f"<div class=bar>{escape(name)}</div>" if hand.chance() else ""
    ground = formatter.style.background_color
    css = (
        f"body {{ background: {ground} }} .bar {{ background: #8884; padding: 8px; color: #888 }} "
        f"pre {{ margin: 8px; font-size: {hand.between(12, 22)}px; {hand.monospace()} !important }}"
    )
    shade, other = ("dark", "white") if dark else ("white", "dark")
    caption = hand.one(
        [
            f"lines of colorful program code on a {shade} background",
            f"a screenshot of computer code with a {shade} background",
            f"a code editor shows many lines of code on {shade}",
        ]
    )
    return Picture(
        caption,
        _page(css, bar + code),
        hand.one([640, 800, 960]),
        hand.one([480, 640, 800]),
        asked=[
            colored("background", "black" if dark else "white"),
            Asked("open", "what is written on the screen?", "code"),
        ],
        true=["is there text?", "is this a screen?", f"is the background {shade}?"],
        false=[f"is the background {other}?", "is this handwriting?"],
    )


def _session(hand: Hand, lines: int) -> list[str]:
    """What somebody typed into a terminal, and what came back."""
    prompt = hand.of({"train": ["$", "user@host:~$"], "test": [">", "root@box:/srv#", "%"]})
    paths = [str(f)[-40:] for f in _files(*hand.of(_SOURCES))]
    said: list[str] = []
    while len(said) < lines:
        command = hand.one(["ls -l", "git log", "make test", "cat"])
        if command == "ls -l":
            out = [f"-rw-r--r-- {hand.between(99, 99999)} {p}" for p in hand.some(paths, 3, 9)]
        elif command == "git log":
            out = [f"{hand.rng.getrandbits(28):07x} {hand.sentence()}" for _ in range(4)]
        elif command == "make test":
            out = [f"ok {i} {hand.noun()}.{hand.noun()}" for i in range(hand.between(3, 8))]
        else:
            command, out = f"cat {hand.noun()}.txt", [hand.sentence(), hand.sentence()]
        said += [f"{prompt} {command}", *out]
    return said[:lines]


def _terminal(hand: Hand) -> Picture:
    name = hand.one(["white", "green", "white", "orange"])
    lines = _session(hand, hand.between(8, 30))
    title = "<div class=bar>Terminal</div>" if hand.chance(0.6) else ""
    css = (
        f"body {{ background: {hand.color('black')} }} .bar {{ background: #444; color: #ccc; "
        f"padding: 6px; text-align: center }} pre {{ margin: 8px; color: {hand.color(name)}; "
        f"font-size: {hand.between(14, 20)}px; {hand.monospace()} }}"
    )
    caption = hand.one(
        [
            f"a terminal window with {name} text on a black background",
            f"{name} lines of text in a black terminal window",
            f"a black command line window shows rows of {name} text",
        ]
    )
    return Picture(
        caption,
        _page(css, f"{title}<pre>{escape(chr(10).join(lines))}</pre>"),
        hand.one([640, 800]),
        hand.one([480, 600]),
        asked=[
            colored("text", name),
            colored("background", "black"),
            Asked("open", "what is on the screen?", "text"),
        ],
        true=["is there text?", "is the background black?", "is this a screen?"],
        false=["is the background white?", "is this handwriting?"],
    )


def _photo(hand: Hand) -> str:
    """What stands where a page has a photo."""
    a, b = hand.color(hand.other_color()), hand.color(hand.other_color())
    turn = hand.between(0, 360)
    return f"<div class=photo style='background: linear-gradient({turn}deg, {a}, {b})'></div>"


def _article(hand: Hand, text: list[str]) -> str:
    paragraphs = _repeated(4, lambda: f"<p>{hand.paragraph(text, hand.between(3, 8))}</p>")
    return (
        f"<style>main {{ padding: 0 {hand.between(60, 200)}px }} .photo {{ height: 260px }}"
        f"</style><h1>{hand.title()}</h1>{_photo(hand)}{paragraphs}"
    )


def _shop(hand: Hand, text: list[str]) -> str:
    columns = hand.between(2, 4)
    cards = _repeated(
        2 * columns,
        lambda: (
            f"<div class=card>{_photo(hand)}<p>{hand.title()}</p>$ {hand.price()}<a>Buy</a></div>"
        ),
    )
    return (
        "<style>main { display: grid; gap: 20px; padding: 30px; grid-template-columns: "
        f"repeat({columns}, 1fr) }} .card {{ border: 1px solid #8885; padding: 12px; border-radius:"
        f" {hand.between(0, 14)}px }} .photo {{ height: 150px }} a {{ float: right; padding: "
        f"4px 16px; background: var(--accent); color: #fff }}</style>{cards}"
    )


def _results(hand: Hand, text: list[str]) -> str:
    found = _repeated(
        6, lambda: f"<section><b>{hand.title()}</b><br>{hand.paragraph(text, 2)}</section>"
    )
    return (
        "<style>main { padding: 20px 60px } section { margin: 22px 0 } "
        "main b { font-size: 24px; color: var(--accent) } .box { border: 2px solid #8887; "
        f"border-radius: 26px; padding: 14px 24px; "
        f"width: 60% }}</style><div class=box>{hand.noun()}</div>{found}"
    )


def _web_page(hand: Hand) -> Picture:
    name, dark = hand.other_color("brown"), hand.chance(0.25)
    ground, ink = ("#16181d", "#ddd") if dark else ("#fff", "#222")
    links = _repeated(hand.between(2, 5), lambda: f"<span>{hand.noun().title()}</span>")
    main = hand.one([_article, _shop, _results])(hand, hand.language())
    css = (
        f"body {{ --accent: {hand.color(name)}; background: {ground}; color: {ink}; font-size: 20px"
        f"; {hand.font()} }} header {{ background: var(--accent); color: #fff; padding: 22px 40px; "
        "display: flex; gap: 28px } header b { flex: 1; font-size: 26px }"
    )
    caption = hand.one(
        [
            f"a web page with a {name} bar at the top",
            f"a screenshot of a website with a {name} header and text",
            f"a website with text under a {name} bar at the top",
        ]
    )
    head = f"<header><b>{hand.noun().title()}</b>{links}</header>"
    return Picture(
        caption,
        _page(css, f"{head}<main>{main}</main>"),
        1200,
        hand.one([800, 900, 1200]),
        asked=[
            colored("bar", name),
            colored("background", "black" if dark else "white"),
            Asked("open", "what is at the top of the page?", "bar"),
        ],
        true=["is there text?", "is this a screenshot?"],
        false=["is this handwriting?", "is this a map?"],
    )


def _chat(hand: Hand, text: list[str]) -> str:
    bubbles = _repeated(8, lambda: f"<p class={hand.one(['mine', 'yours'])}>{hand.one(text)}</p>")
    return (
        "<style>main { padding: 4px 14px } p { border-radius: 18px; padding: 11px 15px; margin: "
        "12px 0 0; width: fit-content; max-width: 70%; background: var(--soft) } .mine { color: "
        f"#fff; background: var(--accent); margin-left: auto }}</style>{bubbles}"
    )


def _contacts(hand: Hand, text: list[str]) -> str:
    rows = _repeated(
        9,
        lambda: (
            f"<section>{_photo(hand)}<div><b>{hand.name()}</b><br>{hand.one(text)[:28]}</div>"
            "</section>"
        ),
    )
    return (
        "<style>section { display: flex; align-items: center; gap: 14px; padding: 12px 16px; "
        "border-bottom: 1px solid #8883 } .photo { width: 52px; height: 52px; border-radius: 50% }"
        f"</style>{rows}"
    )


def _buttons(hand: Hand, text: list[str]) -> str:
    buttons = _repeated(12, lambda: f"<div><b>{hand.between(1, 99)}</b><br>{hand.noun()}</div>")
    return (
        "<style>main { display: grid; gap: 18px; padding: 24px; grid-template-columns: 1fr 1fr 1fr;"
        " text-align: center } main b { display: block; border-radius: 50%; background: "
        f"var(--soft); font: 30px/92px sans-serif }}</style>{buttons}"
    )


_APPS = [
    (_chat, "a chat with speech bubbles", "chat"),
    (_contacts, "a list of names with round pictures", "list"),
    (_buttons, "rows of round buttons and numbers", "buttons"),
]


def _phone_app(hand: Hand) -> Picture:
    name, dark = hand.other_color("brown"), hand.chance(0.3)
    ground, ink, soft = ("#111", "#eee", "#2a2a2e") if dark else ("#fff", "#222", "#e9e9ee")
    app, what, short = hand.one(_APPS)
    clock = f"{hand.between(1, 23)}:{hand.between(10, 59)} ▮▮▮ {hand.between(5, 99)}%"
    head = f"<header><small>{clock}</small><br><br><b>{hand.name()}</b></header>"
    css = (
        f"body {{ --accent: {hand.color(name)}; --soft: {soft}; background: {ground}; color: {ink};"
        f" font-size: 17px; {hand.font()} }} header {{ background: var(--accent); color: #fff; "
        "padding: 12px 18px 16px; font-size: 20px } footer { position: fixed; bottom: 0; width: "
        "100%; padding: 14px 0; text-align: center; background: var(--soft); word-spacing: 50px }"
    )
    caption = hand.one(
        [
            f"a phone screen shows {what} under a {name} bar",
            f"a screenshot of a phone app with {what}",
        ]
    )
    main = f"<main>{app(hand, hand.language())}</main>"
    return Picture(
        caption,
        _page(css, f"{head}{main}<footer>◀ ● ■</footer>"),
        390,
        hand.one([720, 844]),
        asked=[colored("bar", name), Asked("open", "what does the screen show?", short)],
        true=["is there text?", "is this a screen?", "is this a phone screen?"],
        false=["is this a map?", "is this handwriting?"],
    )


KINDS = {
    "code": Kind(_code, ["code"]),
    "terminal": Kind(_terminal, ["terminal window", "terminal", "command line"]),
    "web page": Kind(_web_page, ["web page", "website", "webpage", "screenshot"]),
    "phone app": Kind(_phone_app, ["phone screen", "phone app", "phone", "screenshot", "app"]),
}
