"""Letters for a picture: which font, what stands for a sign it lacks, where a line breaks."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain, groupby
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.ft2font import FT2Font
from PIL import ImageFont

from liqwatch.simulator.bot_api.bubbles import Entity

SIZE, SMALL = 33, 25  # px
FONTS = {"regular": "DejaVuSans", "bold": "DejaVuSans-Bold", "mono": "DejaVuSansMono"}
MONO_TYPES = {"code", "pre"}
LINK_TYPES = {"bot_command", "date_time", "hashtag", "mention", "text_link", "url"}
INVISIBLE = {"Cc", "Cf", "Mn", "Me", "Sk"}  # categories: joiners, skin tones, variants
VARIANTS = {0xFE0E, 0xFE0F}  # code points: the sign before as text, or as emoji


class Style(NamedTuple):
    """How letters look."""

    font: str = "regular"
    link: bool = False
    size: int = SIZE


class Run(NamedTuple):
    """Letters of one look."""

    text: str
    style: Style = Style()

    @property
    def width(self) -> float:
        """Return how wide it is, in px."""
        return font(self.style.font, self.style.size).getlength(self.text)


Line = Sequence[Run]


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Return one of FONTS."""
    return ImageFont.truetype(_file(name), size, layout_engine=ImageFont.Layout.BASIC)


def width(line: Line) -> float:
    """Return how wide a line is, in px."""
    return sum(run.width for run in line)


def drawable(text: str, name: str = "regular") -> str:
    """Return the text with a dot for each symbol that the font lacks, and a box for each letter.

    >>> drawable("🔥 BTC ≥ 90,000 ⚡️")
    '• BTC ≥ 90,000 ⚡'
    """
    return "".join(letter if ord(letter) in _known(name) else _instead(letter) for letter in text)


def styled(text: str, entities: Sequence[Entity]) -> Iterator[Line]:
    """Yield the lines of a text as the entities say that they look."""
    looks = _looks(text, entities)
    line = list[Run]()
    for style, letters in groupby(zip(text, looks, strict=True), lambda one: one[1]):
        first, *rest = "".join(letter for letter, _ in letters).split("\n")
        line.append(Run(drawable(first, style.font), style))
        for start in rest:
            yield line
            line = [Run(drawable(start, style.font), style)]
    yield line


def wrapped(line: Line, most: float) -> list[Line]:
    """Return a line as several that are no wider than `most` px; words stay whole if they can."""
    lines: list[list[Run]] = [[]]
    left = most
    for word in chain.from_iterable(_fitted(word, most) for word in _words(line)):
        needed = width([*word[:-1], word[-1]._replace(text=word[-1].text.rstrip())])
        if needed > left and lines[-1]:
            lines.append([])
            left = most
        lines[-1].extend(word)
        left -= width(word)
    return [*lines]


def shortened(text: str, style: Style, most: float) -> Run:
    """Return as much of a text as fits, with an ellipsis where something is missing."""
    whole = Run(drawable(text, style.font), style)
    if whole.width <= most:
        return whole
    cuts = (Run(f"{whole.text[:end].rstrip()}…", style) for end in range(len(whole.text), -1, -1))
    return next((cut for cut in cuts if cut.width <= most), Run("", style))


def _file(name: str) -> str:
    return str(Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{FONTS[name]}.ttf")


@cache
def _known(name: str) -> frozenset[int]:
    codes = FT2Font(_file(name)).get_charmap()
    joiners = {code for code in codes if unicodedata.category(chr(code)) == "Cf"}
    return frozenset(codes) - joiners - VARIANTS


def _instead(letter: str) -> str:
    category = unicodedata.category(letter)
    if category in INVISIBLE:
        return ""
    return "•" if category.startswith("S") else "□"


def _looks(text: str, entities: Sequence[Entity]) -> list[Style]:
    """Return the style of each letter."""
    looks = list[Style]()
    at = 0  # in UTF-16 units
    for letter in text:
        types = {one.type for one in entities if one.offset <= at < one.offset + one.length}
        name = "mono" if types & MONO_TYPES else "bold" if "bold" in types else "regular"
        looks.append(Style(name, link=bool(types & LINK_TYPES)))
        at += 1 + (ord(letter) > 0xFFFF)
    return looks


def _words(line: Line) -> Iterator[Line]:
    """Yield the words, each with the space behind it; one may have several looks."""
    word = list[Run]()
    for run in line:
        for piece in re.findall(r"\S+\s*|\s+", run.text):
            word.append(Run(piece, run.style))
            if piece[-1].isspace():
                yield word
                word = []
    if word:
        yield word


def _fitted(word: Line, most: float) -> Iterator[Line]:
    """Yield a word, or its letters if it is wider than a line."""
    if width(word) <= most:
        yield word
    else:
        yield from ([Run(letter, run.style)] for run in word for letter in run.text)
