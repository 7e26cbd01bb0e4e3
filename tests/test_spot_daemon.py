"""The spot venues on loopback: one server that speaks as all three do, frame by frame after the
documentation named in tests/exchanges/frames_*_spot.py.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import ModuleType

import frames_binance_spot
import frames_coinbase_spot
import frames_okx_spot
import msgspec
import pytest
from aiohttp import WSMsgType, web
from structlog.testing import capture_logs

from liqwatch.clock import ScaledClock, WallClock
from liqwatch.config import Config, VenueSettings
from liqwatch.doctor import diagnose
from liqwatch.doctor.report import Heard, Verdict
from liqwatch.engine.settings import SymbolSettings
from liqwatch.events import Disconnect, MarketEvent, Side, Trade
from liqwatch.exchanges import EXCHANGES
from liqwatch.exchanges.base import Control
from liqwatch.pipeline import Pipeline, promises
from liqwatch.records import Record
from liqwatch.replay import assemble
from liqwatch.sources.tape import TapeReader, TapeWriter
from liqwatch.sources.venue import watch_venue

BINANCE, COINBASE, OKX = frames_binance_spot, frames_coinbase_spot, frames_okx_spot
VENUES = {module.VENUE: module for module in (BINANCE, COINBASE, OKX)}
PATHS = {"/stream": BINANCE, "/": COINBASE, "/ws/v5/public": OKX}
LISTS = {
    "/api/v3/exchangeInfo": BINANCE,
    "/api/v3/brokerage/market/products": COINBASE,
    "/api/v5/public/instruments": OKX,
}
START_NS = 1_791_565_200_000_000_000
EVERY_S = 0.005


def acknowledgement(venue: ModuleType, request: str) -> str:
    asked = msgspec.json.decode(request)
    if venue is BINANCE:
        return f'{{"result":null,"id":{asked["id"]}}}'
    if venue is OKX:
        return f'{{"event":"subscribe","arg":{msgspec.json.encode(asked["args"][0]).decode()}}}'
    names = msgspec.json.encode(asked.get("product_ids", [asked["channel"]])).decode()
    return (
        '{"channel":"subscriptions","sequence_num":0,"events":[{"subscriptions":'
        f'{{"{asked["channel"]}":{names}}}}}]}}'
    )


def at(text: str, now_ns: int) -> str:
    """Stamp a frame with another time than that of the samples."""
    now = datetime.fromtimestamp(now_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text.replace("1700000000000", str(now_ns // 10**6)).replace(
        "2023-11-14T22:13:20.000000", now
    )


@dataclass
class SpotMarket:
    """Bitcoin is traded every 5 ms and each trade told twice, after a frame that is broken."""

    clock: WallClock | ScaledClock = field(default_factory=WallClock)
    address: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if (listed := LISTS.get(request.path)) is not None:
            return web.Response(text=listed.LIST)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await self.serve(socket, PATHS[request.path])
        return socket

    async def serve(self, socket: web.WebSocketResponse, venue: ModuleType) -> None:
        streaming: asyncio.Task[None] | None = None
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.data != "ping":
                await socket.send_str(acknowledgement(venue, message.data))
                if "heartbeats" not in message.data and streaming is None:
                    streaming = asyncio.create_task(self.stream(socket, venue))
        if streaming is not None:
            streaming.cancel()

    async def stream(self, socket: web.WebSocketResponse, venue: ModuleType) -> None:
        number = 1000
        if venue is COINBASE:
            await socket.send_str(COINBASE.at_the_ask(number, kind="snapshot"))
        await socket.send_str("{")
        while not socket.closed:
            number += 1
            text = at(venue.at_the_ask(number), self.clock.now_ns())
            await socket.send_str(text)
            await socket.send_str(text)
            await asyncio.sleep(EVERY_S)


@pytest.fixture
async def market() -> AsyncIterator[SpotMarket]:
    market = SpotMarket()
    app = web.Application()
    app.router.add_get("/{path:.*}", market.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    market.address = f"{host}:{port}"
    yield market
    await runner.cleanup()


class Listener:
    """What comes out of a pipeline."""

    def __init__(self) -> None:
        self.events: list[MarketEvent | Disconnect] = []
        self.pipeline: Pipeline = assemble(
            None, None, on_alerts=lambda _: None, on_event=self.events.append
        )

    @property
    def trades(self) -> list[Trade]:
        return [event for event in self.events if isinstance(event, Trade)]


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110 - the test must not disturb what it watches
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("name", VENUES)
async def test_a_spot_venue_is_heard_recorded_and_replayed_alike(
    name: str, market: SpotMarket, tmp_path: Path
) -> None:
    live, tape = Listener(), tmp_path / "spot.jsonl.zst"
    with TapeWriter(tape, note="test", created_ns=0) as writer, capture_logs() as logs:

        def ingest(record: Record) -> list[Control]:
            writer.write(record)
            return list(live.pipeline.ingest(record))

        watching = asyncio.create_task(
            watch_venue(
                live.pipeline.exchanges[name],
                ("BTC", "NOSUCHCOIN"),
                ingest,
                websocket=f"ws://{market.address}",
                rest=f"http://{market.address}",
                clock=WallClock(),
                random=Random(1),
                fatal=(),
            )
        )
        await until(lambda: len(live.trades) >= 20)
        watching.cancel()
        await asyncio.wait([watching])
    again = Listener()
    for record in TapeReader(tape):
        again.pipeline.ingest(record)

    assert {(one.symbol, one.price, one.size, one.side) for one in live.trades} == {
        ("BTC", 60_000.0, 1.0, Side.BUY)
    }
    ids = [int(one.id or 0) for one in live.trades]
    assert ids == list(range(1001, 1001 + len(ids)))
    assert {type(event) for event in live.events} == {Trade, Disconnect}
    assert live.pipeline.malformed == {(name, "not_json"): 1}
    assert live.pipeline.exchanges[name].counts["duplicate"] >= len(ids) - 1
    assert again.events == live.events
    assert again.pipeline.malformed == live.pipeline.malformed
    assert [log["symbols"] for log in logs if log["log_level"] == "warning"] == [["NOSUCHCOIN"]]


async def test_the_doctor_misses_nothing_but_trades_of_a_spot_venue(
    market: SpotMarket, tmp_path: Path
) -> None:
    market.clock = ScaledClock(start_ns=START_NS, speed=4)
    there = VenueSettings(websocket=f"ws://{market.address}", rest=f"http://{market.address}")
    config = Config(
        symbols={"BTC": SymbolSettings()}, venues=dict.fromkeys(VENUES, there), state=tmp_path
    )
    report = await diagnose(config, name="test", seconds=2.4, clock=market.clock, random=Random(1))

    assert [one.venue for one in report.venues] == list(VENUES)
    for venue in report.venues:
        assert [(one.channel, one.heard) for one in venue.channels] == [("trades", Heard.YES)]
        assert [(one.verdict, one.says) for one in venue.findings] == [
            (Verdict.ATTENTION, "frames that cannot be read: not_json 1 times")
        ]
        assert venue.clock_offset_ms is not None
        assert abs(venue.clock_offset_ms) < 1000


def test_a_spot_venue_promises_trades_and_says_what_it_is() -> None:
    promised = promises(EXCHANGES)

    assert {name for name, promise in promised.items() if promise.spot} == set(VENUES)
    assert all(promised[name].channels == {"trades"} for name in VENUES)
