"""A venue that accepts every connection and drops it at once, for an hour of simulated time.

The sockets are real; whatever waits between two attempts waits on a clock that only waiting moves.
"""

import asyncio
import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import count, pairwise
from random import Random
from typing import Self

import pytest
import structlog
from structlog.testing import capture_logs
from websockets.asyncio.server import ServerConnection

from liqwatch.clock import WallClock
from liqwatch.exchanges.base import Control, Endpoint
from liqwatch.exchanges.bybit import BybitLinear
from liqwatch.records import Record
from liqwatch.sources import connection
from liqwatch.sources.connection import Shared
from liqwatch.sources.feed import Feed
from liqwatch.sources.supervise import Budget, full_jitter, keep_running
from liqwatch.sources.transport import Transport

Venue = Callable[..., Awaitable[str]]
HOUR_S = 3_600.0
FEEDS = 4


class Time:
    """Goes on to the next moment somebody waits for, once nothing else is under way."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        until: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self.now_s + seconds, next(self._order), until))
        await until

    async def run(self, *, until_s: float, is_busy: Callable[[], bool]) -> None:
        while self.now_s < until_s:
            for _ in range(10):  # whoever has just been woken may have something to do
                await asyncio.sleep(0)
            if is_busy():
                continue
            self.now_s, _, waiting = heapq.heappop(self._waiting)
            waiting.set_result(None)


class Noted(Transport):
    """Knows how many of its kind are open or opening."""

    under_way = 0

    async def __aenter__(self) -> Self:
        Noted.under_way += 1
        try:
            return await super().__aenter__()
        except BaseException:
            Noted.under_way -= 1
            raise

    async def __aexit__(self, *error: object) -> None:
        try:
            await super().__aexit__(*error)
        finally:
            Noted.under_way -= 1


def ignore(_: Record) -> Sequence[Control]:
    return ()


async def test_an_hour_of_accept_and_drop_stays_within_the_budget_of_the_venue(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "Transport", Noted)
    time = Time()
    accepted_s: list[float] = []
    by_feed: Counter[str] = Counter()

    async def drop(socket: ServerConnection) -> None:
        accepted_s.append(time.now_s)
        by_feed[str(await socket.recv())] += 1
        socket.transport.abort()

    url = await venue(drop)
    log = structlog.get_logger()
    backoff = partial(full_jitter, Random(3))
    per_s = BybitLinear.connects_per_s
    shared = Shared(
        venue="v",
        ingest=ignore,
        names=(f"v/{number}" for number in count(1)),
        clock=WallClock(),
        budget=Budget(per_s, now=time.now, sleep=time.sleep),
        backoff=backoff,
        log=log,
    )
    feeds = [
        Feed(shared, Endpoint(url=url, requests=(name,), topics=(name,)), on_gap=lambda *_: None)
        for name in "abcd"
    ]
    with capture_logs() as logs:
        keeping = [
            asyncio.create_task(
                keep_running(feed.run, name="v", log=log, backoff=backoff, sleep=time.sleep)
            )
            for feed in feeds
        ]
        await time.run(until_s=HOUR_S, is_busy=lambda: Noted.under_way > 0)
        for task in keeping:
            task.cancel()
        await asyncio.wait(keeping)

    assert min(later - one for one, later in pairwise(accepted_s)) >= 0.99 / per_s
    # The mean of up to a minute is half a minute: some 120 attempts of each feed, not thousands.
    assert len(by_feed) == FEEDS
    assert all(90 < attempts < 180 for attempts in by_feed.values())
    assert len(logs) == FEEDS
