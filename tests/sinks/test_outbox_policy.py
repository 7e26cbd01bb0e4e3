"""What the policy decides is kept, carried out, and gone on with after a restart."""

from collections.abc import Iterator
from functools import partial

import pytest
from msgspec.structs import replace
from recorder import Recorder, delivered, outbox_of, running
from sample_alerts import APPROACHED, ENDED, STALLED, START_MS, STARTED

from liqwatch.alerting import policy
from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.message import escalated, group, timeline
from liqwatch.alerting.rules import EVERY_ALERT, Budget, Route, Rules
from liqwatch.alerting.silences import Silence
from liqwatch.alerts import Severity
from liqwatch.samples import GROUP, MARKET_ENDED, MARKET_STALLED, MARKET_STARTED, RUNNING
from liqwatch.sinks.base import TopicsBy, Undeliverable
from liqwatch.store import Database

HOUR_MS = 3_600_000
BLOCKED = Undeliverable("Forbidden: bot was blocked by the user", receiver_gone=True)


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database(None)
    yield database
    database.close()


def recorder(rules: Rules, receiver: str = "telegram:1") -> Recorder:
    sink = Recorder()
    sink.rules, sink.receiver = rules, receiver
    return sink


def fates(database: Database, receiver: str = "telegram:1") -> list[tuple[str, str]]:
    rows = "SELECT role, state FROM deliveries WHERE receiver = ? ORDER BY number"
    return database.read(rows, receiver)


async def test_each_receiver_has_its_own_rules(database: Database) -> None:
    loud = recorder(EVERY_ALERT)
    calm = recorder(replace(EVERY_ALERT, info=Route.OFF), "telegram:2")
    digest = recorder(replace(EVERY_ALERT, info=Route.DIGEST), "telegram:3")
    outbox = outbox_of(loud, calm, digest, database=database)
    outbox.put([APPROACHED])
    await delivered(outbox)

    assert [len(sink.got) for sink in (loud, calm, digest)] == [1, 0, 0]
    assert fates(database, "telegram:2") == [("off", "off")]
    assert fates(database, "telegram:3") == [("held", "held")]


async def test_what_was_held_comes_in_a_summary_also_after_a_restart(database: Database) -> None:
    sink = recorder(replace(EVERY_ALERT, info=Route.DIGEST))
    outbox_of(sink, database=database).put([APPROACHED])
    outbox = outbox_of(sink, database=database)
    outbox.pass_time(APPROACHED.time + 2 * HOUR_MS)
    await delivered(outbox)

    assert sink.summary() == ["send Digest"]
    assert fates(database) == [("held", "held"), ("alone", "sent")]


async def test_a_running_cascade_edits_its_message_and_is_told_again_when_it_grows(
    database: Database,
) -> None:
    sink = recorder(EVERY_ALERT)
    outbox = outbox_of(sink, database=database)
    later = partial(replace, RUNNING)
    async with running(outbox):
        outbox.put([STARTED])
        assert await outbox.drain(5.0)
        outbox.follow([RUNNING])
        assert await outbox.drain(5.0)
        doubled = later(time=START_MS + 300_000, forced_usd_total=200e6)
        outbox.follow([doubled])
        assert await outbox.drain(5.0)

    assert sink.got[1].text.plain() == timeline([STARTED], RUNNING).plain()
    assert sink.got[1].edit is not None
    assert sink.got[2].text.plain() == escalated(doubled).plain()
    assert sink.got[2].reply_to == 1
    assert fates(database) == [("root", "sent")]


async def test_a_cascade_that_nothing_was_said_of_is_not_followed(database: Database) -> None:
    outbox = outbox_of(recorder(EVERY_ALERT), database=database)
    outbox.follow([RUNNING])

    assert outbox.pending == 0


async def test_coins_that_cascade_together_are_one_message_that_knows_them_all(
    database: Database,
) -> None:
    sink = recorder(Rules(budget=Budget(per_symbol_hour=None, info_hour=None)))
    coins = [
        replace(STARTED, id=coin, symbol=coin, episode=f"{coin}-up-1", time=START_MS + number)
        for number, coin in enumerate(("BTC", "ETH", "SOL", "XRP"))
    ]
    outbox = outbox_of(sink, database=database)
    async with running(outbox):
        for coin in coins:
            outbox.put([coin])
            assert await outbox.drain(5.0)

        assert sink.got[-1].text.plain() == group(coins).plain()
        told_so_far = len(sink.got)
        for seconds in (60, 120):  # numbers of one coin change nothing in the message of all
            time_ms = START_MS + 1000 * seconds
            outbox.follow([replace(RUNNING, episode="XRP-up-1", symbol="XRP", time=time_ms)])
            assert await outbox.drain(5.0)

    assert len(sink.got) == told_so_far
    told = database.read("SELECT story FROM messages WHERE story LIKE 'market:%'")
    assert len(told) == 1
    assert len(sink.got) < 2 * len(coins)


@pytest.mark.parametrize(("group_after", "key"), [(2, "market:start-SOL"), (None, "MARKET-up-1")])
async def test_the_story_of_the_market_is_one_message_from_its_start_to_its_end(
    database: Database, group_after: int | None, key: str
) -> None:
    sink = recorder(Rules(group_after=group_after))
    sink.topics = TopicsBy.SYMBOL
    outbox = outbox_of(sink, database=database)
    ends = [
        replace(ENDED, id=f"{one.id}-end", symbol=one.symbol, episode=one.episode) for one in GROUP
    ]
    async with running(outbox):
        for together in ([GROUP[0]], [GROUP[1]], [GROUP[2], MARKET_STARTED], [MARKET_STALLED]):
            outbox.put(together)
            assert await outbox.drain(5.0)
        outbox.put([*ends, MARKET_ENDED])
        assert await outbox.drain(5.0)

    root = 1 + [one.key for one in sink.got].index(key)
    of_market = [one for one in sink.got if one.key == key or one.reply_to == root]
    sent = [one for one in of_market if one.edit is None]
    assert [one.alert.id for one in sent if one.alert] == [
        "start-SOL" if group_after else "market-start",
        "market-stall",
        "market-end",
    ]
    assert {one.topic for one in of_market} == {"MARKET"}
    alone = (MARKET_STARTED, MARKET_STALLED, MARKET_ENDED)
    text = group([*GROUP, *alone[:2], *ends, alone[2]]) if group_after else timeline(alone)
    assert of_market[-1].text.plain() == text.plain()


async def test_a_mute_is_kept_over_a_restart(database: Database) -> None:
    sink = recorder(EVERY_ALERT)
    silence = Silence(who="me", symbol="BTC", since_ms=START_MS, until_ms=START_MS + HOUR_MS)
    outbox_of(sink, database=database).change("telegram:1", partial(policy.mute, silence=silence))
    outbox = outbox_of(sink, database=database)
    outbox.put([STARTED])
    await delivered(outbox)

    assert policy.silences(outbox.desk("telegram:1"), START_MS) == [silence]
    assert sink.got == []


def test_what_another_liqwatch_knew_of_a_receiver_stops_nothing(database: Database) -> None:
    database.write(
        lambda db: db.execute("INSERT INTO desks VALUES ('telegram:1', '{\"stories\": 7}')")
    )
    outbox = outbox_of(recorder(EVERY_ALERT), database=database)
    outbox.put([STARTED])

    assert outbox.pending == 1


async def test_who_blocked_us_is_told_to_somebody_else_and_may_come_back(
    database: Database,
) -> None:
    admin, gone = recorder(EVERY_ALERT, "telegram:1"), recorder(EVERY_ALERT, "telegram:2")
    gone.errors = [BLOCKED]
    outbox = outbox_of(admin, gone, database=database)
    async with running(outbox):
        outbox.put([STARTED])
        assert await outbox.drain(5.0)
        said = admin.got[-1].text.plain()
        assert outbox.trouble() == "recorder: Forbidden: bot was blocked by the user"
        outbox.revive("telegram:2")
        outbox.put([STALLED])
        assert await outbox.drain(5.0)

    assert said.startswith("Alerts to telegram:2 are no longer sent: Forbidden")
    assert gone.summary() == ["send stall"]
    assert outbox.trouble() is None


async def test_what_is_old_enough_is_forgotten(database: Database) -> None:
    sink = recorder(EVERY_ALERT)
    outbox = outbox_of(sink, database=database)
    outbox.put([STARTED])
    await delivered(outbox)
    outbox.pass_time(START_MS + 89 * 24 * HOUR_MS)
    assert len(fates(database)) == 1
    outbox.pass_time(START_MS + 91 * 24 * HOUR_MS)

    assert fates(database) == []
    assert database.read("SELECT id FROM alerts") == []


async def test_a_plain_receiver_gets_every_alert_and_no_edits(database: Database) -> None:
    sink = Recorder(ReceiverKind.PLAIN)
    outbox = outbox_of(sink, database=database)
    outbox.put([STARTED, STALLED, replace(ENDED, severity=Severity.INFO)])
    outbox.follow([RUNNING])
    await delivered(outbox)

    assert sink.summary() == ["send start", "send stall", "send end"]
