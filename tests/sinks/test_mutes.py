"""What receivers asked not to be told, at the desks of a real outbox."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from liqwatch.alerting.silences import Silence
from liqwatch.control.vocabulary import ControlError, Muted
from liqwatch.sinks.base import Sink
from liqwatch.sinks.console import ConsoleSink
from liqwatch.sinks.mutes import Mutes
from liqwatch.sinks.outbox import Outbox
from liqwatch.sinks.webhook import WebhookSettings, WebhookSink
from liqwatch.store import Database

SILENCE = Silence(who="@x", since_ms=0, until_ms=3_600_000, symbol="BTC")


@pytest.fixture
def database() -> Iterator[Database]:
    with closing(Database(None)) as database:
        yield database


def mutes(database: Database, now_ms: int = 1000) -> Mutes:
    sinks: list[Sink] = [
        ConsoleSink(),
        WebhookSink(WebhookSettings(url="https://example.org/hook")),
    ]
    outbox = Outbox(database, sinks)
    return Mutes(lambda: outbox, lambda: now_ms)


async def test_a_mute_is_of_one_receiver_or_of_all(database: Database) -> None:
    held = mutes(database)
    held.mute("console", SILENCE)
    assert held.mutes(None) == [Muted("console", SILENCE)]

    held.mute(None, SILENCE)
    assert len(held.mutes(None)) == 2
    held.unmute("console", SILENCE.id)
    assert held.mutes("console") == []
    assert len(held.mutes(None)) == 1


async def test_mutes_outlive_a_restart_and_end(database: Database) -> None:
    mutes(database).mute("console", SILENCE)

    assert mutes(database).mutes("console") == [Muted("console", SILENCE)]
    assert mutes(database, now_ms=SILENCE.until_ms).mutes("console") == []


async def test_nobody_can_be_muted_who_is_not_told(database: Database) -> None:
    with pytest.raises(ControlError, match="nobody is told of alerts as telegram:1"):
        mutes(database).mute("telegram:1", SILENCE)
