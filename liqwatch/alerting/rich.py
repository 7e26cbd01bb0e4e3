"""Text as parts: plain words, moments in time, lines of more and of less weight.

A part becomes markup only here, and only here it is escaped: no name from outside can be markup.
"""

import re
from collections.abc import Iterable
from html import escape
from typing import Literal, NamedTuple

from liqwatch.alerting.catalogues import Language, phrase
from liqwatch.alerting.numbers import utc

# Telegram counts UTF-16 units after entities parsing, and cuts off further entities:
# core.telegram.org/bots/api#sendmessage and #sendphoto
TEXT_LENGTH = 4096
CAPTION_LENGTH = 1024
MOST_ENTITIES = 100

KEPT = 9  # a weight above those of what is to go first

_PLACES = 0xE000  # private characters, which no name from outside brings along


class Moment(NamedTuple):
    """A moment in time: in UTC as `text`, in the reader's own time where a client can show that.

    `form` says how: t and T time, short and long; d short date.
    Source: core.telegram.org/bots/api#date-time-entity-formatting
    """

    text: str
    unix_s: int
    form: Literal["t", "T", "d", "dt"]

    @classmethod
    def at(
        cls, time_ms: int, form: Literal["t", "T", "d", "dt"] = "T", text: str = "%H:%M:%S"
    ) -> "Moment":
        """Write `time_ms` (since the Unix epoch) as `text` says, a pattern of strftime."""
        return cls(utc(time_ms, text), time_ms // 1000, form)

    @classmethod
    def minute(cls, time_ms: int) -> "Moment":
        """Write `time_ms` (since the Unix epoch) as hour and minute."""
        return cls.at(time_ms, "t", "%H:%M UTC")


Part = str | Moment
Line = tuple[Part, ...]


def line(name: str, language: Language, /, **values: str | int | Moment) -> Line:
    """Return a phrase of the catalogue with moments in time among its values."""
    moments = {key: value for key, value in values.items() if isinstance(value, Moment)}
    places = {key: chr(_PLACES + at) for at, key in enumerate(moments)}
    words = {key: value for key, value in values.items() if not isinstance(value, Moment)}
    said = {places[key]: moment for key, moment in moments.items()}
    parts = re.split("([\ue000-\uf8ff])", phrase(name, language, **words, **places))
    return tuple(said.get(part, part) for part in parts if part)


class Section(NamedTuple):
    """Lines that stay together. Of two sections, the one of less weight is left out first."""

    lines: tuple[Line, ...]
    weight: int = 0


class Text:
    """A message. Its first line says it all and is never left out.

    A string is a section a line.
    """

    def __init__(self, *parts: Section | str, language: Language = "en") -> None:
        self.sections = tuple(section for part in parts for section in _sections(part))
        self.language: Language = language

    @property
    def length(self) -> int:
        """How long it is, as Telegram counts."""
        return sum(map(_length, self.sections)) - 1

    def plain(self) -> str:
        """Return it as plain text, times in UTC."""
        return "\n".join(_plain(line) for line in self._lines())

    def html(self) -> str:
        """Return it as Telegram HTML: its first line bold, times as the reader's own.

        Source: core.telegram.org/bots/api#html-style
        """
        first, *rest = ("".join(map(_html, line)) for line in self._lines())
        return "\n".join([f"<b>{first}</b>" if first else "", *rest])

    def fitted(self, limit: int = TEXT_LENGTH, max_entities: int = MOST_ENTITIES) -> "Text":
        """Return it within `limit` UTF-16 units and with so few entities.

        Whole sections are left out, and it says how many lines they had.
        """
        length = self.length
        entities = 1 + sum(map(_entities, self.sections))
        if length <= limit and entities <= max_entities:
            return self
        length += _units(self._word_for(99_999)) + 1
        order = sorted(range(1, len(self.sections)), key=lambda at: (self.sections[at].weight, -at))
        left_out: set[int] = set()
        for at in order:
            if length <= limit and entities <= max_entities:
                break
            left_out.add(at)
            length -= _length(self.sections[at])
            entities -= _entities(self.sections[at])
        return self._without(left_out)

    def below(self, line: str) -> "Text":
        """Return it below a line of its own, which stays with its first one."""
        return self._beginning((line,), *self.sections[0].lines)

    def marked(self, before: Line = (), after: Line = ()) -> "Text":
        """Return it with marks in its first line."""
        first, *lines = self.sections[0].lines
        return self._beginning((*before, *first, *after), *lines)

    def _beginning(self, *lines: Line) -> "Text":
        return Text(Section(lines), *self.sections[1:], language=self.language)

    def _without(self, left_out: set[int]) -> "Text":
        lines = sum(len(self.sections[at].lines) for at in left_out)
        kept: list[Section | str] = []
        for at, section in enumerate(self.sections):
            if at not in left_out:
                kept.append(section)
            elif at == min(left_out):
                kept.append(self._word_for(lines))
        return Text(*kept, language=self.language)

    def _word_for(self, lines: int) -> str:
        return phrase("more-lines", self.language, count=lines)

    def _lines(self) -> Iterable[Line]:
        return (line for section in self.sections for line in section.lines)


def message(language: Language, first: str, lines: Iterable[str | Line | None], tags: str) -> Text:
    """Return a message of a first line, further ones in order of weight, and its hashtags.

    Lines that are one string stay together.
    """
    sections = (
        Section(tuple((part,) for part in line.split("\n")) if isinstance(line, str) else (line,))
        for line in lines
        if line
    )
    last = [Section(((tags,),), KEPT)] if tags else []
    return Text(Section(((first,),)), *sections, *last, language=language)


def _sections(part: Section | str) -> list[Section]:
    if isinstance(part, str):
        return [Section(((line,),)) for line in part.split("\n")]
    return [part]


def _plain(line: Line) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in line)


def _html(part: Part) -> str:
    if isinstance(part, str):
        return escape(part, quote=False)
    return f'<tg-time unix="{part.unix_s}" format="{part.form}">{escape(part.text)}</tg-time>'


def _length(section: Section) -> int:
    return sum(_units(_plain(line)) + 1 for line in section.lines)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _entities(section: Section) -> int:
    # What Telegram finds by itself counts, too: hashtags.
    return sum(
        part.count("#") if isinstance(part, str) else 1 for line in section.lines for part in line
    )
