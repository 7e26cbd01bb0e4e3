"""A chat as a picture: what a person's phone shows, all of it at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from itertools import groupby
from typing import NamedTuple

from PIL import Image, ImageDraw

from liqwatch.map_view import Theme
from liqwatch.simulator.bot_api.bubbles import Bubble
from liqwatch.simulator.bot_api.lettering import (
    SIZE,
    SMALL,
    Line,
    Run,
    Style,
    font,
    shortened,
    styled,
    width,
    wrapped,
)
from liqwatch.simulator.bot_api.transcript import clock_time, day_of, marks, quoted

WIDTH, MOST_HEIGHT = 1080, 10_000  # px, as everything here
MARGIN, PADDING, GAP = 24, 28, 16
BUBBLE = 940  # at its widest
RADIUS = 30
INSET = 8  # of a photo within its bubble
BAR = 120  # the chat's name, and the pinned message under it
BUTTON = 84
LINE_HEIGHT = 1.36  # of the size of its letters
FACTOR = 2  # of what is drawn round, for smooth edges

NAME, FINE = Style("bold"), Style(size=SMALL)
HEADING = Style("bold", size=SMALL)


class Colors(NamedTuple):
    """One colour for each thing."""

    paper: str
    bar: str
    theirs: str
    own: str
    button: str
    chip: str
    ink: str
    faint: str
    link: str


COLORS = {
    Theme.LIGHT: Colors(
        paper="#dbe5ec",
        bar="#ffffff",
        theirs="#ffffff",
        own="#e4f7d3",
        button="#c3d3df",
        chip="#c3d3df",
        ink="#10161e",
        faint="#6b7885",
        link="#1f7bc0",
    ),
    Theme.DARK: Colors(
        paper="#0c131b",
        bar="#1a2531",
        theirs="#1a2531",
        own="#2b5278",
        button="#263645",
        chip="#1a2531",
        ink="#eef2f6",
        faint="#8b9bab",
        link="#6ab3f3",
    ),
}


class _Sheet(NamedTuple):
    """What is drawn on."""

    image: Image.Image
    pen: ImageDraw.ImageDraw
    colors: Colors

    def write(self, line: Line, left: float, top: float, color: str | None = None) -> None:
        for run in line:
            letters = font(run.style.font, run.style.size)
            ink = color or (self.colors.link if run.style.link else self.colors.ink)
            # All sizes share a baseline.
            self.pen.text((left, top + run.style.size), run.text, ink, letters, anchor="ls")
            left += run.width

    def fill(self, box: tuple[int, int, int, int], color: str, radius: int = RADIUS) -> None:
        left, top, right, bottom = box
        mask = _rounded((right - left, bottom - top), radius)
        self.image.paste(color, (left, top), mask)


class _Part(NamedTuple):
    """Something that is painted with its left upper corner at a place."""

    height: int
    paint: Callable[[_Sheet, int, int], None]


def picture(bubbles: Sequence[Bubble], title: str, theme: Theme) -> bytes:
    """Return the chat as PNG, oldest on top, times in UTC.

    What does not fit into MOST_HEIGHT is left out from its top, and the picture says so.
    """
    head = _stacked([_title(title), *map(_pinned, [one for one in bubbles if one.pinned][-1:])])
    parts = _newest(_chat(bubbles), MOST_HEIGHT - head.height - 3 * GAP)
    chat = _stacked([head, *(_spaced(part) for part in parts)])
    size = (WIDTH, chat.height + 2 * GAP)
    image = Image.new("RGB", size, COLORS[theme].paper)
    chat.paint(_Sheet(image, ImageDraw.Draw(image), COLORS[theme]), 0, 0)
    png = BytesIO()
    image.save(png, "PNG")
    return png.getvalue()


# -- the whole --------------------------------------------------------------------------------


def _chat(bubbles: Sequence[Bubble]) -> Iterator[_Part]:
    by_id = {bubble.id: bubble for bubble in bubbles}
    for day, told in groupby(bubbles, lambda bubble: day_of(bubble.sent_s)):
        yield _chip(f"{day}, UTC")
        yield from (_message(bubble, by_id.get(bubble.reply_to or 0)) for bubble in told)


def _newest(parts: Iterable[_Part], most: int) -> list[_Part]:
    """Return as many of the last parts as fit, after a note if that is not all."""
    every = list(parts)
    kept = list[_Part]()
    note = _chip("What came before is left out")
    room = most - note.height - GAP
    while every and (room := room - every[-1].height - GAP) >= 0:
        kept.insert(0, every.pop())
    return [note, *kept] if every else kept


def _stacked(parts: Sequence[_Part]) -> _Part:
    def paint(sheet: _Sheet, left: int, top: int) -> None:
        for part in parts:
            part.paint(sheet, left, top)
            top += part.height

    return _Part(sum(part.height for part in parts), paint)


def _spaced(part: _Part) -> _Part:
    return _Part(part.height + GAP, lambda sheet, left, top: part.paint(sheet, left, top + GAP))


def _title(title: str) -> _Part:
    def paint(sheet: _Sheet, left: int, top: int) -> None:
        sheet.pen.rectangle((left, top, WIDTH, top + BAR), sheet.colors.bar)
        side = BAR - 2 * MARGIN
        circle = (MARGIN, top + MARGIN, MARGIN + side, top + MARGIN + side)
        sheet.fill(circle, sheet.colors.link, side // 2)
        initial = Run(title[:1].upper(), NAME)
        initial_left = MARGIN + (side - initial.width) / 2
        sheet.write([initial], initial_left, top + (BAR - SIZE) / 2 - 3, sheet.colors.bar)
        words_left = 2 * MARGIN + side
        name = shortened(title, NAME, WIDTH - words_left - MARGIN)
        sheet.write([name], words_left, top + MARGIN - 6)
        sheet.write([Run("bot", FINE)], words_left, top + MARGIN + SIZE + 8, sheet.colors.faint)

    return _Part(BAR, paint)


def _pinned(bubble: Bubble) -> _Part:
    def paint(sheet: _Sheet, left: int, top: int) -> None:
        sheet.pen.rectangle((left, top, WIDTH, top + BAR), sheet.colors.bar)
        sheet.pen.line((left, top, WIDTH, top), sheet.colors.paper, 2)
        _quote("Pinned message", bubble, WIDTH - 2 * MARGIN).paint(sheet, MARGIN, top + MARGIN - 6)

    return _Part(BAR, paint)


def _chip(words: str) -> _Part:
    run = Run(words, FINE)
    height = round(2 * SMALL)

    def paint(sheet: _Sheet, _: int, top: int) -> None:
        half = round(run.width / 2) + PADDING
        box = (WIDTH // 2 - half, top, WIDTH // 2 + half, top + height)
        sheet.fill(box, sheet.colors.chip, height // 2)
        sheet.write([run], (WIDTH - run.width) / 2, top + SMALL * 0.38, sheet.colors.faint)

    return _Part(height, paint)


# -- a message --------------------------------------------------------------------------------


def _message(bubble: Bubble, replied: Bubble | None) -> _Part:
    inner = BUBBLE - 2 * PADDING
    lines = [one for line in styled(bubble.text, bubble.entities) for one in wrapped(line, inner)]
    foot = Run(" · ".join([*marks(bubble), clock_time(bubble.sent_s)]), FINE)
    names = [one for one in (bubble.author, bubble.topic) if one is not None]
    is_wide = bubble.photo is not None or bubble.buttons or bubble.reply_to is not None
    widest = inner if is_wide else round(max(foot.width, *map(width, lines), 0))
    parts = [
        *(_words(shortened(name, HEADING, inner)._replace(style=HEADING)) for name in names),
        *([] if bubble.reply_to is None else [_quote("Reply", replied, widest)]),
        *([] if bubble.photo is None else [_photo(bubble.photo)]),
        *(_Part(round(SIZE * LINE_HEIGHT), _writer(line)) for line in lines if bubble.text),
        _foot(foot, widest),
    ]
    body = _boxed(_stacked(parts), widest + 2 * PADDING, is_own=bubble.author is not None)
    return _stacked([body, *(_button_row(row) for row in bubble.buttons)])


def _boxed(part: _Part, box_width: int, *, is_own: bool) -> _Part:
    height = part.height + PADDING

    def paint(sheet: _Sheet, _: int, top: int) -> None:
        left = WIDTH - MARGIN - box_width if is_own else MARGIN
        color = sheet.colors.own if is_own else sheet.colors.theirs
        sheet.fill((left, top, left + box_width, top + height), color)
        part.paint(sheet, left + PADDING, top + PADDING // 2)

    return _Part(height, paint)


def _writer(line: Line) -> Callable[[_Sheet, int, int], None]:
    return lambda sheet, left, top: sheet.write(line, left, top)


def _words(run: Run) -> _Part:
    return _Part(
        round(run.style.size * LINE_HEIGHT),
        lambda sheet, left, top: sheet.write([run], left, top, sheet.colors.link),
    )


def _quote(heading: str, bubble: Bubble | None, quote_width: int) -> _Part:
    """What a reply hangs under, beside a bar."""
    line = round(SMALL * LINE_HEIGHT)
    words = shortened(quoted(bubble), FINE, quote_width - PADDING)

    def paint(sheet: _Sheet, left: int, top: int) -> None:
        sheet.fill((left, top + 6, left + 6, top + 2 * line + 10), sheet.colors.link, 3)
        sheet.write([Run(heading, HEADING)], left + PADDING, top + 4, sheet.colors.link)
        sheet.write([words], left + PADDING, top + 4 + line, sheet.colors.faint)

    return _Part(2 * line + PADDING, paint)


def _photo(png: bytes) -> _Part:
    """As wide as the bubble: it reaches beyond what is written."""
    with Image.open(BytesIO(png)) as original:
        wide = BUBBLE - 2 * INSET
        size = (wide, max(1, round(wide * original.height / original.width)))
        photo = original.convert("RGB").resize(size, Image.Resampling.LANCZOS)

    def paint(sheet: _Sheet, left: int, top: int) -> None:
        place = (left - PADDING + INSET, top - PADDING // 2 + INSET)
        sheet.image.paste(photo, place, _rounded(photo.size, RADIUS - INSET))

    return _Part(photo.height, paint)


def _foot(run: Run, foot_width: int) -> _Part:
    return _Part(
        round(SMALL * LINE_HEIGHT),
        lambda sheet, left, top: sheet.write(
            [run], left + foot_width - run.width, top + 4, sheet.colors.faint
        ),
    )


def _button_row(row: Sequence[str]) -> _Part:
    space = INSET
    wide = (BUBBLE - space * (len(row) - 1)) // len(row)
    labels = [shortened(words, Style(), wide - PADDING) for words in row]

    def paint(sheet: _Sheet, _: int, top: int) -> None:
        for number, label in enumerate(labels):
            left = MARGIN + number * (wide + space)
            box = (left, top + space, left + wide, top + space + BUTTON)
            sheet.fill(box, sheet.colors.button, RADIUS // 2)
            sheet.write([label], left + (wide - label.width) / 2, top + space + 0.25 * BUTTON)

    return _Part(BUTTON + space, paint)


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    """Return a mask with round corners; what Pillow draws itself has jagged edges."""
    large = (size[0] * FACTOR, size[1] * FACTOR)
    mask = Image.new("L", large, 0)
    corner = (large[0] - 1, large[1] - 1)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *corner), radius * FACTOR, 255)
    return mask.resize(size, Image.Resampling.LANCZOS)
