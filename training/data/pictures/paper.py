"""Pictures of paper: documents, notices, handwriting, receipts, tables, forms, calendars, music."""

from __future__ import annotations

import calendar
from html import escape
from textwrap import dedent

import verovio

from training.data.pictures import words
from training.data.pictures.picture import NUMBERS, Asked, Hand, Kind, Picture, colored, counted

_PAGE = {"width": 794, "height": 1000}


def _sheet(hand: Hand, css: str, body: str, ground: str = "#fff") -> str:
    """A page; now and then it lies a little askew on something darker."""
    tilt, around = 0.0, ground
    if hand.chance(0.3):
        tilt, around = hand.rng.uniform(-4, 4), hand.color(hand.one(["gray", "brown", "black"]))
    return (
        f"<body style='margin: 0; background: {around}; overflow: hidden'>"
        f"<div style='box-sizing: border-box; min-height: 100vh; padding: 50px; color: #222; "
        f"background: {ground}; transform: rotate({tilt:.1f}deg)"
        f"{' scale(0.85)' if tilt else ''}; {css}'>{body}</div>"
    )


def _document(hand: Hand) -> Picture:
    text, size = hand.language(), hand.between(15, 26)
    paper = "white" if hand.chance(0.7) else hand.one(["yellow", "pink", "gray", "blue"])
    ground = "#fff" if paper == "white" else f"color-mix(in srgb, {hand.color(paper)} 35%, white)"
    if paper == "gray":
        ground = "#c4c4c4"
    ink = "black" if hand.chance(0.8) else "blue"
    headed, columns = hand.chance(), hand.one([1, 1, 2, 2, 3])
    head = f"<h1 style='font-size: {2 * size}px'>{escape(hand.title())}</h1>" if headed else ""
    paragraphs = "".join(
        f"<p>{hand.paragraph(text, hand.between(3, 7))}</p>"
        for _ in range(hand.between(5, 9) * columns)
    )
    css = f"font-size: {size}px; {hand.font()}; color: {'#222' if ink == 'black' else '#124'}"
    body = f"{head}<div style='columns: {columns}; column-gap: 36px'>{paragraphs}</div>"
    under = " under a large title" if headed else ""
    split = f" in {NUMBERS[columns]} columns" if columns > 1 else ""
    plain = "a page of dark text" if columns == 1 else "a page of printed text"
    caption = hand.one(
        [
            f"{plain}{split}{under} on a {paper} background",
            f"a {paper} document with lines of printed text{split}{under}",
            f"printed text fills a {paper} sheet of paper{split}{under[:20] and ' below a title'}",
        ]
    )
    asked = [colored("paper", paper), Asked("open", "what is on the paper?", "text")]
    return Picture(
        caption,
        _sheet(hand, css, body, ground),
        **_PAGE,
        asked=asked + ([counted("columns", columns)] if columns > 1 else []),
        true=["is there text?", "is this a page?", "is the text printed?"],
        false=["is the page empty?", "is this handwriting?"],
    )


def _notice(hand: Hand) -> Picture:
    words_shown = hand.one(words.NOTICES[hand.split].split("|"))
    ground = hand.one(["white", "yellow", "red", "blue", "green", "orange", "black"])
    ink = "black" if ground in ("white", "yellow", "orange") else "white"
    if ground == "white" and hand.chance():
        ink = "red"
    below = f"<div style='font-size: 24px'>{hand.sentence()}</div>" if hand.chance() else ""
    border = f"border: 10px solid {hand.color(ink)};" if hand.chance() else ""
    caption = hand.one(
        [
            f"a {ground} sign with large {ink} letters on it",
            f"large {ink} words stand on a {ground} notice",
            f'a {ground} notice says "{words_shown.lower()}" in {ink} letters',
        ]
    )
    return Picture(
        caption,
        f"<body style='margin: 0; background: {hand.color(ground)}'><div style='height: 100vh; "
        f"box-sizing: border-box; padding: 30px; display: flex; flex-direction: column; gap: 30px; "
        f"justify-content: center; text-align: center; {border} color: {hand.color(ink)}; "
        f"{hand.font()}'><b style='font-size: {hand.between(60, 96)}px'>{words_shown}"
        f"</b>{below}</div>",
        480,
        hand.one([320, 480, 640]),
        asked=[
            colored("background", ground),
            colored("text", ink),
            Asked("open", "what does the sign say?", words_shown.lower()),
        ],
        true=["is there text?", "is this a sign?", f"is the background {ground}?"],
        false=[f"is the background {hand.other_color(ground)}?", "is this a map?"],
    )


def _handwriting(hand: Hand) -> Picture:
    ink = hand.one(["blue", "black", "blue", "red"])
    size = hand.between(26, 40)
    lines = "".join(f"<div>{hand.sentence()}</div>" for _ in range(hand.between(5, 12)))
    ruled, step = hand.chance(), 2 * size
    rule = (
        f"background-image: repeating-linear-gradient(transparent 0 {step - 2}px, #9bd {step - 2}px"
        f" {step}px);"
        if ruled
        else ""
    )
    paper = "lined" if ruled else "white"
    caption = hand.one(
        [
            f"{ink} handwriting on a sheet of {paper} paper",
            f"a letter is written by hand in {ink} ink on {paper} paper",
            f"a handwritten note in {ink} ink on {paper} paper",
        ]
    )
    css = f"{rule} font-size: {size}px; line-height: {step}px; {hand.handwriting()}"
    return Picture(
        caption,
        _sheet(hand, f"{css}; color: {hand.color(ink)}", lines, "#fdfdf8"),
        620,
        hand.one([480, 620, 800]),
        asked=[colored("ink", ink), Asked("open", "what is on the paper?", "handwriting")],
        true=["is there text?", "is this handwriting?", "is this written by hand?"],
        false=["is the page empty?", "is the text printed?"],
    )


def _receipt(hand: Hand) -> Picture:
    count = hand.between(4, 12)
    rows = "".join(
        f"<div>{hand.between(1, 4)} x {hand.noun().upper()}<span style='float: right'>"
        f"{hand.price()}</span></div>"
        for _ in range(count)
    )
    around = hand.one(["gray", "brown", "black", "blue"])
    line = "<hr style='border-top: 2px dashed'>"
    body = (
        f"<center><b style='font-size: 28px'>{hand.title().upper()}</b><br>{hand.between(1, 99)} "
        f"{hand.name()} STREET<br>{hand.between(10, 28)}.{hand.between(10, 12)}.20"
        f"{hand.between(10, 26)}</center>{line}{rows}{line}"
        f"<b>TOTAL<span style='float: right'>{hand.price()}</span></b><br><br>"
        f"<center>{hand.sentence().upper()}</center>"
    )
    caption = hand.one(
        [
            f"a white shop receipt with printed prices on a {around} background",
            f"a long paper receipt lists prices on a {around} surface",
        ]
    )
    return Picture(
        caption,
        f"<body style='margin: 0; background: {hand.color(around)}'><div style='background: "
        f"#fcfcfa; margin: 16px auto; padding: 26px 22px; width: 330px; font-size: 18px; color: "
        f"#333; {hand.monospace()}; transform: rotate({hand.rng.uniform(-5, 5):.1f}deg)'>"
        f"{body}</div>",
        520,
        640,
        asked=[
            colored("background", around),
            Asked("open", "what is written on the receipt?", "prices"),
        ],
        true=["is there text?", "is this a receipt?", "are there numbers?"],
        false=["is this handwriting?", "is the paper red?"],
    )


def _table(hand: Hand) -> Picture:
    rows, columns = hand.between(3, 10), hand.between(3, 6)
    name = hand.one(["blue", "gray", "green", "orange", "purple", "red"])
    head = "".join(f"<th>{hand.noun().title()}</th>" for _ in range(columns))
    striped = hand.chance()
    cells = "".join(
        f"<tr style='background: {'#ededf1' if striped and r % 2 else '#fff'}'>"
        f"<td>{hand.name()}</td>"
        + "".join(f"<td>{hand.between(1, 9999)}</td>" for _ in range(columns - 1))
        + "</tr>"
        for r in range(rows)
    )
    caption = hand.one(
        [
            f"a table with a {name} top row and rows of numbers",
            f"rows and columns of numbers in a table with a {name} head",
        ]
    )
    return Picture(
        caption,
        f"<style>td, th {{ border: 1px solid #888; padding: {hand.between(8, 18)}px }}"
        f"table {{ border-collapse: collapse; width: 100%; font-size: {hand.between(18, 24)}px }}"
        f"th {{ background: {hand.color(name)}; color: #fff }}</style>"
        f"<body style='margin: 20px; background: #fff; {hand.font()}'><table><tr>{head}</tr>{cells}"
        "</table>",
        700,
        max(360, 60 + 56 * rows),
        asked=[
            colored("top row", name),
            counted("columns", columns),
            Asked("open", "what stands in the table?", "numbers"),
        ],
        true=["is there text?", "are there numbers?", "is this a table of numbers?"],
        false=["is this handwriting?", "is this a map?"],
        depicts=["table"],
    )


def _form(hand: Hand) -> Picture:
    fields = hand.some(
        "Name|Address|City|Date of birth|Phone|E-mail|Signature|Country|Number|Company".split("|"),
        4,
        7,
    )
    boxed = hand.chance()
    line = "border: 2px solid #667;" if boxed else "border-bottom: 2px solid #667;"
    rows = "".join(
        f"<div style='margin-top: 26px'>{field}<div style='{line} height: 38px'></div></div>"
        for field in fields
    )
    ticks = "".join(
        f"<div style='margin-top: 16px'>{hand.one('☐☐☒')} {hand.sentence()}</div>"
        for _ in range(hand.between(1, 3))
    )
    name = hand.one(["black", "blue", "green", "red"])
    head = f"<h1 style='color: {hand.color(name)}'>{hand.title()}</h1>"
    what = "boxes" if boxed else "lines"
    caption = hand.one(
        [
            f"a white form with empty {what} to fill in",
            f"a paper form has a {name} title and empty {what}",
        ]
    )
    return Picture(
        caption,
        _sheet(hand, f"font-size: 22px; {hand.font()}", head + rows + ticks),
        700,
        900,
        asked=[colored("title", name), Asked("open", "what can be filled in?", what)],
        true=["is there text?", "is this a form?", f"are there empty {what}?"],
        false=["is the form blue?", "is this handwriting?"],
    )


def _calendar(hand: Hand) -> Picture:
    name = hand.one(["red", "blue", "green", "orange", "purple", "black"])
    month = hand.between(1, 12)
    html = calendar.HTMLCalendar(hand.one([0, 6])).formatmonth(hand.between(2015, 2030), month)
    filled = hand.chance()
    th = f"background: {hand.color(name)}; color: #fff" if filled else f"color: {hand.color(name)}"
    border = "border: 1px solid #aaa;" if hand.chance() else ""
    called = calendar.month_name[month].lower()
    caption = hand.one(
        [
            "a calendar page shows the days of one month in rows",
            f"a calendar of {called} with a {name} title and numbers",
        ]
    )
    return Picture(
        caption,
        f"<style>table {{ width: 100%; height: 90vh; text-align: center; font-size: 26px }} th "
        f"{{ {th} }} td {{ {border} }} .month {{ font-size: 40px; padding: 14px }}</style>"
        f"<body style='margin: 20px; background: #fff; {hand.font()}'>{html}",
        600,
        hand.one([450, 600]),
        asked=[
            colored("title", name),
            Asked("open", "which month is it?", called),
            Asked("open", "what stands in the rows?", "numbers"),
        ],
        true=["are there numbers?", "is this a calendar?", "is there text?"],
        false=["is this a clock?", "is this handwriting?"],
    )


def _crossword(hand: Hand) -> Picture:
    side = hand.between(7, 15)
    share = hand.rng.uniform(0.15, 0.35)
    filled = hand.chance(0.4)
    dark = [[hand.chance(share) for _ in range(side)] for _ in range(side)]
    cells, number = "", 0
    for r in range(side):
        for c in range(side):
            # A mirrored grid, as newspapers print it; a number where a word begins.
            black = dark[min(r, side - 1 - r)][c if r <= side // 2 else side - 1 - c]
            number += not black and hand.chance(0.35)
            letter = hand.one("AEIORSTLNMDU") if filled and not black else ""
            cells += (
                f"<div class={'b' if black else 'w'}><i>{'' if black else number}</i>{letter}</div>"
            )
    with_letters = "filled with letters" if filled else "with empty white squares"
    caption = hand.one(
        [
            f"a black and white crossword puzzle {with_letters}",
            f"a crossword grid {with_letters} between black ones",
        ]
    )
    return Picture(
        caption,
        f"<style>body {{ margin: 12px; background: #fff; display: grid; {hand.font()}; "
        f"height: calc(100vh - 24px); grid-template-columns: repeat({side}, 1fr); border: 2px "
        f"solid }} div {{ border: 1px solid #000; text-align: center; min-height: 0; "
        f"font-size: {300 / side:.0f}px; overflow: hidden }} "
        f"i {{ font-size: {150 / side:.0f}px; float: left }} "
        f".b {{ background: {hand.color('black')} }}</style><body>{cells}",
        560,
        560,
        asked=[
            Asked("open", "what stands in the squares?", "letters" if filled else "numbers"),
            Asked("color", "what color are the dark squares?", "black"),
        ],
        true=["are there squares?", "is this a puzzle?"],
        false=["is this a map?", "is this handwriting?"],
    )


def _music(hand: Hand) -> Picture:
    notes = hand.rng.choices(
        ["C", "D", "E", "F", "G", "A", "B", "c", "d", "e", "f"], k=hand.between(24, 110)
    )
    bars = [
        "".join(note + hand.one(["", "", "2", "/2"]) for note in notes[i : i + 4])
        for i in range(0, len(notes), 4)
    ]
    key = hand.of({"train": ["C", "G", "F"], "test": ["D", "Bb", "A"]})
    clef = hand.of({"train": ["treble"], "test": ["treble", "bass"]})
    abc = dedent(
        f"""\
        X:1
        T:{hand.title()}
        M:{hand.of({"train": ["4/4", "3/4"], "test": ["2/4", "6/8"]})}
        L:1/4
        K:{key} clef={clef}
        """
    ) + "|".join(bars)
    kit = verovio.toolkit()
    kit.setOptions(
        {"inputFrom": "abc", "scale": hand.between(35, 80), "pageWidth": 1600, "pageHeight": 1600}
    )
    kit.loadData(abc)
    ground = hand.one(["#fff", "#fff", "#faf3e0"])
    caption = hand.one(
        [
            "a page of sheet music with black notes on lines",
            "lines of printed music notes on a white page",
            "black music notes are printed on a sheet of paper",
        ]
    )
    return Picture(
        caption,
        f"<body style='margin: 0; background: {ground}'>{kit.renderToSVG(1)}",
        700,
        hand.one([420, 700]),
        asked=[
            Asked("open", "what is printed on the page?", "music"),
            Asked("color", "what color are the notes?", "black"),
        ],
        true=["are there notes?", "is this music?", "are there lines?"],
        false=["is this handwriting?", "is the page empty?"],
    )


KINDS = {
    "document": Kind(_document, ["document", "page of text", "text", "paper"]),
    "notice": Kind(_notice, ["sign", "notice", "words", "letters", "text"]),
    "handwriting": Kind(_handwriting, ["handwriting", "handwritten", "letter", "by hand"]),
    "receipt": Kind(_receipt, ["receipt"]),
    "table": Kind(_table, ["table"]),
    "form": Kind(_form, ["form"]),
    "calendar": Kind(_calendar, ["calendar"]),
    "crossword": Kind(_crossword, ["crossword puzzle", "crossword", "puzzle"]),
    "music": Kind(_music, ["sheet music", "music", "notes"]),
}
