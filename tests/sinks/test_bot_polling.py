"""How updates are fetched, whatever Telegram answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from inspect import isawaitable
from pathlib import Path

import pytest
from bot_chats import CONFLICT, ME, UNAUTHORIZED, Chats
from structlog.testing import capture_logs
from telegram import Update

from liqwatch.config import loads
from liqwatch.sinks.telegram.bot import pairing
from liqwatch.sinks.telegram.bot.pairing import Paired, PairingError, pair, settings_lines
from liqwatch.sinks.telegram.bot.polling import (
    AT_ONCE,
    CONFLICT_WAIT_S,
    MAX_BACKOFF_S,
    MOST_WORK,
    OFFSET_LASTS_MS,
    TOKEN_REFUSED_WAIT_S,
    Offset,
    Polling,
)
from liqwatch.store import Database

BAD_GATEWAY = (502, {"description": "Bad Gateway"})


class Waits(list[float]):
    """Sleeps that take no time, and are remembered."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0.001)


@asynccontextmanager
async def polling(
    people: Chats,
    take: Callable[[Update], object],
    *,
    database: Database | None = None,
    waits: Waits | None = None,
    now_ms: int | None = None,
) -> AsyncIterator[None]:
    async def hello() -> None:
        await people_bot.get_me()

    async def taking(update: Update) -> None:
        taken = take(update)
        if isawaitable(taken):
            await taken

    people_bot = people.connection().bot
    kept = database or Database(None)
    offset = Offset(kept, "1", _wall(kept) if now_ms is None else lambda: now_ms)
    one = Polling(
        people_bot,
        taking,
        offset,
        hello=hello,
        sleep=(Waits() if waits is None else waits).sleep,
        random=lambda: 0.5,
    )
    running = asyncio.create_task(one.run())
    try:
        yield
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if database is None:
            kept.close()


def _wall(database: Database) -> Callable[[], int]:
    kept = database.load_snapshot("telegram-updates-1")
    saved_at_ms = kept.saved_at_ms if kept else 0
    return lambda: saved_at_ms + 1000


async def test_nothing_is_done_twice_and_not_after_a_restart_either(tmp_path: Path) -> None:
    people, taken = Chats(), list[int]()

    def take(update: Update) -> None:
        taken.append(update.update_id)

    with closing(Database(tmp_path / "db")) as database:
        async with polling(people, take, database=database):
            for number in range(5):
                people.says(7, 7, f"/why {number}")
            await people.heard()
    told_again = [{"update_id": number, "message": None} for number in range(1001, 1006)]
    people.updates = [*told_again]  # what a killed process had not confirmed
    with closing(Database(tmp_path / "db")) as database:
        async with polling(people, take, database=database):
            people.says(7, 7, "/status")
            await people.heard()

    assert taken == [*range(1001, 1007)]


async def test_where_it_was_is_forgotten_before_telegram_numbers_anew(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "db")) as database:
        Offset(database, "1", lambda: 0).move(5000)
        kept = database.load_snapshot("telegram-updates-1")
        assert kept is not None
        assert Offset(database, "1", lambda: kept.saved_at_ms + 1000).next == 5000
        assert Offset(database, "2", lambda: kept.saved_at_ms + 1000).next is None
        assert Offset(database, "1", lambda: kept.saved_at_ms + OFFSET_LASTS_MS).next is None


@pytest.mark.parametrize(
    ("fault", "word", "least_s"),
    [
        (CONFLICT, "somebody else fetches", 0.75 * CONFLICT_WAIT_S),
        (UNAUTHORIZED, "refuses the token", TOKEN_REFUSED_WAIT_S),
        (BAD_GATEWAY, "does not answer", 1.0),
    ],
)
async def test_trouble_is_said_once_waited_for_and_its_end_is_said(
    fault: tuple[int, dict[str, str]], word: str, least_s: float
) -> None:
    people, waits, taken = Chats(), Waits(), list[Update]()
    people.faults.extend([fault] * 20)
    people.says(7, 7, "/status")
    with capture_logs() as logs:
        async with polling(people, taken.append, waits=waits):
            await people.see(lambda: len(waits) >= 20)
            await people.heard()

    assert [one["event"] for one in logs] == ["no command is heard", "commands are heard again"]
    assert word in logs[0]["trouble"]
    assert "AAFake" not in str(logs)
    assert len(waits) == 20
    assert least_s <= min(waits)
    assert max(waits) <= max(MAX_BACKOFF_S, 1.25 * least_s / 0.75)
    assert len(taken) == 1


async def test_a_flood_limit_is_kept() -> None:
    people, waits = Chats(), Waits()
    people.faults.append(
        (429, {"description": "Too Many Requests", "parameters": {"retry_after": 33}})
    )
    async with polling(people, list[Update]().append, waits=waits):
        await people.see(lambda: people.fetches >= 3)

    assert waits == [33.0]


async def test_one_unreadable_update_does_not_keep_the_bot_deaf() -> None:
    people, taken = Chats(), list[Update]()
    people.updates = [{"update_id": 900, "message": {"date": "nonsense"}}]
    with capture_logs() as logs:
        async with polling(people, taken.append):
            await people.see(lambda: people.fetches >= 3)
            people.says(7, 7, "/status")
            await people.heard()

    assert [one.update_id for one in taken] == [1001]
    assert {one["unreadable"] for one in logs} == {"TypeError"}


async def test_a_flood_is_fetched_slowly_and_worked_on_by_a_few() -> None:
    people, waits, at_work, most = Chats(), Waits(), 0, 0

    async def take(_: Update) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.001)
        at_work -= 1

    for number in range(3 * AT_ONCE):
        people.says(number + 1, number + 1, "/status")
    async with polling(people, take, waits=waits):
        await people.heard()

    assert len(waits) == 3
    assert most == MOST_WORK


# -- pairing ---------------------------------------------------------------------------------------


async def paired(people: Chats, code: str = "ABCD2345") -> Paired:
    return await pair(people.connection().bot, ME, code, wait_s=0)


async def test_who_sends_the_code_is_told_the_ids_and_nobody_else_anything() -> None:
    people = Chats()
    people.says(9, 9, "/start ABCD2345")  # from before: the code was not known yet
    waiting = asyncio.create_task(paired(people))
    await people.see(lambda: people.fetches >= 2)
    people.says(9, 9, "/pair WRONG999")
    people.says(9, -200, "ABCD2345")
    people.says(7, -100, "/pair@liqwatch_bot abcd2345", message_thread_id=5, is_topic_message=True)
    found = await waiting

    assert found == Paired(chat=-100, topic=5, user=7, private=False)
    (answer,) = people.sent()
    assert answer["chat_id"] == -100
    assert answer["message_thread_id"] == 5
    assert "chat: -100" in answer["text"]
    assert "bot: {admins: [7]}" in answer["text"]
    assert people.updates == []


async def test_guessing_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing, "PAUSE_S", 0.0)
    people = Chats()
    waiting = asyncio.create_task(paired(people))
    await people.see(lambda: people.fetches >= 2)
    for _ in range(pairing.TRIES_PER_USER):
        people.says(9, 9, "/pair WRONG999")
    people.says(9, 9, "/pair ABCD2345")  # right at last, too late
    await people.heard()
    assert not waiting.done()
    for user in range(100, 100 + pairing.TRIES_IN_ALL):
        people.says(user, user, "/pair WRONG999")
    with pytest.raises(PairingError, match="too many wrong codes"):
        await waiting

    assert people.sent() == []


async def test_a_code_is_short_lived() -> None:
    people = Chats()
    seconds = iter(range(0, 100_000, 100))
    with pytest.raises(PairingError, match="in time"):
        await pair(
            people.connection().bot, ME, "ABCD2345", monotonic=lambda: next(seconds), wait_s=0
        )


def test_codes_are_random_and_can_be_typed() -> None:
    codes = {pairing.new_code() for _ in range(100)}

    assert len(codes) == 100
    assert all(len(code) == 8 and not set(code) & set("0O1IL") for code in codes)


def test_the_lines_are_a_configuration() -> None:
    lines = settings_lines(Paired(-100, 5, 7, private=False), "/home/you/token")
    config = loads("\n".join(lines), "x.yaml")

    assert config.notify.telegram is not None
    assert (config.notify.telegram.chat, config.notify.telegram.topic) == (-100, 5)
    assert config.notify.telegram.bot.admins == (7,)
