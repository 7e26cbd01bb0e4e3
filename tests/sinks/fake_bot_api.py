"""The simulated Bot API as these tests look at it: no limits, and chats as plain messages."""

import struct
import zlib
from typing import Any

from liqwatch.simulator.bot_api import BOT, TOKEN, BotApi
from liqwatch.simulator.bot_api.faults import (
    Fault,
    bad_gateway,
    deliver_then_drop,
    deliver_then_hang,
    flood,
    refuse,
)

__all__ = [
    "BOT",
    "TOKEN",
    "FakeBotApi",
    "Fault",
    "bad_gateway",
    "deliver_then_drop",
    "deliver_then_hang",
    "flood",
    "refuse",
    "small_png",
]


class FakeBotApi(BotApi):
    """`messages[chat][message_id]` is what the chat shows."""

    def __init__(self, *chats: int, **more: Any) -> None:
        super().__init__(*chats, **more)
        self.bot.limits = None  # they have tests of their own

    @property
    def messages(self) -> dict[int, dict[int, dict[str, Any]]]:
        return {
            number: {one: {"text": "", **_with_text(chat.as_message(one))} for one in chat.messages}
            for number, chat in self.chats.items()
        }


def _with_text(message: dict[str, Any]) -> dict[str, Any]:
    return message | ({"text": message["caption"]} if "caption" in message else {})


def small_png(width: int = 1, height: int = 1, *, end: bytes = b"") -> bytes:
    """A black picture of that size; another `end`, another picture."""
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height))
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"tEXt", b"end\0" + end), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
