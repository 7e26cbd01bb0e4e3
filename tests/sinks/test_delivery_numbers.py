"""Floods, outages and long queues: what is promised of them, held with the real library."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from aiohttp import web
from fake_bot_api import TOKEN, FakeBotApi, bad_gateway
from fake_time import FakeTime
from msgspec.structs import replace
from sample_alerts import APPROACHED, START_MS, STARTED, STORY

from liqwatch.alerting.rules import EVERY_ALERT
from liqwatch.alerts import Alert
from liqwatch.secret import Secret
from liqwatch.simulator.bot_api import Limits
from liqwatch.simulator.bot_api.faults import Perform
from liqwatch.sinks.outbox import Outbox
from liqwatch.sinks.telegram import ChatSettings
from liqwatch.sinks.telegram.connection import Connection
from liqwatch.sinks.telegram.sender import TelegramSink
from liqwatch.sinks.timing import Timing
from liqwatch.store import Database, MovedChats, Topics

CHAT, GROUP = 7, -1005
OWN_STORIES = replace(EVERY_ALERT, group_after=None)


class StrictApi(FakeBotApi):
    """Keeps Telegram's limits, without bursts, in the time of those who call."""

    def __init__(self, *chats: int) -> None:
        self.time = FakeTime()
        now_s = lambda: self.time.monotonic()  # noqa: E731, PLW0108 - a test puts in another clock
        super().__init__(*chats, now_s=now_s)
        self.limits = self.bot.limits = Limits(burst=1)

    def down_until(self, until_s: float) -> None:
        async def down(request: web.Request, perform: Perform) -> web.StreamResponse:
            is_over = self.time.now_s >= until_s
            return await (perform() if is_over else bad_gateway(request, perform))

        self.outage = down


class Storm(Limits):
    """Has had enough at every other message, for up to 40 seconds."""

    def __init__(self, random: Random) -> None:
        super().__init__(burst=1)
        self._random = random

    def spend(self, chat: int, now_s: float) -> int | None:
        wait_s = super().spend(chat, now_s)
        if wait_s is None and self._random.random() < 0.5:
            return self.freeze(chat, self._random.randint(1, 40), now_s)
        return wait_s


@pytest.fixture
async def api() -> AsyncIterator[StrictApi]:
    async with StrictApi(CHAT, GROUP) as api:
        yield api
        assert api.complaints == []


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "db")
    yield database
    database.close()


def outbox_of(api: StrictApi, database: Database, chat: int, *, real_time: bool = False) -> Outbox:
    clock = api.time
    monotonic = time.monotonic if real_time else clock.monotonic
    connection = Connection(Secret(TOKEN), api.base_url, monotonic=monotonic)
    settings = ChatSettings(chat=chat, rules=OWN_STORIES)
    sink = TelegramSink(settings, connection, MovedChats(database), Topics(database))
    if real_time:
        return Outbox(database, [sink], timing=Timing(now_ms=lambda: START_MS))
    timing = Timing(
        now_ms=lambda: START_MS,
        monotonic=clock.monotonic,
        wall_s=clock.monotonic,
        sleep=clock.sleep,
        random=Random(1).random,
    )
    return Outbox(database, [sink], timing=timing)


@asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[Outbox]:
    task = asyncio.ensure_future(outbox.run())
    try:
        yield outbox
    finally:
        task.cancel()
        await asyncio.wait([task])


def stories(count: int) -> list[Alert]:
    coins = [f"C{number}X" for number in range(count)]
    return [
        replace(alert, id=f"{coin} {alert.id}", episode=f"{coin}-up", symbol=coin)
        for alert in STORY
        for coin in coins
    ]


def replies_in_order(api: StrictApi, chat: int, count: int) -> bool:
    """Whether each story is a root with its replies after it, in the order of what happened."""
    shown = api.messages[chat]
    roots = {number: one for number, one in shown.items() if "reply_to_message" not in one}
    turns: dict[int, list[str]] = {number: [] for number in roots}
    for one in shown.values():
        if "reply_to_message" in one:
            first = one["text"].partition("\n")[0]
            kinds = [kind for kind in ("STALLED", "RESUMED", "ENDED") if kind in first]
            turns[one["reply_to_message"]["message_id"]] += kinds
    return len(roots) == count and all(
        told == ["STALLED", "RESUMED", "ENDED"] for told in turns.values()
    )


@pytest.mark.parametrize("chat", [CHAT, GROUP])
async def test_in_steady_state_telegram_never_has_to_say_that_it_is_too_much(
    api: StrictApi, database: Database, chat: int
) -> None:
    outbox = outbox_of(api, database, chat)
    async with running(outbox):
        outbox.put(stories(12))
        assert await outbox.drain(20.0)

    assert api.limits.floods == 0
    assert replies_in_order(api, chat, 12)


async def test_a_storm_of_floods_loses_nothing_and_a_frozen_chat_is_left_alone(
    api: StrictApi, database: Database
) -> None:
    storm = api.bot.limits = Storm(Random(1))
    outbox = outbox_of(api, database, CHAT)
    async with running(outbox):
        outbox.put(stories(8))
        assert await outbox.drain(20.0)

    assert storm.floods > 10
    assert storm.unheeded == 0
    assert replies_in_order(api, CHAT, 8)


async def test_ten_minutes_without_telegram_lose_nothing(
    api: StrictApi, database: Database
) -> None:
    api.down_until(api.time.now_s + 600.0)
    outbox = outbox_of(api, database, GROUP)
    async with running(outbox):
        outbox.put(stories(8))
        assert await outbox.drain(20.0)

    assert replies_in_order(api, GROUP, 8)
    assert max(api.time.waits_s) <= 60.0
    assert api.limits.floods == 0


async def test_a_start_is_there_within_a_second_while_hundreds_wait(
    api: StrictApi, database: Database
) -> None:
    api.time.monotonic = time.monotonic  # type: ignore[method-assign]  # the limits in real time
    outbox = outbox_of(api, database, CHAT, real_time=True)
    async with running(outbox):
        outbox.put([replace(APPROACHED, id=str(number)) for number in range(500)])
        await api.calls_reach(1)
        await asyncio.sleep(0.3)
        begun_s = time.monotonic()
        outbox.put([STARTED])
        committed_s = time.monotonic() - begun_s
        await api.calls_reach(2)
        accepted_s = time.monotonic() - begun_s

    assert "CASCADE" in api.sent()[1]["text"]
    assert committed_s < 0.25
    assert accepted_s < 1.0
