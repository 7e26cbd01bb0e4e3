"""What a chat shows to the person who holds the phone: its messages, one bubble each."""

from typing import NamedTuple

import msgspec

_SIZE = slice(16, 24)  # of a PNG: width and height stand at a fixed place


class Entity(NamedTuple):
    """A marked part of a text, as in core.telegram.org/bots/api#messageentity: in UTF-16 units."""

    type: str
    offset: int
    length: int


class Bubble(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it is seen now.

    `text` stands without its markup. Times are seconds since the Unix epoch, `photo` is a PNG,
    `buttons` are the words on them, row by row. Without an `author` the bot wrote it.
    """

    id: int
    text: str
    entities: tuple[Entity, ...] = ()
    silent: bool = False
    sent_s: int
    edited_s: int | None = None
    reply_to: int | None = None
    photo: bytes | None = None
    buttons: tuple[tuple[str, ...], ...] = ()
    topic: str | None = None
    pinned: bool = False
    author: str | None = None

    @property
    def photo_size(self) -> tuple[int, int] | None:
        """Return width and height of the photo in pixels."""
        if self.photo is None:
            return None
        header = self.photo[_SIZE]
        return int.from_bytes(header[:4]), int.from_bytes(header[4:])

    @property
    def first_words(self) -> str:
        """Return what a reply quotes of it."""
        line = self.text.partition("\n")[0]
        return line or ("Photo" if self.photo is not None else "")
