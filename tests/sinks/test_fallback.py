"""The second channel: what goes there, when, and how often."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from msgspec.structs import replace
from recorder import Recorder
from sample_alerts import APPROACHED, STALLED, START_MS, STARTED

from liqwatch.alerting.intents import ReceiverKind
from liqwatch.alerting.message import Text, render
from liqwatch.secret import Secret
from liqwatch.sinks import FallbackSettings, SinkError, WebhookSettings, build_fallback
from liqwatch.sinks.apprise import AppriseSink, read_address
from liqwatch.sinks.base import Delivery, RetryLater
from liqwatch.sinks.fallback import Fallback
from liqwatch.sinks.outbox import Outbox
from liqwatch.sinks.timing import Timing
from liqwatch.store import Database

DOWN = RetryLater("no connection")


class Clock:
    """Time that others turn on: nobody who sleeps moves it."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._turned = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            await self._turned.wait()

    async def turn(self, seconds: float) -> None:
        """Let time pass in steps, with room for whoever waits to act."""
        for _ in range(round(seconds)):
            self.now_s += 1.0
            self._turned.set()
            self._turned = asyncio.Event()
            for _ in range(6):
                await asyncio.sleep(0)

    def timing(self) -> Timing:
        return Timing(
            now_ms=lambda: START_MS + round(1000 * (self.now_s - 1000.0)),
            monotonic=lambda: self.now_s,
            wall_s=lambda: self.now_s,
            sleep=self.sleep,
            random=lambda: 0.5,
        )


@pytest.fixture
def database() -> Iterator[Database]:
    database = Database(None)
    yield database
    database.close()


class Second(Recorder):
    name = "second channel"

    def __init__(self) -> None:
        super().__init__(ReceiverKind.PLAIN)
        self.receiver = "fallback"


class Setting:
    def __init__(self, database: Database, *, failures: int, chats: int = 1) -> None:
        self.clock = Clock()
        self.chats = [Recorder(errors=[DOWN] * failures) for _ in range(chats)]
        for number, chat in enumerate(self.chats):
            chat.receiver = f"telegram:{number}"
        self.second = Second()
        fallback = Fallback(self.second, FallbackSettings(after_s=60))
        timing = self.clock.timing()
        self.outbox = Outbox(database, self.chats, fallback=fallback, timing=timing)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Outbox]:
        task = asyncio.ensure_future(self.outbox.run())
        await asyncio.sleep(0)
        try:
            yield self.outbox
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_after_a_minute_without_telegram_grave_alerts_go_the_other_way_marked(
    database: Database,
) -> None:
    setting = Setting(database, failures=1000)
    async with setting.running() as outbox:
        outbox.put([STARTED, APPROACHED])
        await setting.clock.turn(55)
        assert setting.second.got == []
        await setting.clock.turn(10)
        outbox.put([STALLED])
        await setting.clock.turn(3)

    texts = [delivery.text.plain() for delivery in setting.second.got]
    mark = "Telegram has been unreachable since 22:40 UTC\n"
    assert texts == [mark + render(STARTED).plain(), mark + render(STALLED).plain()]


async def test_never_twice_and_telegram_still_gets_all_of_it(database: Database) -> None:
    setting = Setting(database, failures=12)
    async with setting.running() as outbox:
        outbox.put([STARTED, STALLED])
        await setting.clock.turn(600)
        assert outbox.pending == 0

    assert [one.alert and one.alert.id for one in setting.second.got] == ["start", "stall"]
    assert setting.chats[0].summary() == ["send start", "reply stall"]


async def test_what_is_no_news_any_more_is_not_taken_over(database: Database) -> None:
    setting = Setting(database, failures=1000)
    old = replace(STARTED, time=START_MS - 900_000)
    async with setting.running() as outbox:
        outbox.put([replace(old, kind=APPROACHED.kind, episode=None)])
        await setting.clock.turn(120)

    assert setting.second.got == []


async def test_while_one_chat_can_be_reached_telegram_is_not_down(database: Database) -> None:
    setting = Setting(database, failures=0, chats=2)
    setting.chats[0].errors = [DOWN] * 1000
    async with setting.running() as outbox:
        outbox.put([STARTED])
        await setting.clock.turn(3)
        outbox.put([STALLED])
        await setting.clock.turn(120)

    assert len(setting.chats[1].got) == 3
    assert setting.second.got == []


# -- Apprise ---------------------------------------------------------------------------------------


def address_file(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "second"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@asynccontextmanager
async def service(status: int) -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """Apprise's own JSON service: what it sends to any program."""
    got: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/{secret}", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"json://127.0.0.1:{runner.addresses[0][1]}/hidden-topic", got
    finally:
        await runner.cleanup()


async def test_a_message_goes_out_by_the_address_in_the_file(tmp_path: Path) -> None:
    async with service(200) as (address, got):
        settings = FallbackSettings(url_file=address_file(tmp_path, f"{address}\n"))
        fallback = build_fallback(settings)
        assert fallback is not None
        await fallback.sink.send(Delivery(text=Text("first\nand more"), alert=STARTED))

    assert (got[0]["title"], got[0]["message"], got[0]["type"]) == ("first", "and more", "failure")


async def test_what_fails_is_tried_again_and_tells_no_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with service(500) as (address, _):
        sink = AppriseSink(Secret(address))
        with pytest.raises(RetryLater) as failed:
            await sink.send(Delivery(text=Text("x"), alert=STARTED))

    assert "hidden" not in f"{failed.value!r} {sink!r} {vars(sink)} {caplog.text}"


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("ntfys://hidden", 0o644, "chmod 600"),
        ("hidden", 0o600, "not an address"),
        ("ntfys://hidden json://hidden", 0o600, "not an address"),
        ("hidden://hidden", 0o600, "knows no such"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_being_shown(
    tmp_path: Path, text: str, mode: int, why: str
) -> None:
    with pytest.raises(SinkError, match=why) as refused:
        AppriseSink(read_address(address_file(tmp_path, text, mode)))

    assert "hidden" not in str(refused.value)


def test_a_second_channel_has_one_way() -> None:
    webhook = WebhookSettings(url="https://example.org/hook")

    assert build_fallback(None) is None
    for settings in (FallbackSettings(), FallbackSettings(url_file="x", webhook=webhook)):
        with pytest.raises(SinkError, match="one of"):
            build_fallback(settings)
    fallback = build_fallback(FallbackSettings(webhook=webhook))
    assert fallback is not None
    assert fallback.sink.receiver == "fallback"
