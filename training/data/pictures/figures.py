"""Pictures that stand for something: charts, maps, codes, chess boards."""

from __future__ import annotations

import base64
import io
import string

import barcode
import matplotlib.style
import numpy as np
import segno
from barcode.writer import ImageWriter
from matplotlib.figure import Figure
from PIL import Image

from training.data.pictures.picture import NUMBERS, Asked, Hand, Kind, Picture, colored, counted

_STYLES = {
    "train": ["default", "classic", "ggplot", "seaborn-v0_8-whitegrid", "seaborn-v0_8-dark"],
    "test": ["bmh", "fivethirtyeight", "dark_background", "seaborn-v0_8-white"],
}


def _plotted(hand: Hand, draw) -> Image.Image:
    """What `draw(axes)` draws in some style of matplotlib's."""
    with matplotlib.style.context(hand.of(_STYLES)):
        figure = Figure(figsize=(hand.one([4, 5, 6]), hand.one([3.5, 4, 4.5])), dpi=112)
        axes = figure.add_subplot()
        draw(axes)
        if hand.chance():
            axes.set_title(hand.title())
        figure.tight_layout()
        png = io.BytesIO()
        figure.savefig(png)
    return Image.open(png).convert("RGB")


def _labelled(hand: Hand, axes) -> None:
    if hand.chance():
        axes.set_xlabel(hand.noun())
        axes.set_ylabel(hand.noun())


def _bar_chart(hand: Hand) -> Picture:
    bars = hand.between(2, 8)
    name = hand.other_color()
    flat = hand.chance(0.25)

    def draw(axes) -> None:
        labels = [hand.noun()[:6] for _ in range(bars)]
        heights = [hand.between(10, 100) for _ in range(bars)]
        (axes.barh if flat else axes.bar)(range(bars), heights, color=hand.color(name))
        ticks = axes.set_yticks if flat else axes.set_xticks
        ticks(range(bars), labels, fontsize=8)
        _labelled(hand, axes)

    lying = " lying" if flat else ""
    caption = hand.one(
        [
            f"a bar chart with {NUMBERS[bars]}{lying} {name} bars of different length",
            f"{NUMBERS[bars]}{lying} {name} bars stand in a bar chart with labels"
            if not flat
            else f"{NUMBERS[bars]} lying {name} bars in a bar chart with labels",
        ]
    )
    return Picture(
        caption,
        _plotted(hand, draw),
        asked=[
            colored("bar", name),
            Asked("color", "what color are the bars?", name),
            counted("bars", bars),
            counted("bars", bars),
        ],
        true=["are there bars?", "is this a chart?", f"are the bars {name}?"],
        false=[f"are the bars {hand.other_color(name)}?", "is this a pie chart?", "is this a map?"],
    )


def _line_chart(hand: Hand) -> Picture:
    lines = hand.between(1, 4)
    names = hand.some(["red", "orange", "green", "blue", "purple"], lines, lines)

    def draw(axes) -> None:
        rng = np.random.default_rng(hand.between(0, 2**32 - 1))
        points = hand.between(6, 60)
        marker = hand.one([None, None, "o"])
        for name in names:
            line = rng.normal(0, 1, points).cumsum()
            axes.plot(line, marker=marker, color=hand.color(name))
        _labelled(hand, axes)

    what = f"one {names[0]} line" if lines == 1 else f"{NUMBERS[lines]} colored lines"
    caption = hand.one(
        [
            f"a line chart with {what} going up and down",
            f"a line graph shows {what} between two axes",
        ]
    )
    return Picture(
        caption,
        _plotted(hand, draw),
        asked=[counted("lines", lines)] + ([colored("line", names[0])] if lines == 1 else []),
        true=["are there lines?", "is this a chart?", "are there numbers?"],
        false=["is this a pie chart?", "are there bars?", "is this a map?"],
    )


def _pie_chart(hand: Hand) -> Picture:
    parts = hand.between(2, 6)
    names = hand.some(["red", "orange", "yellow", "green", "blue", "purple", "pink"], parts, parts)
    sizes = sorted((hand.rng.uniform(0.2, 1) for _ in range(parts)), reverse=True)
    sizes[0] = sizes[1] * 1.4
    hole = hand.chance(0.3)

    def draw(axes) -> None:
        axes.pie(
            sizes,
            colors=[hand.color(name) for name in names],
            labels=[hand.noun() for _ in names] if hand.chance() else None,
            startangle=hand.between(0, 360),
            wedgeprops={"width": 0.4} if hole else None,
        )

    kind = "ring chart" if hole else "round pie chart"
    caption = hand.one(
        [
            f"a {kind} with {NUMBERS[parts]} colored parts",
            f"a {kind} is cut into {NUMBERS[parts]} colored pieces",
        ]
    )
    return Picture(
        caption,
        _plotted(hand, draw),
        asked=[counted("parts", parts), colored("largest part", names[0])],
        true=["is the chart round?", "is this a chart?", f"is the largest part {names[0]}?"],
        false=["are there bars?", "is this a map?", "is this a pizza?"],
    )


def _scatter_plot(hand: Hand) -> Picture:
    name = hand.other_color("brown")

    def draw(axes) -> None:
        rng = np.random.default_rng(hand.between(0, 2**32 - 1))
        x = rng.normal(0, 1, hand.between(20, 200))
        y = x * hand.rng.uniform(-1.5, 1.5) + rng.normal(0, hand.rng.uniform(0.2, 1.2), len(x))
        axes.scatter(x, y, s=hand.between(10, 60), color=hand.color(name), marker=hand.one("ooos^"))
        _labelled(hand, axes)

    caption = hand.one(
        [
            f"a scatter plot with many {name} dots between two axes",
            f"many {name} points are scattered in a chart",
        ]
    )
    return Picture(
        caption,
        _plotted(hand, draw),
        asked=[Asked("color", "what color are the dots?", name)],
        true=["are there dots?", "is this a chart?", f"are the dots {name}?"],
        false=["are there bars?", f"are the dots {hand.other_color(name)}?", "is this a map?"],
    )


_MAPS = {
    # Ground, roads, main roads, water, parks.
    "train": [
        ("#f2efe9", "#fff", "#f7d58a", "#aad3df", "#c8e6b0"),
        ("#e8eaed", "#fff", "#fbe08a", "#9cc0f9", "#bfe3c5"),
    ],
    "test": [
        ("#f5f5f0", "#ddd", "#e892a2", "#75cff0", "#add19e"),
        ("#242f3e", "#38414e", "#746855", "#17263c", "#263c3f"),
    ],
}


def _map(hand: Hand) -> Picture:
    ground, road, main, water, park = hand.of(_MAPS)
    side = 600
    turn = hand.between(-40, 40)
    shapes = []
    for _ in range(hand.between(1, 4)):
        x, y, w, h = (hand.between(0, 500) for _ in range(4))
        shapes.append(f"<rect x={x} y={y} width={w // 3 + 60} height={h // 3 + 60} fill='{park}'/>")

    def curve(color: str, width: int) -> str:
        y = [hand.between(0, side) for _ in range(4)]
        path = f"M-60 {y[0]} C 200 {y[1]} 400 {y[2]} 660 {y[3]}"
        if hand.chance():
            path = f"M{y[0]} -60 C {y[1]} 200 {y[2]} 400 {y[3]} 660"
        return f"<path d='{path}' fill=none stroke='{color}' stroke-width={width} />"

    river = hand.chance(0.6)
    if river:
        shapes.append(curve(water, hand.between(30, 110)))
    at = -200
    while at < 800:
        at += hand.between(35, 110)
        shapes.append(f"<path d='M{at} -300V900M-300 {at}H900' stroke='{road}' stroke-width=9 />")
    shapes += [curve(main, hand.between(12, 20)) for _ in range(hand.between(1, 3))]
    ink = "#555" if ground != "#242f3e" else "#ccc"
    names = "".join(
        f"<text x={hand.between(20, 480)} y={hand.between(40, 580)} font-size="
        f"{hand.between(16, 26)} fill='{ink}' style=\"{hand.font()}\">{hand.noun().title()}</text>"
        for _ in range(hand.between(4, 9))
    )
    pin = ""
    if pinned := hand.chance(0.4):
        x, y = hand.between(100, 500), hand.between(150, 500)
        pin = (
            f"<path d='M{x} {y}c-12 -34 -34 -44 -34 -72a34 34 0 0 1 68 0c0 28 -22 38 -34 72z' "
            f"fill='#d33'/><circle cx={x} cy={y - 72} r=12 fill='#fff'/>"
        )
    extra = " and a red pin" if pinned else " and a blue river" if river else " and green parks"
    caption = hand.one(
        [
            f"a street map of a town with roads{extra}",
            f"a map shows streets with names{extra}",
        ]
    )
    return Picture(
        caption,
        f"<body style='margin: 0'><svg width={side} height={side} style='background: {ground}'>"
        f"<g transform='rotate({turn} 300 300)'>{''.join(shapes)}</g>{names}{pin}</svg>",
        side,
        side,
        asked=[
            Asked("open", "what does the map show?", "streets"),
            Asked("color", "what color is the pin?", "red")
            if pinned
            else Asked("open", "what are the lines?", "streets"),
        ],
        true=["are there streets on the map?", "is this a map?", "is there text?"],
        false=["is this a chart?", "is the picture empty?"],
        depicts=["street"],
    )


def _qr_code(hand: Hand) -> Picture:
    text = "".join(hand.rng.choices(string.ascii_letters + string.digits, k=hand.between(8, 120)))
    name = "black" if hand.chance(0.7) else hand.one(["blue", "green", "red", "purple"])
    light = hand.color("white") if hand.chance(0.7) else "#fff"
    png = io.BytesIO()
    code = segno.make(text, micro=False, error=hand.one("lmqh"))
    code.save(
        png, kind="png", scale=8, border=hand.between(1, 6), dark=hand.color(name), light=light
    )
    caption = hand.one(
        [
            f"a {name} qr code on a white background",
            f"a square qr code made of small {name} squares on white",
        ]
    )
    return Picture(
        caption,
        Image.open(png).convert("RGB"),
        asked=[
            Asked("color", "what color is the code?", name),
            colored("background", "white"),
        ],
        true=["is this a code?", "are there small squares?", "is the background white?"],
        false=["is this a chess board?", "is there a barcode?", "is this a map?"],
    )


def _barcode(hand: Hand) -> Picture:
    form = hand.of({"train": ["ean13", "code128", "upca"], "test": ["ean8", "code39", "itf"]})
    digits = {"ean13": 12, "upca": 11, "ean8": 7}.get(form, 2 * hand.between(4, 7))
    number = "".join(hand.rng.choices(string.digits, k=digits))
    png = io.BytesIO()
    barcode.get(form, number, writer=ImageWriter()).write(png, {"write_text": False})
    url = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
    below = f"<div style='font-size: 30px; letter-spacing: 8px; {hand.monospace()}'>{number}</div>"
    with_number = hand.chance(0.7)
    caption = "a barcode of black lines on a white background"
    if with_number:
        caption = hand.one(
            [
                "a barcode of black lines with a number below it",
                "black lines of a barcode stand over a number on white",
            ]
        )
    return Picture(
        caption,
        f"<style>img {{ width: 90vw; height: {hand.between(50, 75)}vh }}</style><body style='"
        "margin: 0; background: #fff; display: grid; place-content: center; height: 100vh; "
        f"text-align: center'><img src={url}>{below if with_number else ''}",
        440,
        hand.one([260, 340]),
        asked=[
            Asked("color", "what color are the lines?", "black"),
            Asked("open", "what is below the lines?", "number" if with_number else "nothing"),
        ],
        true=["are there lines?", "is this a code?", "is the background white?"],
        false=["is this a qr code?", "is this a chart?", "is this a piano?"],
    )


_BOARDS = {
    "train": [
        "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR",
        "r1bqkb1r/pppp1ppp/2n2n2/4p3/2B1P3/5N2/PPPP1PPP/RNBQK2R",
        "rnbqkb1r/pp2pppp/3p1n2/8/3NP3/8/PPP2PPP/RNBQKB1R",
        "8/5pk1/6p1/8/3R4/6P1/5PK1/3r4",
        "2r3k1/5ppp/8/8/8/1Q6/5PPP/6K1",
    ],
    "test": [
        "rnbqk2r/ppp1bppp/4pn2/3p4/2PP4/2N2N2/PP2PPPP/R1BQKB1R",
        "r4rk1/pp1bqppp/2n1p3/3pP3/3P4/2PB4/P1Q2PPP/R4RK1",
        "8/8/4k3/2p5/2P1K3/8/1P6/8",
    ],
}
_SQUARES = {
    "train": [("#f0d9b5", "#b58863", "brown"), ("#eeeed2", "#769656", "green")],
    "test": [("#dee3e6", "#8ca2ad", "gray"), ("#ffffff", "#4b7399", "blue")],
}
_PIECES = dict(zip("kqrbnpKQRBNP", "♚♛♜♝♞♟♔♕♖♗♘♙", strict=True))


def _chess_board(hand: Hand) -> Picture:
    light, dark, name = hand.of(_SQUARES)
    empty = hand.chance(0.2)
    rows = hand.of(_BOARDS).split("/")
    cells = ""
    for r, row in enumerate(rows):
        pieces = "".join(" " * int(c) if c.isdigit() else c for c in row)
        for c, piece in enumerate(pieces):
            color = dark if (r + c) % 2 else light
            shown = "" if empty else _PIECES.get(piece, "")
            cells += f"<div style='background: {color}'>{shown}</div>"
    pieces = sum(c.isalpha() for row in rows for c in row)
    what = "without any pieces" if empty else "with pieces" if pieces < 20 else "with many pieces"
    caption = hand.one(
        [
            f"a chess board {what} seen from above",
            f"a drawn {name} and white chess board {what} on it",
        ]
    )
    return Picture(
        caption.replace("without any pieces on it", "without any pieces"),
        "<style>body { margin: 0; display: grid; grid-template-columns: repeat(8, 60px); "
        f"grid-auto-rows: 60px; font: {hand.between(44, 52)}px/60px 'DejaVu Sans'; text-align: "
        f"center; color: #111 }}</style><body>{cells}",
        480,
        480,
        asked=[
            Asked("color", "what color are the dark squares?", name),
            Asked("open", "what game is this?", "chess"),
        ],
        true=["are there squares?", "is this a chess board?", "is this a game?"],
        false=["is this a qr code?", "is this a map?", "is there text?"],
    )


KINDS = {
    "bar chart": Kind(_bar_chart, ["bar chart", "chart", "graph"]),
    "line chart": Kind(_line_chart, ["line chart", "line graph", "chart", "graph"]),
    "pie chart": Kind(_pie_chart, ["pie chart", "ring chart", "chart"]),
    "scatter plot": Kind(_scatter_plot, ["scatter plot", "chart", "graph", "plot"]),
    "map": Kind(_map, ["map"]),
    "qr code": Kind(_qr_code, ["qr code"]),
    "barcode": Kind(_barcode, ["barcode"]),
    "chess board": Kind(_chess_board, ["chess board", "chess"]),
}
