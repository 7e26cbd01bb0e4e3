"""Telegram's HTML, read as strictly as Telegram does: core.telegram.org/bots/api#html-style.

Error texts follow `do_parse_html` in tdlib/td, MessageEntity.cpp; they count bytes of UTF-8.
"""

import re
from typing import NamedTuple

from liqwatch.simulator.bot_api.bubbles import Entity
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
_SIGNS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_BARE = {"code", "pre"}  # take nothing inside

_REFERENCE = re.compile(r"&(?:([a-zA-Z]+)|#(\d+)|#x([0-9a-fA-F]+));?")
_END_TAG = re.compile(r"</([^\s>]*)\s*")
_ATTRIBUTE = re.compile(
    r"""\s*([^\s=>/"']*)\s*(?:=\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9.-]+)(?=[\s>])))?"""
)


class _Open(NamedTuple):
    tag: str
    attributes: dict[str, str]
    offset: int


def utf16_length(text: str) -> int:
    """Return the length of a text as Telegram counts it in entities."""
    return len(text.encode("utf-16-le")) // 2


def read_html(html: str) -> tuple[str, tuple[Entity, ...]]:
    """Return what is read, and how it is marked. Raises Refused: "can't parse entities: …"."""
    reader = _Reader(html)
    while reader.at < len(html):
        reader.step()
    if reader.open:
        tag = reader.open[-1].tag
        raise _unparsable(f'Can\'t find end tag corresponding to start tag "{tag}"')
    text = "".join(reader.text)
    return _trimmed(text, sorted(reader.entities, key=lambda one: (one.offset, -one.length)))


def trimmed(text: str) -> str:
    """Return a text without the white space around it, which Telegram cuts off."""
    return _trimmed(text, [])[0]


class _Reader:
    def __init__(self, html: str) -> None:
        self.html, self.at = html, 0
        self.text: list[str] = []
        self.entities: list[Entity] = []
        self.open: list[_Open] = []
        self._length = 0  # in UTF-16

    def step(self) -> None:
        html, at = self.html, self.at
        if html[at] == "&":
            self._reference()
        elif html[at] != "<":
            ends = [end for end in (html.find("<", at), html.find("&", at)) if end >= 0]
            self._say(html[at : min(ends, default=len(html))], min(ends, default=len(html)))
        elif html.startswith("</", at):
            self._end_tag()
        else:
            self._start_tag()

    def _say(self, text: str, until: int) -> None:
        self.text.append(text)
        self._length += utf16_length(text)
        self.at = until

    def _reference(self) -> None:
        found = _REFERENCE.match(self.html, self.at)
        sign = None if found is None else _sign(found)
        if found is None or sign is None:
            self._say("&", self.at + 1)
        else:
            self._say(sign, found.end())

    def _start_tag(self) -> None:
        begin = self.at
        found = re.compile(r"<([^\s>]*)").match(self.html, begin)
        assert found is not None
        tag, self.at = found[1].lower(), found.end()
        if self.at == len(self.html):
            raise self._wrong("Unclosed start tag", begin)
        if tag not in _TYPES:
            raise self._wrong(f'Unsupported start tag "{tag}"', begin)
        attributes = dict(self._attributes(tag, begin))
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise self._wrong('Tag "span" must have class "tg-spoiler"', begin)
        if tag == "tg-time" and not attributes.get("unix", "").isdecimal():
            raise self._wrong('Tag "tg-time" must have a Unix time', begin)  # in our words
        self.open.append(_Open(tag, attributes, self._length))

    def _attributes(self, tag: str, begin: int) -> list[tuple[str, str]]:
        found = []
        while self.html[self.at : self.at + 1] != ">":
            one = _ATTRIBUTE.match(self.html, self.at)
            assert one is not None
            if self.html[one.start() :].isspace() or one.end() == len(self.html):
                raise self._wrong("Unclosed start tag", begin)
            name, after = one[1], self.html[one.end()]
            if not name and after != ">":
                raise self._wrong(f'Empty attribute name in the tag "{tag}"', begin)
            if after == "=":
                raise self._wrong("Unexpected end of name token", one.end() + 1)
            value = next((text for text in one.groups()[1:] if text is not None), "")
            if name:
                found.append((name.lower(), _REFERENCE.sub(lambda r: _sign(r) or r[0], value)))
            self.at = one.end()
        self.at += 1
        return found

    def _end_tag(self) -> None:
        begin = self.at
        if not self.open:
            raise self._wrong("Unexpected end tag", begin)
        found = _END_TAG.match(self.html, begin)
        assert found is not None
        name, self.at = found[1].lower(), found.end() + 1
        if self.html[found.end() : self.at] != ">":
            raise self._wrong("Unclosed end tag", begin)
        opened = self.open.pop()
        if name and name != opened.tag:
            place = f"at byte offset {self._bytes(begin)}"
            raise _unparsable(
                f'Unmatched end tag {place}, expected "</{opened.tag}>", found "</{name}>"'
            )
        if self._length > opened.offset:
            self._close(opened)

    def _close(self, opened: _Open) -> None:
        outer = self.open[-1] if self.open else None
        language = opened.attributes.get("class", "")
        if opened.tag == "code" and outer and outer.tag == "pre" and language:
            outer.attributes["language"] = language.removeprefix("language-")
        if any(one.tag in _BARE for one in self.open):
            return
        if opened.tag == "blockquote" and any(one.tag == "blockquote" for one in self.open):
            return  # quotes do not nest
        if opened.tag == "a" and not opened.attributes.get("href"):
            return
        self.entities.append(_entity(opened, self._length))

    def _wrong(self, what: str, at: int) -> Refused:
        return _unparsable(f"{what} at byte offset {self._bytes(at)}")

    def _bytes(self, at: int) -> int:
        return len(self.html[:at].encode())


def _entity(opened: _Open, end: int) -> Entity:
    tag, attributes, offset = opened
    kind = _TYPES[tag]
    if tag == "blockquote" and "expandable" in attributes:
        kind = "expandable_blockquote"
    return Entity(
        kind,
        offset,
        end - offset,
        url=attributes.get("href") if tag == "a" else None,
        language=attributes.get("language") if tag == "pre" else None,
        custom_emoji_id=attributes.get("emoji-id") if tag == "tg-emoji" else None,
        unix_time=int(attributes["unix"]) if tag == "tg-time" else None,
        date_time_format=attributes.get("format") if tag == "tg-time" else None,
    )


def _sign(reference: re.Match[str]) -> str | None:
    name, decimal, hexadecimal = reference.groups()
    if name is not None:
        return _SIGNS.get(name)
    code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else None


def _trimmed(text: str, entities: list[Entity]) -> tuple[str, tuple[Entity, ...]]:
    left = utf16_length(text) - utf16_length(text.lstrip())
    text = text.strip()
    length = utf16_length(text)
    kept = []
    for one in entities:
        begin = min(max(one.offset - left, 0), length)
        end = min(max(one.offset + one.length - left, 0), length)
        if end > begin:
            fields = {name: getattr(one, name) for name in one.__struct_fields__}
            kept.append(Entity(**fields | {"offset": begin, "length": end - begin}))
    return text, tuple(kept)


def _unparsable(reason: str) -> Refused:
    return bad(f"can't parse entities: {reason}")
