"""HTML to pixels: many pages side by side in one screenshot of Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from training.data.pictures.picture import Picture

SIDE = 224
"""Pixels of a picture's side, squashed as photos are."""
_CELL = 2 * SIDE
"""What a page has in the screenshot; shrunk afterwards, as a photo would be."""
_COLUMNS = 4
FONTS = (
    "DejaVu Sans|Liberation Sans|Nimbus Sans|Noto Color Emoji|Symbola|Breip|Dancing Script|"
    "Ecolier_court|Comic Neue|Amiri|Droid Sans Fallback"
).split("|")
PACKAGES = (
    "fonts-dejavu fonts-liberation fonts-urw-base35 fonts-noto-color-emoji fonts-symbola "
    "fonts-breip fonts-dancingscript fonts-ecolier-court fonts-comic-neue fonts-hosny-amiri "
    "fonts-droid-fallback fonts-noto-mono"
)


def need_fonts() -> None:
    """Refuse to draw boxes where letters should be."""
    run = subprocess.run(["fc-list", ":", "family"], capture_output=True, text=True, check=True)
    missing = [font for font in FONTS if font not in run.stdout]
    if missing:
        raise SystemExit(f"no font {', '.join(missing)}: apt-get install {PACKAGES}")


def _screenshot(page: Path, out: Path, width: int, height: int) -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
    subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--allow-file-access-from-files",
            f"--window-size={width},{height}",
            f"--screenshot={out}",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )


def _frame(picture: Picture, at: int) -> str:
    column, row = at % _COLUMNS, at // _COLUMNS
    across, down = _CELL / picture.width, _CELL / picture.height
    return (
        f'<iframe srcdoc="{escape(str(picture.shown))}" scrolling=no style="position: absolute; '
        f"border: 0; left: {column * _CELL}px; top: {row * _CELL}px; width: {picture.width}px; "
        f'height: {picture.height}px; transform-origin: 0 0; transform: scale({across}, {down})">'
        "</iframe>"
    )


def _squashed(image: Image.Image) -> Image.Image:
    return image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)


def rendered(pictures: Sequence[Picture], title: str) -> list[Image.Image]:
    """Each picture, squashed to SIDE by SIDE."""
    images: dict[int, Image.Image] = {
        i: _squashed(p.shown) for i, p in enumerate(pictures) if isinstance(p.shown, Image.Image)
    }
    pages = [i for i in range(len(pictures)) if i not in images]
    batch = _COLUMNS * _COLUMNS
    with tempfile.TemporaryDirectory() as folder:
        for start in tqdm(range(0, len(pages), batch), desc=title):
            chosen = pages[start : start + batch]
            frames = "".join(_frame(pictures[i], n) for n, i in enumerate(chosen))
            page, out = Path(folder) / "page.html", Path(folder) / "page.png"
            page.write_text(
                f"<!doctype html><meta charset=utf-8><body style='margin: 0'>{frames}",
                encoding="utf-8",
            )
            side = _COLUMNS * _CELL
            _screenshot(page, out, side, side)
            with Image.open(out) as sheet:
                for n, i in enumerate(chosen):
                    x, y = n % _COLUMNS * _CELL, n // _COLUMNS * _CELL
                    images[i] = _squashed(sheet.crop((x, y, x + _CELL, y + _CELL)))
    return [images[i] for i in range(len(pictures))]
