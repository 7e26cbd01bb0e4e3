"""Where alerts go: one line a sink."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from liqwatch.sinks.base import Sink, SinkError
from liqwatch.sinks.console import ConsoleSettings, ConsoleSink
from liqwatch.sinks.fallback import Fallback, FallbackSettings
from liqwatch.sinks.telegram import TelegramSettings
from liqwatch.sinks.webhook import WebhookSettings, WebhookSink
from liqwatch.store import Database, MovedChats, Topics

if TYPE_CHECKING:
    from liqwatch.sinks.telegram.sender import TelegramSink

__all__ = [
    "SINKS",
    "ConsoleSettings",
    "FallbackSettings",
    "SinkError",
    "TelegramSettings",
    "WebhookSettings",
    "build",
    "build_fallback",
    "telegram_sinks",
]


Elapsed = Callable[[], float]
"""Seconds since some moment."""


class SinkType(NamedTuple):
    """The settings of a sink and how to make it from them: one for each receiver."""

    settings: type[msgspec.Struct]
    make: Callable[[Any, Database, Elapsed], list[Sink]]


def _console(settings: ConsoleSettings, *_: object) -> list[Sink]:
    return [ConsoleSink(rules=settings.rules)] if settings.enabled else []


def telegram_sinks(
    settings: TelegramSettings, database: Database, elapsed_s: Elapsed = time.monotonic
) -> "list[TelegramSink]":
    """Make a sink for each chat, all of one bot. Raises SinkError."""
    # Imported here: the library is large, and few commands need it.
    from liqwatch.sinks.telegram.connection import Connection  # noqa: PLC0415 - see above
    from liqwatch.sinks.telegram.sender import TelegramSink  # noqa: PLC0415 - its companion
    from liqwatch.sinks.telegram.token import read_token  # noqa: PLC0415 - its companion

    chats = settings.every_chat()
    token = read_token(settings.token_file)
    connection = Connection(token, settings.base_url, monotonic=elapsed_s)
    moved, topics = MovedChats(database), Topics(database)
    return [TelegramSink(chat, connection, moved, topics) for chat in chats]


def _telegram(settings: TelegramSettings, database: Database, elapsed_s: Elapsed) -> list[Sink]:
    return [*telegram_sinks(settings, database, elapsed_s)]


def _webhook(settings: WebhookSettings, *_: object) -> list[Sink]:
    return [WebhookSink(settings)]


SINKS: dict[str, SinkType] = {
    "console": SinkType(ConsoleSettings, _console),
    "telegram": SinkType(TelegramSettings, _telegram),
    "webhook": SinkType(WebhookSettings, _webhook),
}


def build(
    notify: msgspec.Struct, database: Database, *, elapsed_s: Elapsed = time.monotonic
) -> list[Sink]:
    """Make the sinks that `notify` has settings for: a field for each name in SINKS, or None.

    What receivers limit, they do by `elapsed_s`. Raises SinkError, in words for the person who
    wrote the settings.
    """
    wanted = ((kind, getattr(notify, name)) for name, kind in SINKS.items())
    made = (
        kind.make(settings, database, elapsed_s)
        for kind, settings in wanted
        if settings is not None
    )
    return [sink for sinks in made for sink in sinks]


def build_fallback(settings: FallbackSettings | None) -> Fallback | None:
    """Make the second channel. Raises SinkError."""
    if settings is None:
        return None
    # Imported here: the library behind it is large, and few have a use for it.
    from liqwatch.sinks.apprise import AppriseSink, read_address  # noqa: PLC0415 - see above

    match settings:
        case FallbackSettings(url_file=str(file), webhook=None):
            return Fallback(AppriseSink(read_address(file)), settings)
        case FallbackSettings(url_file=None, webhook=WebhookSettings() as webhook):
            return Fallback(WebhookSink(webhook, receiver="fallback"), settings)
        case _:
            raise SinkError("notify.fallback: give one of url_file and webhook")
