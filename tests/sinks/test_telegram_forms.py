"""Pictures, topics, buttons, the pinned status, several chats: through the real library."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from fake_bot_api import TOKEN, FakeBotApi, flood, refuse, small_png
from fake_time import FakeTime
from msgspec.structs import replace
from sample_alerts import APPROACHED, ENDED, STALLED, START_MS, STARTED
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from liqwatch.alerting.message import Text, render, timeline
from liqwatch.alerting.rules import EVERY_ALERT, Route
from liqwatch.alerts import Alert
from liqwatch.secret import Secret
from liqwatch.sinks.base import Delivery, TopicsBy
from liqwatch.sinks.outbox import Outbox
from liqwatch.sinks.telegram import ChatSettings
from liqwatch.sinks.telegram.connection import Connection
from liqwatch.sinks.telegram.sender import TelegramSink
from liqwatch.sinks.timing import Timing
from liqwatch.store import Database, Deliveries, MovedChats, Shown, Topics

CHAT, OTHER, FORUM = 7, 8, -1005
PNG = small_png()

Draw = Callable[[Alert], Awaitable[bytes | None]]


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi(CHAT, OTHER, forums=(FORUM,)) as api:
        yield api
        assert api.complaints == []


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database(None)
    yield database
    database.close()


class Daemon:
    """An outbox over the chats of one bot, in time that passes only when waited for."""

    def __init__(
        self,
        api: FakeBotApi,
        database: Database,
        *chats: ChatSettings,
        draw: Draw | None = None,
        status: Callable[[str], str] | None = None,
    ) -> None:
        self.time = FakeTime()
        connection = Connection(Secret(TOKEN), api.base_url, monotonic=self.time.monotonic)
        moved, topics = MovedChats(database), Topics(database)
        self.sinks = [TelegramSink(chat, connection, moved, topics) for chat in chats]
        timing = Timing(
            now_ms=lambda: START_MS,
            monotonic=self.time.monotonic,
            wall_s=self.time.monotonic,
            sleep=self.time.sleep,
            random=lambda: 0.5,
        )
        self.outbox = Outbox(database, self.sinks, timing=timing, draw=draw, status=status)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Outbox]:
        task = asyncio.ensure_future(self.outbox.run())
        try:
            yield self.outbox
        finally:
            task.cancel()
            await asyncio.wait([task])


def settings(chat: int = CHAT, **manner: object) -> ChatSettings:
    return ChatSettings(chat=chat, rules=EVERY_ALERT, **manner)  # type: ignore[arg-type]  # as named


async def settled(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5.0):
        while not done():  # noqa: ASYNC110 - what happens in the fake rings no bell
            await asyncio.sleep(0.005)


async def drawn(_: Alert) -> bytes | None:
    await asyncio.sleep(0.01)
    return PNG


def long_words(*_: object) -> Text:
    return Text("\n".join(f"line {number} of a long message" for number in range(60)))


# -- pictures --------------------------------------------------------------------------------------


async def test_text_comes_at_once_and_becomes_the_caption_of_its_picture(
    api: FakeBotApi, database: Database
) -> None:
    daemon = Daemon(api, database, settings(), draw=drawn)
    async with daemon.running() as outbox:
        outbox.put([STARTED])
        await settled(lambda: "photo" in api.messages[CHAT].get(1, {}))
        assert api.calls[0][0] == "sendMessage"
        outbox.put([STALLED])
        await settled(lambda: len(api.sent("editMessageMedia")) == 2)
        await outbox.drain(5.0)
        outbox.put([replace(ENDED, id="quick")])

    assert len(api.messages[CHAT]) == 2
    assert api.texts(CHAT)[0] == timeline([STARTED, STALLED]).plain()


async def test_after_a_restart_the_same_photo_goes_on(api: FakeBotApi, database: Database) -> None:
    first = Daemon(api, database, settings(), draw=drawn)
    async with first.running() as outbox:
        outbox.put([STARTED])
        await settled(lambda: "photo" in api.messages[CHAT].get(1, {}))
        await outbox.drain(5.0)
    second = Daemon(api, database, settings())
    async with second.running() as outbox:
        outbox.put([STALLED])
        assert await outbox.drain(5.0)

    assert len(api.sent("editMessageCaption")) == 1
    assert api.texts(CHAT)[0] == timeline([STARTED, STALLED]).plain()


async def test_a_picture_that_fails_costs_nothing_but_itself(
    api: FakeBotApi, database: Database
) -> None:
    async def fails(_: Alert) -> bytes | None:
        raise RuntimeError

    daemon = Daemon(api, database, settings(), draw=fails)
    async with daemon.running() as outbox:
        for alert in (STARTED, STALLED):
            outbox.put([alert])
            assert await outbox.drain(5.0)

    assert [method for method, _ in api.calls] == ["sendMessage", "sendMessage", "editMessageText"]


async def test_a_picture_that_cannot_be_part_of_its_message_hangs_under_it(
    api: FakeBotApi, database: Database
) -> None:
    api.failing["editMessageMedia"] = refuse(400, "Bad Request: MEDIA_INVALID")
    daemon = Daemon(api, database, settings(), draw=drawn)
    async with daemon.running() as outbox:
        outbox.put([STARTED])
        await settled(lambda: len(api.messages[CHAT]) == 2)
        await outbox.drain(5.0)
        outbox.put([STALLED])
        assert await outbox.drain(5.0)

    root, picture, reply = api.messages[CHAT].values()
    assert root["text"] == timeline([STARTED, STALLED]).plain()
    assert picture["reply_to_message"]["message_id"] == 1
    assert ["photo" in message for message in (root, picture, reply)] == [False, True, False]
    assert len(api.sent("sendPhoto")) == 1


async def test_a_text_too_long_for_a_caption_stays_text(
    api: FakeBotApi, database: Database
) -> None:
    (sink,) = Daemon(api, database, settings()).sinks
    long = Delivery(text=long_words(), alert=STARTED, key="BTC-up-1")
    shown = await sink.send(long)
    beneath = await sink.send(replace(long, edit=shown, picture=PNG))
    again = await sink.send(replace(long, edit=beneath, text=Text("short")))
    await sink.close()

    assert [shown, beneath, again] == [Shown(1), Shown(1, 2), Shown(1, 2)]
    assert api.texts(CHAT) == ["short", ""]
    assert api.sent("sendPhoto")[0]["disable_notification"] is True


async def test_a_caption_that_grows_too_long_loses_what_weighs_least(
    api: FakeBotApi, database: Database
) -> None:
    (sink,) = Daemon(api, database, settings()).sinks
    start = Delivery(text=render(STARTED), alert=STARTED, key="BTC-up-1")
    photo = await sink.send(replace(start, edit=await sink.send(start), picture=PNG))
    await sink.send(replace(start, edit=photo, text=long_words()))
    await sink.close()

    assert photo == Shown(1, 1)
    assert api.texts(CHAT) == [long_words().fitted(1024).plain()]


# -- topics ----------------------------------------------------------------------------------------


async def test_each_coin_has_its_topic_made_once(api: FakeBotApi, database: Database) -> None:
    for alerts in ([STARTED], [STALLED], [replace(APPROACHED, symbol="ETH")]):
        daemon = Daemon(api, database, settings(FORUM, topics=TopicsBy.SYMBOL))
        async with daemon.running() as outbox:
            outbox.put(alerts)
            assert await outbox.drain(5.0)

    assert api.chats[FORUM].topics == {1: "BTC", 4: "ETH"}
    assert [call["message_thread_id"] for call in api.sent()] == [1, 1, 4]


async def test_a_story_stays_in_the_topic_of_its_beginning(
    api: FakeBotApi, database: Database
) -> None:
    daemon = Daemon(api, database, settings(FORUM, topics=TopicsBy.SEVERITY))
    async with daemon.running() as outbox:
        outbox.put([STARTED, ENDED])
        assert await outbox.drain(5.0)

    assert api.chats[FORUM].topics == {1: "Critical"}
    assert [call["message_thread_id"] for call in api.sent()] == [1, 1]


async def test_where_no_topic_may_be_made_messages_go_to_the_general_one(
    api: FakeBotApi, database: Database
) -> None:
    api.chats[FORUM].member = {"status": "member"}
    daemon = Daemon(api, database, settings(FORUM, topics=TopicsBy.SYMBOL))
    async with daemon.running() as outbox:
        outbox.put([STARTED, replace(APPROACHED, symbol="ETH")])
        assert await outbox.drain(5.0)

    assert len(api.messages[FORUM]) == 2
    assert len(api.sent("createForumTopic")) == 1


async def test_a_topic_that_was_deleted_is_left_alone(api: FakeBotApi, database: Database) -> None:
    daemon = Daemon(api, database, settings(FORUM, topics=TopicsBy.SYMBOL))
    async with daemon.running() as outbox:
        outbox.put([STARTED])
        assert await outbox.drain(5.0)
        api.chats[FORUM].topics.clear()
        outbox.put([STALLED])
        assert await outbox.drain(5.0)
        outbox.put([ENDED])
        assert await outbox.drain(5.0)

    assert len(api.messages[FORUM]) == 3
    assert api.chats[FORUM].topics == {}
    assert [call.get("parse_mode") for call in api.sent()] == ["HTML"] * 4


# -- the pinned status -----------------------------------------------------------------------------


async def test_the_status_is_pinned_once_and_edited_each_minute(
    api: FakeBotApi, database: Database
) -> None:
    said: list[float] = []

    def status(language: str) -> str:
        said.append(daemon.time.now_s)
        return f"{language} {min(len(said), 4)}"

    daemon = Daemon(api, database, settings(), status=status)
    async with daemon.running():
        await settled(lambda: len(api.sent("editMessageText")) == 3)
    gaps_s = [later - sooner for sooner, later in pairwise(said[:4])]
    daemon = Daemon(api, database, settings(), status=status)
    async with daemon.running():
        await settled(lambda: len(api.sent("editMessageText")) == 4)

    assert gaps_s == [60.0] * 3
    assert api.chats[CHAT].pinned == [1]
    assert api.sent()[0]["disable_notification"] is True
    assert len(api.messages[CHAT]) == 1


async def test_where_the_bot_may_not_pin_there_is_no_status(
    api: FakeBotApi, database: Database
) -> None:
    daemon = Daemon(api, database, settings(FORUM), status=lambda _: "fine")
    async with daemon.running() as outbox:
        await api.calls_reach(3)
        outbox.put([STARTED])
        assert await outbox.drain(5.0)

    assert len(api.messages[FORUM]) == 1
    assert daemon.outbox.trouble() is None


# -- buttons and chats -----------------------------------------------------------------------------


class Bot:
    def __init__(self) -> None:
        self.bound: list[tuple[int, str, int]] = []

    def under(self, chat: int, key: str, alert: Alert) -> InlineKeyboardMarkup | None:
        if alert.symbol != "BTC":
            return None
        return InlineKeyboardMarkup.from_button(
            InlineKeyboardButton("Why?", callback_data=f"{chat}:{key}")
        )

    def sent(self, chat: int, key: str, message_id: int) -> None:
        self.bound.append((chat, key, message_id))


async def test_a_storys_message_has_buttons_and_keeps_them_when_it_changes(
    api: FakeBotApi, database: Database
) -> None:
    daemon = Daemon(api, database, settings())
    bot = daemon.sinks[0].buttons = Bot()
    async with daemon.running() as outbox:
        outbox.put([STARTED])
        assert await outbox.drain(5.0)
        outbox.put([STALLED, APPROACHED, replace(APPROACHED, id="eth", symbol="ETH")])
        assert await outbox.drain(5.0)

    calls = [parameters for _, parameters in api.calls]
    assert [call.get("reply_markup") is not None for call in calls] == [
        True,  # the story
        False,  # a reply
        True,  # an alert of its own
        False,  # of which the bot has nothing to ask
        True,  # the edit
    ]
    assert bot.bound == [(CHAT, "BTC-up-1", 1), (CHAT, "approach", 3)]


async def test_refused_buttons_cost_no_alert(api: FakeBotApi, database: Database) -> None:
    daemon = Daemon(api, database, settings())
    daemon.sinks[0].buttons = Bot()
    api.faults.append(refuse(400, "Bad Request: BUTTON_DATA_INVALID"))
    async with daemon.running() as outbox:
        outbox.put([STARTED])
        assert await outbox.drain(5.0)

    assert api.texts(CHAT) == [render(STARTED).plain()]
    assert [call.get("reply_markup") is not None for call in api.sent()] == [True, False]


async def test_chats_of_a_bot_share_its_limit_and_nothing_else(
    api: FakeBotApi, database: Database
) -> None:
    quiet = replace(EVERY_ALERT, info=Route.OFF)
    chats = [settings(CHAT), replace(settings(OTHER), rules=quiet)]
    daemon = Daemon(api, database, *chats)
    api.faults.append(flood(100))
    async with daemon.running() as outbox:
        outbox.put([STARTED, APPROACHED])
        assert await outbox.drain(5.0)

    assert (len(api.messages[CHAT]), len(api.messages[OTHER])) == (2, 1)
    rows = "SELECT alert, state FROM deliveries WHERE receiver = 'telegram:8' ORDER BY number"
    assert database.read(rows) == [("start", "sent"), ("approach", "off")]


async def test_a_long_freeze_outlives_a_restart(api: FakeBotApi, database: Database) -> None:
    api.faults.append(flood(3600))
    first = Daemon(api, database, settings())
    async with first.running() as outbox:
        outbox.put([STARTED])
        await api.calls_reach(1)
        await settled(lambda: bool(first.time.waits_s))
    second = Daemon(api, database, settings())
    second.time.now_s = first.time.now_s - sum(first.time.waits_s)
    async with second.running() as outbox:
        outbox.put([STALLED])
        assert await outbox.drain(5.0)

    assert Deliveries(database).shown("telegram:7", "BTC-up-1") is not None
