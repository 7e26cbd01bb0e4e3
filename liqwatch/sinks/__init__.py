"""Where alerts go: one line a sink."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from liqwatch.sinks.base import Sink, SinkError
from liqwatch.sinks.console import ConsoleSettings, ConsoleSink
from liqwatch.sinks.telegram import TelegramSettings
from liqwatch.sinks.webhook import WebhookSettings, WebhookSink
from liqwatch.store import Database, MovedChats

__all__ = ["SINKS", "ConsoleSettings", "SinkError", "TelegramSettings", "WebhookSettings", "build"]


class SinkType(NamedTuple):
    """The settings of a sink and how to make it from them."""

    settings: type[msgspec.Struct]
    make: Callable[[Any, Database], Sink | None]


def _console(settings: ConsoleSettings, _: Database) -> Sink | None:
    return ConsoleSink() if settings.enabled else None


def _telegram(settings: TelegramSettings, database: Database) -> Sink:
    # Imported here: the library is large, and few commands need it.
    from liqwatch.sinks.telegram.sender import TelegramSink  # noqa: PLC0415 - see above
    from liqwatch.sinks.telegram.token import read_token  # noqa: PLC0415 - its companion

    return TelegramSink(settings, read_token(settings.token_file), MovedChats(database))


def _webhook(settings: WebhookSettings, _: Database) -> Sink:
    return WebhookSink(settings)


SINKS: dict[str, SinkType] = {
    "console": SinkType(ConsoleSettings, _console),
    "telegram": SinkType(TelegramSettings, _telegram),
    "webhook": SinkType(WebhookSettings, _webhook),
}


def build(notify: msgspec.Struct, database: Database) -> list[Sink]:
    """Make the sinks that `notify` has settings for: a field for each name in SINKS, or None.

    Raises SinkError, in words for the person who wrote the settings.
    """
    wanted = ((kind, getattr(notify, name)) for name, kind in SINKS.items())
    made = (kind.make(settings, database) for kind, settings in wanted if settings is not None)
    return [sink for sink in made if sink is not None]
