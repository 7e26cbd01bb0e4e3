"""A whole venue on loopback: its list of coins, the sockets that follow it, gaps that are filled.

The venue is invented: it lists its coins at /list, and a connection carries two of them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Any, NoReturn

import pytest
from aiohttp import web
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection

from liqwatch.clock import WallClock
from liqwatch.events import Completeness, ContractType, Instrument, MarketEvent
from liqwatch.exchanges.base import Acknowledged, Control, Endpoint, Exchange, Poll
from liqwatch.records import Record
from liqwatch.sources import venue as venue_module
from liqwatch.sources.venue import VenueWatch

Venue = Callable[..., Awaitable[str]]


def instrument(symbol: str) -> Instrument:
    return Instrument(
        venue="fake", symbol=symbol, instrument=symbol, time=0, received=0,
        contract_type=ContractType.LINEAR, contract_size=1, tick_size=0.1, status="trading",
    )  # fmt: skip


class FakeExchange(Exchange):
    """Two coins a connection, in alphabetical order."""

    venue = "fake"
    title = "Fake"
    completeness = Completeness.FULL
    channels = frozenset()
    limits = ""
    connects_per_s = 1e6
    rest_per_s = 1e6
    history_per_s = 1e6

    def bootstrap(self) -> Sequence[Poll]:
        return [Poll(url="https://fake.example/list", interval_s=0.03)]

    def endpoints(self, symbols: Collection[str] | None) -> Sequence[Endpoint]:
        coins = sorted(coin for coin in self.instruments if symbols is None or coin in symbols)
        return [
            Endpoint(
                url="wss://fake.example/ws",
                requests=(json.dumps(coins[n : n + 2]),),
                topics=tuple(coins[n : n + 2]),
            )
            for n in range(0, len(coins), 2)
        ]

    def polls(self, symbols: Collection[str] | None) -> Sequence[Poll]:  # noqa: ARG002 - one list
        return self.bootstrap()

    def backfill(
        self, symbols: Collection[str] | None, since_ms: int, until_ms: int
    ) -> Sequence[Poll]:
        coins = "".join(sorted(symbols or self.instruments))
        return [Poll(url=f"https://fake.example/past?{coins}&{since_ms}&{until_ms}", interval_s=0)]

    def history(self, instrument: str) -> Sequence[Poll]:
        return [Poll(url=f"https://fake.example/history?{instrument}", interval_s=0)]

    def decode(self, frame: str | bytes, received: int) -> Sequence[Control]:  # noqa: ARG002
        said = json.loads(frame)
        return [Acknowledged(tuple(said))] if isinstance(said, list) else ()

    def decode_rest(self, url: str, status: int, text: str, received: int) -> Sequence[MarketEvent]:  # noqa: ARG002
        if url.endswith("/list") and status == 200:
            self.instruments = {coin: instrument(coin) for coin in text}
        return ()

    def snapshot(self) -> bytes:
        raise NotImplementedError

    def restore(self, state: bytes) -> None:
        raise NotImplementedError


class Hasty(Random):
    """Never waits long before it tries again."""

    def uniform(self, a: float, b: float) -> float:
        return min(b, a + 0.01)


class Market:
    """What the venue lists and serves, and everything that reached the one who watches it."""

    def __init__(self) -> None:
        self.exchange = FakeExchange()
        self.listed: str | None = "AB"
        self.asked: list[str] = []
        self.records: list[Record] = []
        self.sockets: set[ServerConnection] = set()
        self.rest = self.websocket = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        if request.path == "/list" and self.listed is None:
            raise web.HTTPServiceUnavailable
        return web.Response(text=self.listed)

    async def serve(self, socket: ServerConnection) -> None:
        coins = await socket.recv()
        self.sockets.add(socket)
        try:
            await socket.send(coins)
            while True:
                await socket.send('{"price":1}')
                await asyncio.sleep(0.002)
        finally:
            self.sockets.discard(socket)

    def ingest(self, record: Record) -> Sequence[Control]:
        self.records.append(record)
        if record.get is not None:
            self.exchange.decode_rest(record.get, record.status or 0, record.text or "", record.at)
        if record.text is None or record.get is not None:
            return ()
        return self.exchange.decode(record.text, record.at)

    def watch(self, *symbols: str, cold: Callable[[], Sequence[str]] = tuple) -> VenueWatch:
        watch = VenueWatch(
            self.exchange,
            symbols or None,
            self.ingest,
            websocket=self.websocket,
            rest=self.rest,
            clock=WallClock(),
            random=Hasty(),
            fatal=(ZeroDivisionError,),
            cold=cold,
        )
        watch._shared = replace(watch._shared, overlap_s=0.02)
        return watch

    def closes(self) -> list[tuple[str | None, str]]:
        return [(record.stream, record.close.reason) for record in self.records if record.close]


@pytest.fixture
async def market(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Market]:
    monkeypatch.setattr(venue_module, "LOOK_S", 0.03)
    monkeypatch.setattr(venue_module, "GATHER_S", 0.1)
    monkeypatch.setattr(venue_module, "RECALL_EVERY_S", 0.01)
    monkeypatch.setattr(venue_module, "RECALL_AGAIN_S", 0.1)
    market = Market()
    market.websocket = await venue(market.serve)
    app = web.Application()
    app.router.add_get("/{path:.*}", market.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    market.rest = f"http://{host}:{port}"
    yield market
    await runner.cleanup()


@asynccontextmanager
async def running(watch: VenueWatch) -> AsyncIterator[list[Any]]:
    with capture_logs() as logs:
        task = asyncio.create_task(watch.run())
        try:
            yield logs
        finally:
            task.cancel()
            await asyncio.wait([task])


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - the test must not disturb what it watches
            await asyncio.sleep(0.002)


def heard(watch: VenueWatch) -> list[str]:
    return ["".join(one.acknowledged) for one in watch.subscriptions]


async def test_listings_and_delistings_are_followed_without_a_restart(market: Market) -> None:
    watch = market.watch()
    async with running(watch) as logs:
        await until(lambda: heard(watch) == ["AB"])
        market.listed = "ABCDE"
        await until(lambda: heard(watch) == ["AB", "CD", "E"])
        market.listed = "BCD"
        await until(lambda: heard(watch) == ["BC", "D"] and len(market.closes()) == 3)
        assert [log["event"] for log in logs] == ["opening another connection"] * 2

    ended = market.closes()[:3]
    assert watch._gap is None
    assert {stream for stream, _ in ended} == {"fake/1", "fake/2", "fake/3"}
    assert all(reason.startswith("replaced by fake/") for _, reason in ended)


async def test_surplus_connections_stay_until_the_others_deliver_what_they_did(
    market: Market,
) -> None:
    market.listed = "ABCD"
    watch = market.watch()
    async with running(watch):
        await until(lambda: heard(watch) == ["AB", "CD"])
        market.listed = "C"
        await until(lambda: heard(watch) == ["C"] and len(market.closes()) == 2)

    streams = [stream for stream, _ in market.closes()]
    assert streams.index("fake/1") < streams.index("fake/2")  # its coin C had gone over by then
    assert market.closes()[1] == ("fake/2", "replaced by fake/3")


async def test_a_coin_that_is_listed_later_is_picked_up(market: Market) -> None:
    watch = market.watch("B", "Z")
    async with running(watch) as logs:
        await until(lambda: heard(watch) == ["B"])
        market.listed = "ABZ"
        await until(lambda: heard(watch) == ["BZ"])

    assert [(log["event"], log.get("symbols")) for log in logs][:1] == [
        ("coins that are not listed here", ["Z"])
    ]


async def test_what_is_remembered_is_listened_to_while_rest_is_down(market: Market) -> None:
    market.listed = None
    market.exchange.instruments = {"A": instrument("A")}
    watch = market.watch()

    async with running(watch):
        await until(lambda: heard(watch) == ["A"])
        await until(lambda: len(market.asked) > 3)
        market.listed = "AB"
        await until(lambda: heard(watch) == ["AB"])


async def test_nothing_is_subscribed_before_the_venue_has_told_what_it_lists(
    market: Market,
) -> None:
    market.listed = None
    watch = market.watch()

    async with running(watch):
        await until(lambda: len(market.asked) > 3)

    assert watch.subscriptions == []


async def test_streams_lost_together_are_one_gap_to_fill(market: Market) -> None:
    market.listed = "ABCD"
    watch = market.watch()
    async with running(watch):
        await until(lambda: len(market.sockets) == 2 and heard(watch) == ["AB", "CD"])
        last_ms = market.records[-1].at // 1_000_000
        for socket in list(market.sockets):
            socket.transport.abort()
        await until(lambda: any("/past" in path for path in market.asked))
        await asyncio.sleep(0.15)

    (path,) = (path for path in market.asked if "/past" in path)
    coins, since_ms, until_ms = path.removeprefix("/past?").split("&")
    assert coins == "ABCD"
    assert last_ms - 50 < int(since_ms) <= int(until_ms)
    assert int(until_ms) in [record.at // 1_000_000 for record in market.records]


async def test_the_past_is_asked_of_what_lacks_it_the_first_first_and_again_if_in_vain(
    market: Market,
) -> None:
    cold = ["B", "A"]
    async with running(market.watch(cold=lambda: list(cold))):
        await until(lambda: len(pasts(market)) == 2)
        cold.remove("B")
        await until(lambda: len(pasts(market)) == 4)
        cold[:] = ["C"]
        await until(lambda: len(pasts(market)) == 5)

    assert pasts(market) == ["B", "A", "A", "A", "C"]


def pasts(market: Market) -> list[str]:
    asked = (path.partition("/history?")[2] for path in market.asked)
    return [instrument for instrument in asked if instrument]


async def test_a_venue_that_documents_no_past_is_not_asked_for_it(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeExchange, "history_per_s", None)
    async with running(market.watch(cold=lambda: ["A"])) as logs:
        await until(lambda: len(market.asked) > 3)

    assert not pasts(market)
    assert not logs


async def test_a_bug_in_the_list_of_connections_leaves_those_that_are(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_: object) -> NoReturn:
        raise KeyError("a field nobody knew")

    watch = market.watch()
    async with running(watch) as logs:
        await until(lambda: heard(watch) == ["AB"])
        monkeypatch.setattr(market.exchange, "endpoints", stumble)
        await until(lambda: logs)
        frames = len(market.records)
        await until(lambda: len(market.records) > frames + 20)

    assert [(log["event"], log["stream"]) for log in logs] == [("stream failed", "list of coins")]
    assert market.closes() == [("fake/1", "stopped")]


async def test_what_is_fatal_ends_the_watch(market: Market) -> None:
    decode = market.exchange.decode

    def stumble(frame: str | bytes, received: int) -> Sequence[Control]:
        return decode(frame, 1 // 0 if "price" in str(frame) else received)

    market.exchange.decode = stumble  # type: ignore[method-assign]  # of this one

    with capture_logs(), pytest.raises(ExceptionGroup) as raised:
        await asyncio.wait_for(market.watch().run(), 5)

    assert raised.group_contains(ZeroDivisionError)
    assert market.closes() == [("fake/1", "stopped")]
