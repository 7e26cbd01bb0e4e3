"""What can go wrong on the way, as python-telegram-bot sees it."""

from collections.abc import AsyncIterator

import pytest
from telegram import Bot
from telegram.error import NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import HTTPXRequest

from liqwatch.simulator.bot_api import TOKEN, BotApi
from liqwatch.simulator.bot_api.faults import (
    Fault,
    bad_gateway,
    deliver_then_drop,
    deliver_then_hang,
    drop,
    flood,
    hang,
    late,
    refuse,
)

CHAT = 7


@pytest.fixture(autouse=True)
def _durations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")  # as the library will have it in future


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi(CHAT) as api:
        yield api


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    request = HTTPXRequest(http_version="1.1", read_timeout=0.2, connect_timeout=1.0)
    async with Bot(TOKEN, api.base_url, request=request) as bot:
        yield bot


@pytest.mark.parametrize(
    ("fault", "kind", "delivered"),
    [
        (bad_gateway, NetworkError, 0),
        (refuse(500, "Internal Server Error"), NetworkError, 0),
        (flood(9), RetryAfter, 0),
        (drop, NetworkError, 0),
        (hang, TimedOut, 0),
        (deliver_then_drop, NetworkError, 1),
        (deliver_then_hang, TimedOut, 1),
        (late(0.5), TimedOut, 0),
    ],
)
async def test_each_fault_hits_one_request(
    api: BotApi, bot: Bot, fault: Fault, kind: type[TelegramError], delivered: int
) -> None:
    api.faults.append(fault)
    with pytest.raises(TelegramError) as failed:
        await bot.send_message(CHAT, "x")

    assert type(failed.value) is kind
    assert len(api.bubbles(CHAT)) == delivered
    assert (await bot.send_message(CHAT, "again")).text == "again"


async def test_an_outage_lasts_until_it_ends_and_may_be_of_one_method(
    api: BotApi, bot: Bot
) -> None:
    api.outage = bad_gateway
    for _ in range(3):
        with pytest.raises(NetworkError):
            await bot.get_me()
    api.outage, api.failing["sendMessage"] = None, bad_gateway
    assert (await bot.get_me()).is_bot
    with pytest.raises(NetworkError):
        await bot.send_message(CHAT, "x")


async def test_a_late_answer_is_a_right_one(api: BotApi, bot: Bot) -> None:
    api.faults.append(late(0.05))

    assert (await bot.send_message(CHAT, "x")).text == "x"


async def test_polls_are_no_victims_of_a_fault_meant_for_a_message(api: BotApi, bot: Bot) -> None:
    api.faults.append(bad_gateway)

    assert await bot.get_updates() == ()
    assert len(api.faults) == 1


async def test_for_a_time_nobody_listens_at_the_same_port(api: BotApi, bot: Bot) -> None:
    await bot.send_message(CHAT, "before")
    async with api.refusing():
        for _ in range(2):
            with pytest.raises(NetworkError):
                await bot.send_message(CHAT, "lost")

    await bot.send_message(CHAT, "after")
    assert api.texts(CHAT) == ["before", "after"]
