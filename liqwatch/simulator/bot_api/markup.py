"""Telegram's HTML, read as strictly as Telegram does: core.telegram.org/bots/api#html-style.

It is no HTML: a handful of tags, closed in order, four named characters. Error texts follow
`do_parse_html` in tdlib/td, MessageEntity.cpp; they count bytes of UTF-8, entities count UTF-16.
"""

import re
from typing import NamedTuple

import msgspec

from liqwatch.simulator.bot_api.refusals import Refused, bad

_TYPES = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("span", "tg-spoiler"), "spoiler"),
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
_BARE = {"code", "pre"}  # nothing is marked inside
_SIGNS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}

_TEXT = re.compile(r"[^<&]+")
_REFERENCE = re.compile(r"&(?:([a-zA-Z]+)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));?")
_SPACE = re.compile(r"\s*", re.ASCII)
_TAG_NAME = re.compile(r"[^\s>]*", re.ASCII)
_ATTRIBUTE_NAME = re.compile(r"[^\s=>/\"']*", re.ASCII)
_NAME_TOKEN = re.compile(r"[a-zA-Z0-9.-]*")
_TOKEN_ENDS = re.compile(r"[\s>]")
_UNIX_TIME = re.compile(r"[0-9]{1,10}")
# core.telegram.org/bots/api#date-time-entity-formatting
_TIME_FORMAT = re.compile(r"r|w?[dD]?[tT]?")


class MessageEntity(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A marked part of a text: core.telegram.org/bots/api#messageentity; in UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None
    custom_emoji_id: str | None = None
    unix_time: int | None = None
    date_time_format: str | None = None


class Words(NamedTuple):
    """A text as it is read, and how it is marked."""

    text: str
    entities: tuple[MessageEntity, ...] = ()


class _Open(NamedTuple):
    tag: str
    attributes: dict[str, str]
    offset: int


def utf16_length(text: str) -> int:
    """Return the length of a text as entities count it.

    >>> utf16_length("a🔥")
    3
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def read_html(html: str) -> Words:
    """Return what is read. Raises Refused: "can't parse entities: …".

    >>> read_html("a &lt; <b>b</b>").text
    'a < b'
    """
    return trimmed(_Reader(html).read())


def trimmed(words: Words) -> Words:
    """Return a text without the white space around it, which Telegram cuts off."""
    left = utf16_length(words.text) - utf16_length(words.text.lstrip())
    text = words.text.strip()
    length = utf16_length(text)
    kept = []
    for one in words.entities:
        begin = min(max(one.offset - left, 0), length)
        end = min(max(one.offset + one.length - left, 0), length)
        if end > begin:
            kept.append(msgspec.structs.replace(one, offset=begin, length=end - begin))
    return Words(text, tuple(kept))


class _Reader:
    def __init__(self, html: str) -> None:
        self._html, self._at = html, 0
        self._text: list[str] = []
        self._length = 0  # of the text so far, in UTF-16
        self._entities: list[MessageEntity] = []
        self._open: list[_Open] = []

    def read(self) -> Words:
        while not self._ended:
            if self._html.startswith("</", self._at):
                self._end_tag()
            elif self._html[self._at] == "<":
                self._start_tag()
            else:
                text = self._word(_TEXT) or self._character()
                self._text.append(text)
                self._length += utf16_length(text)
        if self._open:
            tag = self._open[-1].tag
            raise _unparsable(f'Can\'t find end tag corresponding to start tag "{tag}"')
        entities = sorted(self._entities, key=lambda one: (one.offset, -one.length))
        return Words("".join(self._text), tuple(entities))

    # -- tags --------------------------------------------------------------------------------------

    def _start_tag(self) -> None:
        begin = self._at
        self._at += 1
        tag = self._word(_TAG_NAME).lower()
        if self._ended:
            raise self._wrong("Unclosed start tag", begin)
        if tag not in _TYPES:
            raise self._wrong(f'Unsupported start tag "{tag}"', begin)
        attributes = self._attributes(tag, begin)
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise self._wrong('Tag "span" must have class "tg-spoiler"', begin)
        self._open.append(_Open(tag, attributes, self._length))

    def _attributes(self, tag: str, begin: int) -> dict[str, str]:
        attributes: dict[str, str] = {}
        while not self._passes(">"):
            if self._ended:
                raise self._wrong("Unclosed start tag", begin)
            name = self._word(_ATTRIBUTE_NAME).lower()
            if not name:
                raise self._wrong(f'Empty attribute name in the tag "{tag}"', begin)
            attributes[name] = self._value() if self._passes("=") else ""
        return attributes

    def _value(self) -> str:
        self._word(_SPACE)
        begin, quote = self._at, self._html[self._at : self._at + 1]
        if quote not in {'"', "'"}:
            token = self._word(_NAME_TOKEN).lower()
            if not self._ended and not _TOKEN_ENDS.match(self._html, self._at):
                raise self._wrong("Unexpected end of name token", begin)
            return token
        self._at += 1
        value = []
        while not self._ended and self._html[self._at] != quote:
            value.append(self._character())
        self._at += 1
        return "".join(value)

    def _end_tag(self) -> None:
        begin = self._at
        if not self._open:
            raise self._wrong("Unexpected end tag", begin)
        self._at += 2
        name = self._word(_TAG_NAME).lower()
        if not self._passes(">"):
            raise self._wrong("Unclosed end tag", begin)
        opened = self._open.pop()
        if name not in {"", opened.tag}:
            expected = f', expected "</{opened.tag}>", found "</{name}>"'
            raise self._wrong("Unmatched end tag", begin, expected)
        if self._length > opened.offset:
            self._close(opened)

    def _close(self, opened: _Open) -> None:
        outer = self._open[-1] if self._open else None
        language = opened.attributes.get("class", "").removeprefix("language-")
        if opened.tag == "code" and outer is not None and outer.tag == "pre" and language:
            outer.attributes["language"] = language
        is_hidden = any(
            one.tag in _BARE or one.tag == opened.tag == "blockquote" for one in self._open
        )
        if not is_hidden and (opened.tag != "a" or opened.attributes.get("href")):
            self._entities.append(_entity(opened, self._length - opened.offset))

    # -- reading -----------------------------------------------------------------------------------

    @property
    def _ended(self) -> bool:
        return self._at >= len(self._html)

    def _word(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._html, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _passes(self, sign: str) -> bool:
        # Past spaces, and past the sign if it comes next.
        self._word(_SPACE)
        if not self._html.startswith(sign, self._at):
            return False
        self._at += 1
        return True

    def _character(self) -> str:
        found = _REFERENCE.match(self._html, self._at)
        sign = None if found is None else _sign(*found.groups())
        if found is None or sign is None:
            self._at += 1
            return self._html[self._at - 1]
        self._at = found.end()
        return sign

    def _wrong(self, what: str, at: int, more: str = "") -> Refused:
        return _unparsable(f"{what} at byte offset {len(self._html[:at].encode())}{more}")


def _entity(opened: _Open, length: int) -> MessageEntity:
    tag, given, offset = opened
    if tag == "tg-time":
        unix_time, form = given.get("unix", ""), given.get("format", "")
        # What the server says of a wrong one is not documented.
        if not _UNIX_TIME.fullmatch(unix_time):
            raise _unparsable("Invalid Unix time specified")
        if not _TIME_FORMAT.fullmatch(form):
            raise _unparsable("Invalid date-time format specified")
        time = int(unix_time)
        return MessageEntity(
            "date_time", offset, length, unix_time=time, date_time_format=form or None
        )
    if tag == "tg-emoji":
        emoji = given.get("emoji-id", "")
        if not emoji.isdecimal() or int(emoji) == 0:
            raise _unparsable("Invalid custom emoji identifier specified")
        return MessageEntity("custom_emoji", offset, length, custom_emoji_id=emoji)
    is_folded = tag == "blockquote" and "expandable" in given
    return MessageEntity(
        "expandable_blockquote" if is_folded else _TYPES[tag],
        offset,
        length,
        url=given["href"] if tag == "a" else None,
        language=given.get("language") if tag == "pre" else None,
    )


def _sign(name: str | None, decimal: str | None, hexadecimal: str | None) -> str | None:
    if name is not None:
        return _SIGNS.get(name)
    code = int(decimal) if decimal is not None else int(hexadecimal or "0", 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else None


def _unparsable(reason: str) -> Refused:
    return bad(f"can't parse entities: {reason}")
