"""From one connection to the next with nothing lost and nothing counted twice, on real sockets.

Frames after bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation and
www.okx.com/docs-v5/en/#overview-websocket-notification.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import count

import frames_okx
import structlog
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection, broadcast

from liqwatch.clock import WallClock
from liqwatch.events import Liquidation, MarketEvent, Trade
from liqwatch.exchanges.base import Control, Endpoint, Exchange
from liqwatch.exchanges.bybit import BybitLinear
from liqwatch.exchanges.okx import OkxSwap
from liqwatch.records import Record
from liqwatch.sources.connection import Shared
from liqwatch.sources.feed import Feed
from liqwatch.sources.supervise import Budget

Venue = Callable[..., Awaitable[str]]
HANDOVERS = 1_000


class Telling:
    """A venue that tells every subscriber the same numbered events."""

    def __init__(self, acknowledgement: str, event: Callable[[int], str]) -> None:
        self.sockets: set[ServerConnection] = set()
        self._acknowledgement = acknowledgement
        self._event = event

    async def serve(self, socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(self._acknowledgement)
        self.sockets.add(socket)
        try:
            await socket.wait_closed()
        finally:
            self.sockets.discard(socket)

    async def run(self) -> None:
        for number in count(1):
            broadcast(self.sockets, self._event(number))
            await asyncio.sleep(0.001)


class Listener:
    """A feed, and what its exchange makes of the frames."""

    def __init__(self, exchange: Exchange, endpoint: Endpoint, overlap_s: float) -> None:
        self.records: list[Record] = []
        self.events: list[MarketEvent] = []
        self.gaps: list[tuple[int, int]] = []
        self._exchange = exchange
        self.feed = Feed(
            Shared(
                venue=exchange.venue,
                ingest=self.ingest,
                names=(f"v/{number}" for number in count(1)),
                clock=WallClock(),
                budget=Budget(1e6),
                backoff=lambda _: 0.01,
                log=structlog.get_logger(),
                healthy_after_s=0.0,
                overlap_s=overlap_s,
            ),
            endpoint,
            on_gap=lambda *gap: self.gaps.append(gap),
        )

    def ingest(self, record: Record) -> Sequence[Control]:
        self.records.append(record)
        if record.text is None:
            return ()
        decoded = self._exchange.decode(record.text, record.at)
        controls = [one for one in decoded if isinstance(one, Control)]
        self.events += [one for one in decoded if not isinstance(one, Control)]
        return controls

    async def run_until(self, done: Callable[[], bool], telling: Telling) -> None:
        jobs = [
            asyncio.create_task(self.feed.run(lambda: None)),
            asyncio.create_task(telling.run()),
        ]
        try:
            async with asyncio.timeout(60):
                while not done():  # noqa: ASYNC110 - the test must not disturb what it watches
                    await asyncio.sleep(0.005)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.wait(jobs)


def in_a_row(numbers: Iterable[int]) -> bool:
    numbers = list(numbers)
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def endpoint(url: str, topic: str, *, rotate_after_s: float | None = None) -> Endpoint:
    return Endpoint(
        url=url,
        requests=(f'["{topic}"]',),
        topics=(topic,),
        request_gap_s=0,
        rotate_after_s=rotate_after_s,
    )


async def test_a_thousand_handovers_lose_no_liquidation_and_count_none_twice(venue: Venue) -> None:
    telling = Telling(
        '{"success":true,"ret_msg":"","conn_id":"1","op":"subscribe"}',
        lambda number: (
            '{"topic":"allLiquidation.BTCUSDT","type":"snapshot","ts":1700000000500,"data":'
            f'[{{"T":1700000000100,"s":"BTCUSDT","S":"Buy","v":"{number}","p":"59400.00"}}]}}'
        ),
    )
    listener = Listener(
        BybitLinear(),
        endpoint(await venue(telling.serve), "allLiquidation.BTCUSDT", rotate_after_s=0.001),
        overlap_s=0.001,
    )

    def handovers() -> int:
        return sum(record.close is not None for record in listener.records)

    with capture_logs():
        await listener.run_until(lambda: handovers() >= HANDOVERS, telling)

    liquidations = [event for event in listener.events if isinstance(event, Liquidation)]
    assert in_a_row(round(event.size) for event in liquidations)
    assert len(liquidations) > HANDOVERS
    assert listener.gaps == []
    assert "duplicate" in listener._exchange.counts, "no overlap was tested"
    reasons = [record.close.reason for record in listener.records if record.close]
    assert all(reason.startswith("replaced by v/") for reason in reasons[: HANDOVERS - 1])


async def test_before_okx_closes_for_an_upgrade_another_connection_delivers(venue: Venue) -> None:
    telling = Telling(
        '{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"connId":"1"}',
        lambda number: (
            '{"arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"data":[{"instId":'
            f'"BTC-USDT-SWAP","tradeId":"{number}","px":"60000","sz":"1","side":"buy",'
            '"ts":"1700000000000","count":"1"}]}'
        ),
    )
    connections = count(1)

    async def upgrade_the_first(socket: ServerConnection) -> None:
        if next(connections) > 1:
            await telling.serve(socket)
            return
        serving = asyncio.create_task(telling.serve(socket))
        await asyncio.sleep(0.05)
        await socket.send(
            '{"event":"notice","code":"64008","msg":"The connection will soon be closed for a'
            ' service upgrade. Please reconnect.","connId":"1"}'
        )
        await asyncio.sleep(0.3)
        await socket.close(1012)
        await serving

    exchange = OkxSwap()
    url, swaps, _ = frames_okx.REST["instruments"]
    exchange.decode_rest(url, 200, swaps, 0)
    listener = Listener(
        exchange, endpoint(await venue(upgrade_the_first), "trades:BTC-USDT-SWAP"), overlap_s=0.02
    )
    with capture_logs():
        await listener.run_until(lambda: any(record.close for record in listener.records), telling)

    closed = next(record for record in listener.records if record.close)
    assert (closed.stream, closed.close and closed.close.reason) == ("v/1", "replaced by v/2")
    assert listener.gaps == []
    assert in_a_row(int(event.id or 0) for event in listener.events if isinstance(event, Trade))
