"""getUpdates of the simulated Bot API: long polling, offsets, one poller at a time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from telegram import Bot
from telegram.error import Conflict

from liqwatch.simulator.bot_api import TOKEN, BotApi

CHAT = 7


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi(CHAT) as api:
        yield api


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, api.base_url) as bot:
        yield bot


async def polls(api: BotApi, count: int) -> None:
    async with asyncio.timeout(2.0):
        while len(api.sent("getUpdates")) < count:  # noqa: ASYNC110 - of others' calls
            await asyncio.sleep(0.005)


async def test_a_poll_ends_as_soon_as_somebody_writes(api: BotApi, bot: Bot) -> None:
    poll = asyncio.ensure_future(bot.get_updates(timeout=5))
    await polls(api, 1)
    assert not poll.done()
    api.says(CHAT, CHAT, "hello")
    (update,) = await asyncio.wait_for(poll, 1.0)

    assert update.message is not None
    assert update.message.text == "hello"


async def test_a_poll_that_hears_nothing_ends_empty_when_its_time_is_up(bot: Bot) -> None:
    begun_s = asyncio.get_running_loop().time()

    assert await bot.get_updates(timeout=1) == ()
    assert 0.9 < asyncio.get_running_loop().time() - begun_s < 2.0


async def test_updates_come_again_until_they_are_confirmed(api: BotApi, bot: Bot) -> None:
    for word in ("a", "b", "c"):
        api.says(CHAT, CHAT, word)

    assert [one.update_id for one in await bot.get_updates()] == [1, 2, 3]
    assert [one.update_id for one in await bot.get_updates(limit=2)] == [1, 2]
    assert [one.update_id for one in await bot.get_updates(offset=2)] == [2, 3]
    assert [one.update_id for one in await bot.get_updates(offset=-1)] == [3]
    assert [one.update_id for one in await bot.get_updates()] == [3]
    assert await bot.get_updates(offset=4) == ()


async def test_only_what_was_asked_for_is_kept_from_then_on(api: BotApi, bot: Bot) -> None:
    api.says(CHAT, CHAT, "before")
    await bot.get_updates(allowed_updates=["callback_query"])
    api.says(CHAT, CHAT, "after")
    kept = await bot.get_updates()

    assert [one.message.text for one in kept if one.message] == ["before"]


async def test_of_two_pollers_the_first_is_ended(api: BotApi, bot: Bot) -> None:
    first = asyncio.ensure_future(bot.get_updates(timeout=5))
    await polls(api, 1)
    async with Bot(TOKEN, api.base_url) as other:
        second = asyncio.ensure_future(other.get_updates(timeout=5))
        with pytest.raises(Conflict) as conflict:
            await first
        api.says(CHAT, CHAT, "hello")
        heard = await second

    assert conflict.value.message == (
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is"
        " running"
    )
    assert len(heard) == 1
