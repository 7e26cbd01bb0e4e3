"""The real python-telegram-bot against a strict fake of the Bot API, over loopback."""

import asyncio
import io
import logging
import sys
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from fake_bot_api import (
    TOKEN,
    FakeBotApi,
    Fault,
    bad_gateway,
    deliver_then_drop,
    deliver_then_hang,
    flood,
    refuse,
)
from fake_time import FakeTime
from msgspec.structs import replace
from sample_alerts import ENDED, STALLED, START_MS, STARTED, STORY

from liqwatch import log
from liqwatch.alerting.message import Text, possible_duplicate, render, timeline
from liqwatch.alerting.rules import EVERY_ALERT
from liqwatch.secret import Secret
from liqwatch.simulator.bot_api.refusals import blocked
from liqwatch.sinks.base import (
    Delivery,
    DeliveryError,
    OutcomeUnknown,
    RetryLater,
    Undeliverable,
)
from liqwatch.sinks.outbox import Outbox
from liqwatch.sinks.telegram import ChatSettings
from liqwatch.sinks.telegram.connection import Connection
from liqwatch.sinks.telegram.sender import TelegramSink
from liqwatch.sinks.timing import Timing
from liqwatch.store import Database, MovedChats, Shown, Topics

CHAT, GROUP, SUPERGROUP = 7, -5, -1005


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi(CHAT, GROUP, SUPERGROUP) as api:
        yield api
        assert api.complaints == []


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database(None)
    yield database
    database.close()


class Chat:
    """A sink to one chat, closed at the end of the test."""

    def __init__(self, api: FakeBotApi, database: Database, chat: int, token: str = TOKEN) -> None:
        self.time = FakeTime()
        self.database = database
        connection = Connection(
            Secret(token), api.base_url, monotonic=self.time.monotonic, read_timeout_s=0.2
        )
        settings = ChatSettings(chat=chat, rules=EVERY_ALERT)
        self.sink = TelegramSink(settings, connection, MovedChats(database), Topics(database))

    def outbox(self) -> Outbox:
        return Outbox(self.database, [self.sink], timing=self.timing())

    def timing(self) -> Timing:
        return Timing(
            now_ms=lambda: START_MS,
            monotonic=self.time.monotonic,
            wall_s=self.time.monotonic,
            sleep=self.time.sleep,
            random=lambda: 0.5,
        )


@pytest.fixture
async def chat(api: FakeBotApi, database: Database) -> AsyncIterator[Chat]:
    chat = Chat(api, database, CHAT)
    yield chat
    await chat.sink.close()


START = Delivery(alert=STARTED, key="BTC-up-1", text=render(STARTED))


async def failure(sink: TelegramSink, delivery: Delivery = START) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        await sink.send(delivery)
    return failed.value


@asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[Outbox]:
    task = asyncio.ensure_future(outbox.run())
    try:
        yield outbox
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_story_is_one_message_with_replies(api: FakeBotApi, chat: Chat) -> None:
    async with running(chat.outbox()) as outbox:
        outbox.put([STARTED])
        assert await outbox.drain(5.0)
        assert api.texts(CHAT) == [render(STARTED).plain()]
        outbox.put([STALLED])
        outbox.put([ENDED])
        assert await outbox.drain(5.0)

    root, stalled, ended = api.messages[CHAT].values()
    assert root["text"] == timeline([STARTED, STALLED, ENDED]).plain()
    assert [stalled["text"], ended["text"]] == [
        render(STALLED).plain(),
        render(ENDED).plain(),
    ]
    assert {reply["reply_to_message"]["message_id"] for reply in (stalled, ended)} == {1}


async def test_only_what_is_not_info_makes_a_sound(api: FakeBotApi, chat: Chat) -> None:
    async with running(chat.outbox()) as outbox:
        outbox.put([STARTED, STALLED, ENDED])
        assert await outbox.drain(5.0)

    assert [call.get("disable_notification", False) for call in api.sent()] == [False, False, True]


async def test_links_get_no_preview_and_a_lost_message_no_reply_error(
    api: FakeBotApi, chat: Chat
) -> None:
    message_id = await chat.sink.send(replace(START, reply_to=999))

    assert message_id == Shown(1)
    assert api.sent()[0]["link_preview_options"] == {"is_disabled": True}
    assert api.sent()[0]["reply_parameters"]["allow_sending_without_reply"] is True


async def test_after_a_restart_the_same_message_goes_on(api: FakeBotApi, tmp_path: Path) -> None:
    for alerts in ([STARTED], [STALLED], [ENDED]):
        database = Database(tmp_path / "liqwatch.db")
        async with running(Chat(api, database, CHAT).outbox()) as outbox:
            outbox.put(alerts)
            assert await outbox.drain(5.0)
        database.close()

    assert api.texts(CHAT)[0] == timeline([STARTED, STALLED, ENDED]).plain()
    assert len(api.messages[CHAT]) == 3


async def test_hostile_names_arrive_as_they_are(api: FakeBotApi, chat: Chat) -> None:
    hostile = replace(STARTED, symbol="<i>&amp;</b>")
    await chat.sink.send(Delivery(alert=hostile, text=render(hostile)))

    assert api.texts(CHAT) == [render(hostile).plain()]
    assert len(api.sent()) == 1


async def test_an_edit_that_changes_nothing_is_a_success(api: FakeBotApi, chat: Chat) -> None:
    message_id = await chat.sink.send(START)
    edited = await chat.sink.send(replace(START, edit=message_id))

    assert edited == message_id
    assert len(api.messages[CHAT]) == 1


async def test_an_edit_of_a_vanished_message_is_sent_anew_and_silently(
    api: FakeBotApi, chat: Chat
) -> None:
    assert await chat.sink.send(replace(START, silent=True, edit=Shown(999))) == Shown(1)
    assert api.texts(CHAT) == [START.text.plain()]
    assert api.sent()[0]["disable_notification"] is True


async def test_refused_markup_goes_out_as_plain_text(api: FakeBotApi, chat: Chat) -> None:
    api.faults.append(refuse(400, "Bad Request: can't parse entities: unsupported start tag"))

    assert await chat.sink.send(START) == Shown(1)
    assert api.texts(CHAT) == [START.text.plain()]
    assert [call.get("parse_mode") for call in api.sent()] == ["HTML", None]


async def test_what_is_refused_as_plain_text_too_is_given_up(chat: Chat) -> None:
    error = await failure(chat.sink, Delivery(alert=STARTED, text=Text("")))

    assert isinstance(error, Undeliverable)
    assert not error.receiver_gone
    assert "Message text is empty" in error.reason


async def test_a_flood_limit_is_obeyed_exactly(api: FakeBotApi, chat: Chat) -> None:
    api.faults.append(flood(17))
    async with running(chat.outbox()) as outbox:
        outbox.put([STARTED])
        assert await outbox.drain(5.0)

    assert api.texts(CHAT) == [render(STARTED).plain()]
    assert chat.time.waits_s == [17.0]


async def test_a_flood_limit_of_one_chat_holds_up_no_other(
    api: FakeBotApi, database: Database
) -> None:
    limited, free = Chat(api, database, CHAT), Chat(api, database, SUPERGROUP)
    outbox = Outbox(database, [limited.sink, free.sink], timing=Timing(now_ms=lambda: START_MS))
    api.faults.append(flood(1000))
    async with running(outbox):
        outbox.put([STARTED])
        assert not await outbox.drain(0.1)

    assert (api.texts(CHAT), api.texts(SUPERGROUP)) == ([], [START.text.plain()])
    assert len(api.sent()) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (bad_gateway, RetryLater),
        (refuse(500, "Internal Server Error"), RetryLater),
        (deliver_then_drop, OutcomeUnknown),
        (deliver_then_hang, OutcomeUnknown),
        (refuse(403, "Forbidden: bot was kicked from the group chat"), Undeliverable),
        (refuse(401, "Unauthorized"), RetryLater),
        (refuse(404, "Not Found"), RetryLater),
    ],
)
async def test_each_fault_has_its_meaning(
    api: FakeBotApi, chat: Chat, fault: Fault, kind: type[DeliveryError]
) -> None:
    api.faults.append(fault)

    assert type(await failure(chat.sink)) is kind


@pytest.mark.parametrize("fault", [deliver_then_drop, deliver_then_hang])
async def test_an_edit_can_always_be_repeated(api: FakeBotApi, chat: Chat, fault: Fault) -> None:
    message_id = await chat.sink.send(START)
    api.faults.append(fault)
    error = await failure(chat.sink, Delivery(alert=STARTED, text=Text("new"), edit=message_id))

    assert isinstance(error, RetryLater)


async def test_nobody_listening_is_surely_not_sent(api: FakeBotApi, database: Database) -> None:
    api.base_url = "http://127.0.0.1:9/bot"  # discard: nothing listens here
    sink = Chat(api, database, CHAT).sink

    assert isinstance(await failure(sink), RetryLater)
    await sink.close()


@pytest.mark.parametrize("fault", [deliver_then_drop, deliver_then_hang])
async def test_an_unknown_outcome_gives_at_most_one_more_copy_and_it_is_marked(
    api: FakeBotApi, chat: Chat, fault: Fault
) -> None:
    api.faults += [fault, bad_gateway]  # the second one meets the question whether Telegram is back
    async with running(chat.outbox()) as outbox:
        outbox.put([STARTED])
        assert await outbox.drain(5.0)

    first, second = api.texts(CHAT)
    assert first == START.text.plain()
    assert second == possible_duplicate(START.text).plain()
    assert [method for method, _ in api.calls] == [
        "sendMessage",
        "getMe",
        "getMe",
        "sendMessage",
    ]


async def test_there_is_never_a_third_copy(api: FakeBotApi, chat: Chat) -> None:
    api.faults.append(deliver_then_drop)
    async with running(chat.outbox()) as outbox:
        outbox.put([STARTED])
        await api.calls_reach(2)  # the question, answered without fault
        api.faults.append(deliver_then_drop)
        assert await outbox.drain(5.0)

    assert len(api.texts(CHAT)) == 2


async def test_an_outage_loses_nothing_and_keeps_the_order(api: FakeBotApi, chat: Chat) -> None:
    api.faults += [bad_gateway] * 12
    async with running(chat.outbox()) as outbox:
        outbox.put(STORY)
        assert await outbox.drain(5.0)

    told = [timeline(STORY), *(render(alert) for alert in STORY[1:])]
    assert api.texts(CHAT) == [text.plain() for text in told]
    assert max(chat.time.waits_s) <= 60.0


async def test_a_chat_that_blocked_us_is_asked_once(api: FakeBotApi, chat: Chat) -> None:
    api.chats[CHAT].refusal = blocked()
    with structlog.testing.capture_logs() as logs:
        async with running(chat.outbox()) as outbox:
            outbox.put([STARTED, STALLED])
            assert await outbox.drain(5.0)
            outbox.put([ENDED])
            assert await outbox.drain(5.0)

    assert len(api.calls) == 1
    assert len(logs) == 1
    assert "blocked by the user" in logs[0]["reason"]
    assert chat.outbox().pending == 0


async def test_an_unknown_chat_is_given_up(api: FakeBotApi, database: Database) -> None:
    sink = Chat(api, database, 404).sink
    error = await failure(sink)
    await sink.close()

    assert isinstance(error, Undeliverable)
    assert error.receiver_gone


async def test_a_refused_token_never_spins_and_is_said_once(
    api: FakeBotApi, database: Database
) -> None:
    chat = Chat(api, database, CHAT, token="987654321:AAwrongwrongwrongwrongwrong")  # noqa: S106 - no secret
    with structlog.testing.capture_logs() as logs:
        async with running(chat.outbox()) as outbox:
            outbox.put([STARTED])
            await api.calls_reach(4)

    assert set(chat.time.waits_s) == {300.0}
    assert len(logs) == 1
    assert "token" in logs[0]["reason"]
    assert outbox.pending == 1


async def test_a_group_that_moved_is_followed_and_remembered(
    api: FakeBotApi, database: Database
) -> None:
    api.moves(GROUP, SUPERGROUP)
    for alerts in ([STARTED], [STALLED]):
        async with running(Chat(api, database, GROUP).outbox()) as outbox:
            outbox.put(alerts)
            assert await outbox.drain(5.0)

    assert len(api.messages[SUPERGROUP]) == 2
    assert [call["chat_id"] for call in api.sent()] == [GROUP, SUPERGROUP, SUPERGROUP]


async def test_edits_in_a_group_are_rarer_than_in_a_chat(
    api: FakeBotApi, database: Database
) -> None:
    chats = [Chat(api, database, number) for number in (CHAT, GROUP)]
    for chat in chats:
        await chat.sink.close()

    assert [chat.sink.edit_gap_s for chat in chats] == [3.0, 10.0]


async def test_our_own_limits_ask_to_wait_before_telegram_does(chat: Chat) -> None:
    await chat.sink.send(START)

    assert chat.sink.wait_s(urgent=False) == 1.0


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    handlers, level, lines = logging.root.handlers[:], logging.root.level, io.StringIO()
    before = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "telegram")}
    log.configure("DEBUG", lines)
    yield lines
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    sys.excepthook = sys.__excepthook__
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    for name, was in before.items():
        logging.getLogger(name).setLevel(was)


async def test_the_token_is_in_no_log_error_or_repr(
    api: FakeBotApi, database: Database, log_lines: io.StringIO
) -> None:
    chat = Chat(api, database, CHAT)
    echo = refuse(403, f"Forbidden: /bot{TOKEN}/sendMessage")
    faults = (bad_gateway, deliver_then_drop, refuse(401, f"no {TOKEN}"), flood(3), echo)
    errors = []
    for fault in faults:
        api.faults.append(fault)
        errors.append(await failure(chat.sink))
    api.faults += faults
    async with running(chat.outbox()) as outbox:
        outbox.put(STORY)
        assert await outbox.drain(5.0)
    shown = [f"{e} {e!r} {''.join(traceback.format_exception(e))}" for e in errors]

    assert "delivery fails" in log_lines.getvalue()
    for text in (log_lines.getvalue(), *shown, repr(chat.sink), repr(vars(chat)), repr(outbox)):
        assert TOKEN not in text
        assert TOKEN.partition(":")[2] not in text
