"""What a rehearsal says of one receiver is what the outbox gives that receiver."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise

import pytest
from msgspec.structs import replace
from recorder import Recorder, outbox_of, running
from sample_alerts import ENDED, STALLED, START_MS, STARTED

from liqwatch.alerting.intents import ReceiverKind, Role
from liqwatch.alerting.quiet_hours import QuietHours
from liqwatch.alerting.rules import EVERY_ALERT, Budget, Route, Rules
from liqwatch.alerts import Alert, Running, Severity
from liqwatch.config import NotifySettings
from liqwatch.rehearsal import Message, Receiver, Rehearsal, receivers
from liqwatch.samples import RUNNING
from liqwatch.sinks import TelegramSettings, WebhookSettings
from liqwatch.sinks.telegram import ChatSettings
from liqwatch.store import Database

MINUTE_MS = 60_000
COINS = ("BTC", "ETH", "SOL", "XRP")
FREE = Rules(budget=Budget(per_symbol_hour=None, info_hour=None))
NIGHT = QuietHours(from_="22:00", to="23:00", time_zone="UTC", below="held")

Step = tuple[int, Sequence[Alert], Sequence[Running]]
"""A time, what is decided then, and what goes on."""


def market() -> Iterator[Step]:
    """Coins that follow each other, each with a stall and an end."""
    for minutes, alert in ((0, STARTED), (2, STALLED), (4, ENDED)):
        for number, coin in enumerate(COINS):
            now_ms = START_MS + minutes * MINUTE_MS + 3000 * number
            own = {"id": f"{coin}-{alert.id}", "symbol": coin, "episode": f"{coin}-1"}
            yield now_ms, [replace(alert, time=now_ms, **own)], []


def growing() -> Iterator[Step]:
    """A cascade that begins as a warning, becomes critical, and has doubled minutes later."""
    yield START_MS, [replace(STARTED, severity=Severity.WARNING)], []
    for minutes, usd in ((1, 50e6), (5, 200e6), (90, 900e6)):
        now_ms = START_MS + minutes * MINUTE_MS
        yield now_ms, [], [replace(RUNNING, time=now_ms, forced_usd_total=usd)]


async def delivered(steps: Sequence[Step], rules: Rules) -> list[tuple[str, bool, bool]]:
    """First line, sound and whether it is a reply of everything but edits, out of an outbox."""
    sink = Recorder()
    sink.rules = rules
    with closing(Database(None)) as database:
        async with running(outbox_of(sink, database=database)) as outbox:
            for now_ms, alerts, cascades in steps:
                outbox.put(alerts)
                outbox.pass_time(now_ms)
                assert await outbox.drain(5.0)  # what waits together goes out the gravest first
                outbox.follow(cascades)
                assert await outbox.drain(5.0)
    return [
        (one.text.plain().partition("\n")[0], one.silent, one.reply_to is not None)
        for one in sink.got
        if one.edit is None
    ]


def rehearsed(steps: Sequence[Step], rules: Rules) -> list[Message]:
    messages: list[Message] = []
    receiver = Receiver("chat", ReceiverKind.THREADED, rules)
    rehearsal = Rehearsal([receiver], messages.append)
    for now_ms, alerts, cascades in steps:
        rehearsal.put(alerts)
        for seat in rehearsal.seats:
            seat.pass_time(now_ms)
            for cascade in cascades:
                seat.follow(cascade)
    return messages


@pytest.mark.parametrize("steps", [list(market()), list(growing())], ids=["market", "growing"])
@pytest.mark.parametrize(
    "rules",
    [
        FREE,
        replace(FREE, group_after=None),
        replace(FREE, warning=Route.DIGEST, digest_every_s=60),
        replace(FREE, warning=Route.OFF, language="ru"),
        replace(FREE, quiet_hours=NIGHT),
        Rules(budget=Budget(per_symbol_hour=2)),
    ],
    ids=["free", "each its own", "digest", "off", "night", "budget"],
)
async def test_it_is_what_the_outbox_delivers(steps: list[Step], rules: Rules) -> None:
    said = [
        (one.line, one.intent.silent, one.intent.role is Role.REPLY)
        for one in rehearsed(steps, rules)
        if one.intent.role in (Role.ROOT, Role.REPLY, Role.ALONE)
    ]

    assert said == await delivered(steps, rules)
    assert said


def test_running_cascades_are_looked_at_every_three_seconds_of_the_market() -> None:
    looked: list[int] = []
    rehearsal = Rehearsal([Receiver("chat", ReceiverKind.THREADED, FREE)], lambda _: None)
    for now_ms in range(START_MS, START_MS + 30_000, 250):

        def look(now_ms: int = now_ms) -> list[Running]:
            looked.append(now_ms)
            return []

        rehearsal.pass_time(now_ms, look)

    assert len(looked) == 10
    assert {later - one for one, later in pairwise(looked)} == {3000}


def test_everybody_whom_the_settings_name_is_there() -> None:
    chats = TelegramSettings(chat=1, chats=(ChatSettings(chat=-2, rules=FREE),))
    hook = WebhookSettings(url="https://example.org/hook")
    found = receivers(NotifySettings(telegram=chats, webhook=hook))

    assert [(one.name, one.rules) for one in found] == [
        ("console", EVERY_ALERT),
        ("telegram:1", Rules()),
        ("telegram:-2", FREE),
        ("webhook", EVERY_ALERT),
    ]
