import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from liqwatch.clock import ScaledClock
from liqwatch.exchanges import EXCHANGES
from liqwatch.simulator.broadcast import VENUES, Outage
from liqwatch.simulator.scenarios import SCENARIOS, Scenario
from liqwatch.simulator.server import SimulatedExchange

START_NS = 1_791_565_200_000_000_000
BINANCE, BYBIT, OKX = "/market/stream", "/v5/public/linear", "/ws/v5/public"


@pytest.fixture
def clock() -> ScaledClock:
    return ScaledClock(start_ns=START_NS, speed=40)


@pytest.fixture
async def exchange(clock: ScaledClock) -> AsyncIterator[SimulatedExchange]:
    async with SimulatedExchange("demo", 1, clock) as served:
        yield served


def dial(exchange: SimulatedExchange, path: str) -> connect:
    # Frames nobody reads any more hold up a client's goodbye.
    return connect(exchange.websocket_url + path, compression=None, proxy=None, close_timeout=0.1)


async def hear(socket: ClientConnection, count: int) -> list[Any]:
    async with asyncio.timeout(5):
        return [json.loads(await socket.recv()) for _ in range(count)]


async def test_only_what_was_subscribed_is_delivered(exchange: SimulatedExchange) -> None:
    async with dial(exchange, BINANCE) as socket:
        await socket.send('{"method":"SUBSCRIBE","params":["ethusdt@aggTrade"],"id":1}')
        first, *frames = await hear(socket, 20)
        assert first == {"result": None, "id": 1}
        assert {frame["stream"] for frame in frames} == {"ethusdt@aggTrade"}
        ids = [frame["data"]["a"] for frame in frames]
        assert ids == list(range(ids[0], ids[0] + 19))


async def test_frames_arrive_when_the_clock_has_reached_them(
    exchange: SimulatedExchange, clock: ScaledClock
) -> None:
    async with dial(exchange, BINANCE) as socket:
        await socket.send('{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}')
        frames = (await hear(socket, 40))[1:]
        assert all(frame["data"]["E"] <= clock.now_ns() // 1_000_000 for frame in frames)
        market_s = (frames[-1]["data"]["T"] - frames[0]["data"]["T"]) / 1000
        assert 3 < market_s < 20


async def test_bybit_begins_with_a_ticker_snapshot_and_answers_pings(
    exchange: SimulatedExchange,
) -> None:
    async with dial(exchange, BYBIT) as socket:
        await socket.send('{"op":"subscribe","args":["tickers.BTCUSDT"]}')
        ack, snapshot, delta = await hear(socket, 3)
        assert ack["success"] is True
        assert (snapshot["type"], delta["type"]) == ("snapshot", "delta")
        await socket.send('{"op":"ping"}')
        async with asyncio.timeout(5):
            while json.loads(await socket.recv()).get("ret_msg") != "pong":
                pass  # tickers go on meanwhile


async def test_okx_begins_with_history_and_refuses_for_each_topic(
    exchange: SimulatedExchange,
) -> None:
    good = {"channel": "liquidation-orders", "instType": "SWAP"}
    bad = {"channel": "trades", "instId": "NOPE-USDT-SWAP"}
    async with dial(exchange, OKX) as socket:
        await socket.send(json.dumps({"op": "subscribe", "args": [good, bad]}))
        ack, error, history = await hear(socket, 3)
        assert (ack["event"], error["event"], error["code"]) == ("subscribe", "error", "60018")
        rows = [row["details"][0]["ts"] for row in history["data"]]
        assert all(int(ts) < START_NS // 1_000_000 for ts in rows)
        await socket.send("ping")
        assert await asyncio.wait_for(socket.recv(), 5) == "pong"


@pytest.mark.parametrize("path", ["/stream", "/ws"])
async def test_the_unrouted_paths_acknowledge_and_stay_silent(
    exchange: SimulatedExchange, path: str
) -> None:
    async with dial(exchange, path) as socket:
        await socket.send('{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}')
        await socket.send('{"method":"LIST_SUBSCRIPTIONS","id":2}')
        assert await hear(socket, 2) == [
            {"result": None, "id": 1},
            {"result": ["btcusdt@aggTrade"], "id": 2},
        ]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.2)


async def test_what_the_venue_files_ask_by_rest_is_answered(exchange: SimulatedExchange) -> None:
    async with aiohttp.ClientSession() as session:
        for simulated in VENUES:
            venue = EXCHANGES[simulated]()
            for poll in (*venue.bootstrap(), *venue.polls(["BTC", "ETH"])):
                path = poll.url.split("/", 3)[3]
                async with session.get(f"{exchange.url}/{path}") as answer:
                    text = await answer.text()
                assert venue.decode_rest(poll.url, answer.status, text, 1)
        async with session.get(f"{exchange.url}/fapi/v1/nothing") as answer:
            assert answer.status == 404


async def test_a_client_that_vanishes_disturbs_nobody(exchange: SimulatedExchange) -> None:
    ask = '{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}'
    async with dial(exchange, BINANCE) as stays:
        await stays.send(ask)
        async with dial(exchange, BINANCE) as goes:
            await goes.send(ask)
            await hear(goes, 3)
            goes.transport.abort()
        await hear(stays, 40)


async def test_the_end_is_told_and_the_truth_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = Scenario(seconds=10, plans=SCENARIOS["quiet"].plans)
    monkeypatch.setitem(SCENARIOS, "short", quiet)
    async with SimulatedExchange("short", 1, ScaledClock(start_ns=START_NS, speed=100)) as served:
        async with asyncio.timeout(5):
            await served.finished()
        truth = served.truth()
    assert truth.end_ms - truth.begin_ms == 10_000


async def test_an_outage_breaks_the_complete_feed_off_and_lets_nobody_back(
    exchange: SimulatedExchange, clock: ScaledClock
) -> None:
    async with dial(exchange, BYBIT) as trades, dial(exchange, BYBIT) as forced:
        await trades.send('{"op":"subscribe","args":["publicTrade.BTCUSDT"]}')
        await forced.send('{"op":"subscribe","args":["allLiquidation.BTCUSDT"]}')
        await hear(forced, 1)
        now_ms = clock.now_ns() // 1_000_000
        exchange._broadcast.outage = Outage(
            "bybit-linear", "allLiquidation.", now_ms, now_ms + 20_000
        )
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(forced.recv(), 5)
        with pytest.raises(InvalidStatus):
            await dial(exchange, BYBIT)
        await hear(trades, 5)
    await clock.sleep(20)
    async with dial(exchange, BYBIT) as back:
        await back.send('{"op":"ping"}')
        await hear(back, 1)
